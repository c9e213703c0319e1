"""What is wrong with questions about segments."""

from tests.error_texts.calls import Refused

SPENT_INFINITELY = (
    "create temp view spent as select customer_id, "
    "if(customer_id = 7, 'inf'::double, -customer_id) as spend from features"
)

CROSSTABS = [
    Refused(
        "from custseg.segment_crosstab('segments', 'features', n_bins := 1)",
        "n_bins must be a whole number of at least 2, got 1 [option]",
    ),
    Refused(
        "from custseg.segment_association('segments', 'features', max_values := 2.5)",
        "max_values must be a whole number of at least 2, got 2.5 [option]",
    ),
    Refused(
        "from custseg.segment_crosstab('segments', 'ids')",
        "attributes must have a column beside customer_id, got none [missing-column]",
        given="create temp view ids as select customer_id from features",
    ),
    Refused(
        "from custseg.segment_crosstab('segments_twice', 'features')",
        "segments and attributes must hold each customer once, got 1 rows too many [repeated-rows]",
    ),
    Refused(
        "select custseg.chi_square_tail(3.8, 0)",
        "degrees must be a whole number of at least 1, got 0.0 [option]",
    ),
]

HISTOGRAMS = [
    Refused(
        "from custseg.feature_histograms('features', n_bins := 1)",
        "n_bins must be a whole number between 2 and 100, got 1 [option]",
    ),
    Refused(
        "from custseg.feature_histograms('spent')",
        "features must be finite and within 1e100, got spend from -59.0 to inf [not-finite]",
        given=SPENT_INFINITELY,
    ),
    Refused(
        "from custseg.feature_drift('before', 'spent')",
        "features must be finite and within 1e100, got spend from -59.0 to inf [not-finite]",
        given=f"{SPENT_INFINITELY}; create temp view before as select customer_id, "
        "customer_id::double as spend from features",
    ),
]

METRICS = [
    Refused(
        "from custseg.segment_profiles('spent', 'segments')",
        "features must be finite and within 1e100, got inf [not-finite]",
        given=SPENT_INFINITELY,
    ),
    Refused(
        "from custseg.exact_silhouettes('vectors', 'segments', sample_size := 0)",
        "sample_size must be at least 1, got 0 [option]",
    ),
    Refused(
        "from custseg.cluster_metrics('vectors', 'segments_twice')",
        "vectors and segments must hold each customer once, got 1 rows too many [repeated-rows]",
    ),
    Refused(
        "from custseg.silhouettes('changed', 'segments')",
        "features must have one length, got [1, 2] [vector-length]",
        given="create temp view changed as "
        "select customer_id, features[:1 + customer_id % 2] as features from vectors",
    ),
    Refused(
        "from custseg.cluster_metrics('changed', 'segments')",
        "features must hold numbers, finite and within 1e100, got [nan] [not-finite]",
        given="create temp view changed as "
        "select customer_id, ['nan'::double] as features from vectors",
    ),
    Refused(
        "from custseg.outliers('segments', contamination := 0.6)",
        "contamination must be in [0, 0.5], got 0.6 [option]",
    ),
    Refused(
        "from custseg.outliers('segments_twice')",
        "segments_with_distance must hold each customer once, got 1 rows too many [repeated-rows]",
    ),
    Refused(
        "from custseg.outliers('changed')",
        "distance must be finite, got inf [not-finite]",
        given="create temp view changed as "
        "select * replace ('inf'::double as distance) from segments",
    ),
]

WHO = [
    Refused(
        "from custseg.segment_preferences('order_lines', 'segments', n := 0)",
        "n must be at least 1, got 0 [option]",
    ),
    Refused(
        "from custseg.segment_preferences('order_lines', 'segments_twice')",
        "segments must hold each customer once, got 7 more than once [repeated-rows]",
    ),
    Refused(
        "from custseg.segment_migration('segments_twice', 'segments')",
        "segments_before must hold each customer once, got 7 more than once [repeated-rows]",
    ),
    Refused(
        "from custseg.segment_migration('segments', 'segments_twice')",
        "segments_after must hold each customer once, got 7 more than once [repeated-rows]",
    ),
    Refused(
        "from custseg.suggested_labels('custseg.centroids', n := 0)",
        "n must be at least 1, got 0 [option]",
    ),
    Refused(
        "from custseg.target_list(['nobody'])",
        "wanted must be labels or numbers of segments of the run, got [nobody] [option]",
    ),
]

REFUSED = [*CROSSTABS, *HISTOGRAMS, *METRICS, *WHO]
