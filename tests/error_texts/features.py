"""What is wrong with features, their vectors, and RFM segments."""

import pyarrow as pa

from tests.error_texts.calls import Refused, run

STEP = "'transform': NULL, 'fill': 0, 'unit': 1, 'center': 0, 'scale': 1, 'weight': 1"


def names_after(change: str) -> str:
    """The names of RFM segments as the table names, after somebody has edited them."""
    return (
        "create temp table names as select * replace (priority::double as priority) "
        f"from custseg.rfm_names(); {change}"
    )


def cut_points(*rows: str) -> str:
    """Cut points as the view cuts."""
    return (
        f"create temp view cuts as from (values {', '.join(rows)}) "
        "as written (measure, score, at_least, at_most)"
    )


def features_with(columns: str) -> str:
    """The features after a change, as the view changed."""
    return f"create temp view changed as select {columns} from features"


NAMES = [
    Refused("from custseg.rfm_cells('names')", text, given=names_after(change))
    for change, text in (
        (
            "update names set priority = null where rfm_segment = 'new'",
            "priority must not be NULL, got NULL for new [rfm-table]",
        ),
        (
            "update names set priority = 1.5 where rfm_segment = 'new'",
            "priority must be a whole number, got 1.5 [rfm-table]",
        ),
        (
            "update names set priority = 10 where rfm_segment = 'new'",
            "names must have each priority once, got 10 for 2 of them [rfm-table]",
        ),
        (
            "update names set rfm_segment = null where priority = 40",
            "rfm_segment must not be NULL, got NULL at priority 40 [rfm-table]",
        ),
        (
            "update names set r_min = 0 where rfm_segment = 'new'",
            "scores must be whole numbers from 1 to 9, got [0.0, 1.0, NULL] to [5.0, 1.0, NULL] "
            "for new [rfm-table]",
        ),
        (
            "update names set r_max = 1 where rfm_segment = 'new'",
            "the least score must not be above the most, got [5.0, 1.0, NULL] to [1.0, 1.0, NULL] "
            "for new [rfm-table]",
        ),
        (
            "update names set priority = 1 where rfm_segment = 'other'",
            "the catch-all must have the highest priority number, got 1 for other [rfm-table]",
        ),
        (
            "delete from names where rfm_segment = 'other'",
            "names must have a catch-all (all scores NULL), got none in 10 rows [rfm-table]",
        ),
    )
]

CUT_POINTS = [
    Refused("from custseg.rfm_scores('features', 'cuts')", text, given=cut_points(*rows))
    for rows, text in (
        (
            ["('spend', 1, null, null)"],
            "measure must be recency, frequency or monetary, got spend [rfm-table]",
        ),
        (
            ["('monetary', 10, null, null)"],
            "a score of monetary must be a whole number from 1 to 9, got 10.0 [rfm-table]",
        ),
        (
            ["('monetary', 1, null, 'inf'::double)"],
            "cut points of monetary must be finite or NULL, got NULL to inf [rfm-table]",
        ),
        (
            ["('monetary', 1, 20, 10)"],
            "at_least must be below at_most, got 20.0 to 10.0 in monetary [rfm-table]",
        ),
        (
            ["('monetary', 1, 20, null)"],
            "cut points of monetary must cover all values, got none below 20.0 [rfm-table]",
        ),
        (
            ["('monetary', 1, null, 20)", "('monetary', 2, 10, null)"],
            "cut points of monetary must not overlap, got two at 10.0 [rfm-table]",
        ),
        (
            ["('monetary', 1, null, null)", "('monetary', 2, null, null)"],
            "cut points of monetary must not overlap, got two without at_least [rfm-table]",
        ),
        (
            ["('monetary', 1, null, 10)", "('monetary', 2, 20, null)"],
            "cut points of monetary must have no gap, got one from 10.0 to 20.0 [rfm-table]",
        ),
        (
            ["('monetary', 1, null, 20)"],
            "cut points of monetary must cover all values, got none above 20.0 [rfm-table]",
        ),
        (
            ["('monetary', 2, null, 10)", "('monetary', 1, 10, null)"],
            "scores of monetary must rise as its values grow, got 2 before 1 [rfm-table]",
        ),
        (
            ["('recency', 1, null, 10)", "('recency', 2, 10, null)"],
            "scores of recency must fall as its values grow, got 1 before 2 [rfm-table]",
        ),
    )
]

RFM = [
    Refused(
        "from custseg.rfm('order_lines', n_bins := 12)",
        "n_bins must be a whole number from 2 to 9, got 12 [option]",
    ),
    Refused(
        "from custseg.rfm_cut_points('features', n_bins := 2.5)",
        "n_bins must be a whole number from 2 to 9, got 2.5 [option]",
    ),
    Refused(
        "from custseg.rfm_names(n_bins := 1)",
        "n_bins must be a whole number from 2 to 9, got 1 [option]",
    ),
    *(
        Refused("from custseg.rfm_cut_points('changed')", text, given=features_with(columns))
        for columns, text in (
            (
                "* replace (nullif(customer_id, 7) as customer_id)",
                "customer_id must not be NULL, got NULL in 1 rows [null-value]",
            ),
            (
                "* replace (greatest(customer_id, 1) as customer_id)",
                "customers must hold each customer once, got 1 rows too many [repeated-rows]",
            ),
            (
                "* replace ('inf'::double as recency_days)",
                "recency_days must be finite, got inf [not-finite]",
            ),
            (
                "* replace ('nan'::double as frequency)",
                "frequency must be finite, got nan [not-finite]",
            ),
            (
                "* replace ('-inf'::double as monetary)",
                "monetary must be finite, got -inf [not-finite]",
            ),
        )
    ),
]

TRANSFORMS = [
    Refused(
        "from custseg.feature_transform('features', exclude := ['age'])",
        "exclude must name columns of the features, got [age] [option]",
    ),
    Refused(
        "from custseg.feature_transform('features', include := ['age'])",
        "include must name numeric columns of the features, got [age] [option]",
    ),
    Refused(
        "from custseg.feature_transform('features', weights := map {'monetary': 0})",
        "weights must map numeric columns of the features to numbers above 0, got {monetary=0} "
        "[option]",
    ),
    Refused(
        "from custseg.feature_transform('features', weights := map {'monetary': 'much'})",
        "weights must map numeric columns of the features to numbers above 0, got {monetary=much} "
        "[option]",
    ),
    Refused(
        "from custseg.feature_transform('features', weights := 2)",
        "weights must map numeric columns of the features to numbers above 0, got 2 [option]",
    ),
    Refused(
        "from custseg.feature_transform('features', transforms := map {'monetary': 'square'})",
        "transforms must map numeric columns of the features to log or identity, got "
        "{monetary=square} [option]",
    ),
    Refused(
        "from custseg.feature_transform('changed')",
        "features must be finite and within 1e100, got spend from -59.0 to inf [not-finite]",
        given=features_with(
            "customer_id, if(customer_id = 7, 'inf'::double, -customer_id) as spend"
        ),
    ),
    Refused(
        "from custseg.feature_transform('changed')",
        "features must have a column with values, got 0 of them [no-rows]",
        given=features_with("customer_id, null::double as spend"),
    ),
    Refused(
        "from custseg.apply_transform('features', "
        f"[{{'name': 'share', 'department': 'tea', {STEP}}}, "
        f"{{'name': 'spend', 'department': null, {STEP}}}])",
        "transform must be a list with columns first, then departments, got [{'name': share, "
        f"'department': tea, {STEP}}}, {{'name': spend, 'department': NULL, {STEP}}}] [transform]",
    ),
    Refused(
        "from custseg.apply_transform('changed', (select model.features[:1] from models))",
        "features must have all columns of the transform, as numbers; got {recency_days=VARCHAR} "
        "[missing-column]",
        given=features_with("customer_id, recency_days::varchar as recency_days"),
    ),
]

OWN = [
    Refused(
        run(None, features="order_line"),
        "features must be a table or view that exists, got 'order_line'; there are features, "
        "itemsets, models, order_lines, refusing, segments, segments_twice, vectors [no-source]",
    ),
    Refused(
        run(None, features=pa.table({"customer_id": [1, 1], "spend": [1, 2]})),
        "features must have one row for each customer_id and none without, got 2 rows for 1 of "
        "them in pyarrow.lib.Table [repeated-rows]",
    ),
    Refused(
        run(None, features=pa.table({"age": [1]})),
        "features pyarrow.lib.Table must have the columns customer_id, got age. Columns of other "
        "names can be mapped: columns={'customer_id': 'your_column'} (--map "
        "customer_id=your_column) [missing-column]",
    ),
]

REFUSED = [*NAMES, *CUT_POINTS, *RFM, *TRANSFORMS, *OWN]
