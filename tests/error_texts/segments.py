"""What is wrong with fits, models and scoring."""

from tests.error_texts.calls import Refused

ONE_COLUMN = "[{'name': 'spend', 'department': null, 'type': 'DOUBLE', 'in_words': null}]"
NO_NUMBERS = "list_transform(model.features, lambda feature: 'nan'::double)"
MIXTURE = (
    "create temp view mixture as select custseg.gmm_fit([x], k := 2) as model "
    "from range(9) as points (x)"
)

FITS = [
    Refused(f"select custseg.{fit}", text)
    for fit, text in (
        (
            "kmeans_fit(x, k := 1) from (values ([1.0]), (null)) as points (x)",
            "features must not be NULL, got 1 NULL rows [null-value]",
        ),
        (
            "kmeans_fit(x, k := 1) from (values ([1.0]), ([null])) as points (x)",
            "features must not hold NULL, got 1 NULL values [null-value]",
        ),
        (
            "kmeans_fit(x, k := 1) from (values ([1.0]), ([1.0, 2.0])) as points (x)",
            "features must all have one length, got 1 to 2 [vector-length]",
        ),
        (
            "kmeans_fit(features) from vectors where false",
            "features must have at least one row, got none [no-rows]",
        ),
        (
            "kmeans_fit([]::double[], k := 1)",
            "features must have at least one row and one value, got 1 x 0 [no-rows]",
        ),
        (
            "kmeans_fit(['inf'::double], k := 1)",
            "features must be finite and within 1e100, got inf [not-finite]",
        ),
        (
            "kmeans_fit([x], k := 4) from (values (1), (2), (2)) as points (x)",
            "k must be between 1 and 2 (the distinct rows), got 4 [option]",
        ),
        (
            "kmeans_fit(features[:2], transform := transform) from vectors",
            "transform must have one entry per feature, got 8 for 2 features [vector-length]",
        ),
        (
            "gmm_fit(features, covariance_type := 'round') from vectors",
            "covariance_type must be one of full, tied, diag, spherical, got round [option]",
        ),
        (
            "gmm_fit([x / 1e8], k := 2) from range(9) as points (x)",
            "features must have a standard deviation of at least 0.01 or be constant, because "
            "1e-06 is added to every variance, got 2.58e-08 in place 1. Scale them first, as "
            "custseg.feature_vectors does [variance]",
        ),
        (
            "gmm_fit([1e8 * x, 1e8 * x * x, 1e8 * (x + x * x)], k := 2) from range(9) as t (x)",
            "every component's covariance must have an inverse, got one that has none: features "
            "that follow from each other, or on very different scales. Leave them out, take fewer "
            "segments, or covariance_type diag [variance]",
        ),
        (
            "gmm_fit([x % 9 * 1e12 + x % 7], k := 9, covariance_type := 'diag') "
            "from range(900) as points (x)",
            "every component's variances must be above 0, got one that is not after rounding: a "
            "feature varies too little within a segment for its size. Scale the features, or take "
            "fewer segments [variance]",
        ),
        (
            "refit(features, null) from vectors",
            "model must be the one to go on from, got NULL [null-value]",
        ),
        (
            "match_segments(model, (select custseg.kmeans_fit([1.0], k := 1))) from models",
            "models must have a feature in common to be compared, got recency_days, monetary, "
            "effective_n, reorder_share, department_share.department 0, department_share.department"
            " 3, department_share.department 1, department_share.department 2 against feature_0 "
            "[model-kind]",
        ),
    )
]

SWEEPS = [
    Refused(f"from custseg.k_sweep('vectors', {options})", text)
    for options, text in (
        ("ks := [0]", "ks must be whole numbers of at least 1, got [0] [option]"),
        (
            "algorithms := ['dbscan']",
            "algorithms must be among kmeans, gmm, got ['dbscan'] [option]",
        ),
        (
            "covariance_types := ['round']",
            "covariance_types must be among full, tied, diag, spherical, got ['round'] [option]",
        ),
        ("n_bootstraps := 0", "n_bootstraps must be between 1 and 1000, got 0 [option]"),
    )
]

SCORES = [
    Refused(
        f"select custseg.assign(model, {NO_NUMBERS}) from models",
        "features must be finite numbers and model a fitted model, got [nan, nan, nan, nan, nan, "
        "nan, nan, nan] [not-finite]",
    ),
    Refused(
        "select custseg.log_densities(model, model.components[1].center) from models",
        "model must be a mixture, got K-Means [model-kind]",
    ),
    Refused(
        "select custseg.probabilities(model, model.components[1].center) from models",
        "model must be a mixture, got K-Means [model-kind]",
    ),
    Refused(
        f"select custseg.probabilities(model, {NO_NUMBERS}) from mixture",
        "features must be finite numbers, got [nan] [not-finite]",
        given=MIXTURE,
    ),
    Refused(
        "select custseg_assign(null, [1.0])",
        "model must not be NULL, got NULL for some rows [null-value]",
    ),
    Refused(
        "select custseg_assign(model, [1.0]) from models",
        "features must have 8 values, got 1 [vector-length]",
    ),
]

STORED = [
    Refused(
        "from custseg.score('features', model_name := 'defualt')",
        "model_name must be one of the stored ones (default version 1, tiny version 1) and name "
        "one version, got defualt [no-model]",
    ),
    Refused(
        "from custseg.score('features', models := 'changed')",
        "the stored model cannot be used: model is NULL [model-damaged]",
        given="create temp table changed as from models; update changed set model = null",
    ),
    Refused(
        "from custseg.score('features', models := 'changed')",
        "the stored model must be as it was fitted, got another checksum than 0 [model-damaged]",
        given="create temp table changed as from models; update changed set checksum = '0'",
    ),
    Refused(
        "from custseg.model_metrics('vectors', 'changed')",
        "the stored model cannot be used: model is NULL [model-damaged]",
        given="create temp table changed as from models; update changed set model = null",
    ),
    Refused(
        "from custseg.model_metrics('vectors', 'changed')",
        "models must hold each name once, got 1 rows too many [repeated-rows]",
        given="create temp view changed as from models union all from models",
    ),
]

TREES = [
    Refused(
        f"select custseg_decision_tree({customers}, {columns}, 2)",
        text,
    )
    for customers, columns, text in (
        (
            "null",
            ONE_COLUMN,
            "segments must hold a customer of the features, got none [no-rows]",
        ),
        (
            "[{'numbers': [1.0], 'segment': null}]",
            ONE_COLUMN,
            "segments must not be NULL, got 1 NULL values [null-value]",
        ),
        (
            "[{'numbers': ['nan'::double], 'segment': 0}]",
            ONE_COLUMN,
            "features must be finite or NULL, got nan [not-finite]",
        ),
        (
            "[{'numbers': ['inf'::double], 'segment': 0}]",
            ONE_COLUMN,
            "features must be finite, got inf [not-finite]",
        ),
        (
            "[{'numbers': []::double[], 'segment': 0}]",
            "[]",
            "features must have at least one row and one value, got 1 x 0 [no-rows]",
        ),
        (
            "[{'numbers': [1.0], 'segment': 0}]",
            "[]",
            "columns must be one per feature, got 0 for 1 features [vector-length]",
        ),
    )
] + [
    Refused(f"from custseg.decision_tree('features', {options})", text, given=given)
    for options, text, given in (
        ("'segments', max_depth := 11", "max_depth must be between 1 and 10, got 11 [option]", ""),
        (
            "'segments_twice'",
            "features and segments must hold each customer once, got 1 rows too many "
            "[repeated-rows]",
            "",
        ),
        (
            "'strangers'",
            "segments must hold customers of the features, got 0 of them [no-rows]",
            "create temp view strangers as select 999 as customer_id, 1 as segment",
        ),
        (
            "'halves'",
            "segments must be whole numbers, got 2.5 [value]",
            "create temp view halves as select customer_id, segment + 0.5 as segment from segments",
        ),
    )
]

NO_MODEL = "(select model from models where false)"

VECTORS = [
    Refused(
        "from custseg.apply_transform('large', [{'name': 'spend', 'department': null, 'transform': "
        "'identity', 'fill': 0.0, 'unit': 1.0, 'center': 0.0, 'scale': 1e-200, 'weight': 1.0}])",
        "features must be finite and within 1e100, got 1e+200 [not-finite]",
        given="create temp view large as select 1 as customer_id, 1e200 as spend",
    ),
    *(
        Refused(
            f"select custseg.{function}({model}, [1.0]) from mixture",
            "model must be a fitted model, got NULL or no segments [null-value]",
            given=MIXTURE,
        )
        for function in ("distances", "log_densities", "probabilities")
        for model in (NO_MODEL, "struct_update(model, components := model.components[:0])")
    ),
    *(
        Refused(
            f"select custseg.{function}(model, {NO_NUMBERS}) from mixture",
            "features must be finite numbers and model a fitted model, got [nan] [not-finite]",
            given=MIXTURE,
        )
        for function in ("distances", "log_densities")
    ),
    Refused(
        "select custseg.match_segments("
        "struct_update(model, components := model.components[:0]), model) from models",
        "model must be a fitted model, got one without finite numbers of equal lengths "
        "[model-damaged]",
    ),
]

REFUSED = [*FITS, *SWEEPS, *SCORES, *STORED, *TREES, *VECTORS]
