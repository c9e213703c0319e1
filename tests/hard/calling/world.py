"""The relations that calls read: good ones, and the same with one thing wrong.

A bad relation's name says how it is made, so that a call can be made again from its text alone.
"""

import contextlib
import math
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

import custseg_duck
from custseg_duck import catalog, documentation
from custseg_duck.statements import quote_name

ODD_TEXTS = (
    "", " ", "'", '"', "''; drop table lines; --", "{}", "{0} {x}", "%s", "a\nb", "NULL", "nan",
    "\N{SNOWMAN}\N{PILE OF POO}", "\u202eabc", "e\u0301", "\x01\x7f", "\\0", "x" * 5000, "custseg",
    "default", "0", "-1", "1e400", "[1, 2]", "2024-01-01", "infinity", "product_id",
)  # fmt: skip
ODD_NUMBERS = (
    math.nan, math.inf, -math.inf, -0.0, 0.0, 1e308, -1e308, 5e-324, 1e-200, 1e100, 1e101, -1.0,
    0.5, 2.0, 1e15, 2.0**53 + 2, 2.0**63, 1e18,
)  # fmt: skip
ODD_INTEGERS = (0, -1, 1, 2, 7, 2**31 - 1, -(2**31), 2**31, 2**53, 2**63 - 1, -(2**63), 10**6)

# What is good to give for a relation of this name. A parameter that is none of these and no
# option is given any relation.
RELATIONS: dict[str, tuple[str, ...]] = {
    "lines": ("lines", "plain_lines", "undated_lines"),
    "customers": ("features",),
    "features": ("features", "own_features"),
    "segments": ("segments", "labelled"),
    "vectors": ("vectors",),
    "models": ("models", "one_model"),
    "itemsets": ("itemsets", "item_level_sets"),
    "rules": ("rules", "level_rules"),
    "cut_points": ("cut_points",),
    "names": ("names",),
    "rfm_segments": ("rfm_segments",),
    "relation": ("lines", "features", "models", "itemsets"),
    "hierarchy": ("hierarchy",),
    "item_levels": ("item_levels",),
    "centroids": ("centroids",),
    "summary": ("summary",),
    "segments_before": ("segments", "labelled"),
    "segments_after": ("later_segments", "segments"),
    "tree": ("tree",),
    "histograms": ("histograms",),
    "features_before": ("features", "own_features"),
    "features_after": ("later_features", "features"),
    "attributes": ("attributes", "features"),
    "labels": ("labels",),
    "segments_with_distance": ("silhouettes",),
}

# Each made after those before it
GOOD: dict[str, str] = {
    "lines": """
        select
            customer as customer_id,
            customer * 100 + visit as order_id,
            (hash(customer, visit, line) % 9)::integer as product_id,
            timestamp '2024-01-01 09:00' + interval (visit * (1 + customer % 3) * 5) day
                + interval (hash(customer, visit) % 10) hour as ordered_at,
            (1 + hash(visit, line) % 3)::integer as quantity,
            (5 + customer % 3 * 20 + line)::decimal(10, 2) as amount,
            'department ' || (hash(customer, visit, line) % 9 // 3) as department,
            'category ' || (hash(customer, visit, line) % 9 // 2) as category,
            'product ' || (hash(customer, visit, line) % 9) as product_name,
        from range(24) as customers (customer)
        cross join range(4) as visits (visit)
        cross join range(3) as lines (line)
    """,
    "plain_lines": "select customer_id::varchar as customer_id, order_id, product_name as "
    "product_id from lines",
    "undated_lines": "select * exclude (ordered_at), (order_id % 100)::integer as order_number, "
    "7.0::double as days_since_prior_order from lines",
    "later_lines": "select * replace (customer_id + 6 as customer_id, amount * 2 as amount) "
    "from lines",
    "features": "from custseg.customer_features('lines')",
    "later_features": "from custseg.customer_features('later_lines')",
    "own_features": "select customer_id, frequency as n, monetary::double as spend, recency_days "
    "> 9 as is_late, rfm_label from features",
    "vectors": "from custseg.feature_vectors('features')",
    "models": "from custseg.models",
    "one_model": "select 'mine' as name, custseg.kmeans_fit(features, k := 3, transform := "
    "transform) as model from vectors",
    "plain_models": "select custseg.kmeans_fit(features, k := 2) as model from vectors union all "
    "select custseg.gmm_fit(features, k := 2) from vectors",
    "mixtures": "select custseg.gmm_fit(features, k := 2, covariance_type := 'diag') as model "
    "from vectors",
    "segments": "select customer_id, segment from custseg.segments where run_name = 'default'",
    "labelled": "select customer_id, segment, label, run_name from custseg.labelled_segments "
    "where run_name = 'default'",
    "later_segments": "select customer_id + 6 as customer_id, (segment + 1) % 3 as segment "
    "from segments",
    "labels": "from custseg.segment_labels",
    "itemsets": "from custseg.frequent_itemsets('lines', min_support := 0.03)",
    "rules": "from custseg.association_rules('itemsets', min_confidence := 0)",
    "cut_points": "from custseg.rfm_cut_points('features')",
    "names": "from custseg.rfm_names()",
    "rfm_segments": "from custseg.rfm_segments('features', 'cut_points', 'names')",
    "hierarchy": "select distinct product_id, category, department from lines",
    "item_levels": "from custseg.item_levels('lines')",
    "item_level_sets": "select i.* from custseg.frequent_itemsets('item_levels', min_support := "
    "0.1, max_length := 2, item := 'item') as i",
    "level_rules": "from custseg.level_rules('lines', min_support := 0.1, min_confidence := 0)",
    "centroids": "from custseg.centroids('models') where run_name = 'default'",
    "summary": "from custseg.segment_summary('features', 'segments')",
    "tree": "from custseg.decision_tree('features', 'segments')",
    "histograms": "from custseg.feature_histograms('features')",
    "attributes": "select customer_id, (customer_id % 4)::integer as n, 'town ' || (customer_id "
    "% 3) as town, customer_id % 2 = 0 as is_member, date '2024-01-01' + (customer_id "
    "% 5)::integer as born from segments",
    "silhouettes": "from custseg.silhouettes('vectors', 'segments')",
    "matches": "select custseg.match_segments(model, model) as matches from one_model",
    "all_types": "select row_number() over () as customer_id, row_number() over () as order_id, "
    "* from test_all_types()",
    "no_rows": "from lines where false",
}

# What runs left, for the parameters that have it as their default
LEFT_BY_RUNS = re.compile(r"'custseg\.(\w+)'$")


def copy_of(table: str) -> str:
    """What the copy of a table or view of runs is called."""
    return f"run_{table}"


for _path in catalog.MACROS:
    for _default in documentation.header(_path).optional.values():
        if _found := LEFT_BY_RUNS.match(_default):
            GOOD[copy_of(_found[1])] = f"from custseg.{_found[1]}"

# Ways to spoil a relation: of all its columns, of one column, and of one value
OF_ALL = ("none", "one", "twice", "nulls", "wide", "odd_names", "shouting")
OF_COLUMN = ("without", "text", "null", "typed_null", "list", "blob", "huge", "double", "number",
             "constant", "renamed", "moment", "json")  # fmt: skip
OF_VALUE = ("cell",)


def build(path: Path) -> None:
    """Write a database with all good relations and two runs."""
    with custseg_duck.connect(path, threads=1) as con:
        con.execute(f"create table lines as {GOOD['lines']}")
        custseg_duck.run("lines", con=con, k=3, min_support=0.05, min_confidence=0,
                         n_recommendations=2)  # fmt: skip
        custseg_duck.run("lines", con=con, name="mixture", algorithm="gmm", k=2,
                         covariance_type="diag", decision_rules=False, segment_rules=False,
                         n_recommendations=0)  # fmt: skip
        for name, query in GOOD.items():
            con.execute(f"create table if not exists {name} as {query}")
        con.execute("checkpoint")


def spoiled_name(base: str, kind: str, number: int) -> str:
    """What a spoiled relation is called."""
    return f"{base}__{kind}__{number}"


def make(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Make the relation that a name says, if it is one of ours and not there yet."""
    base, _, rest = name.partition("__")
    kind, _, number = rest.partition("__")
    if base not in GOOD or not number.isdigit():
        return False
    if con.execute("select 1 from duckdb_tables() where table_name = ?", [name]).fetchall():
        return True
    columns = {
        column: kind_of for column, kind_of, *_ in con.execute(f"describe {base}").fetchall()
    }
    if kind in OF_VALUE:
        _with_odd_value(con, name, base, columns)
    else:
        column = list(columns)[int(number) % len(columns)]
        con.execute(f"create table {name} as {_spoiled(base, kind, column, columns)}")
    return True


def _spoiled(base: str, kind: str, column: str, columns: Mapping[str, str]) -> str:
    quoted = quote_name(column)
    upper = ", ".join(f"{quote_name(one)} as {quote_name(one.upper())}" for one in columns)
    others = ", ".join(quote_name(one) for one in columns if one != column)
    replaced = {
        "text": f"{quoted}::varchar",
        "null": "null",
        "typed_null": f"null::{columns[column]}",
        "list": f"[{quoted}]",
        "blob": f"encode({quoted}::varchar)",
        "huge": f"hash({quoted})::hugeint * 9223372036854775807",
        "double": "hash(rowid) / 7.0",
        "number": "rowid::integer",
        "constant": f"(select min({quoted}) from {base})",
        "moment": "timestamptz '2024-01-01' + interval (rowid) day",
        "json": f"to_json({quoted})",
    }
    queries = {
        "none": f"from {base} where false",
        "one": f"from {base} limit 1",
        "twice": f"from {base} union all from {base}",
        "nulls": f"select nullif(columns(*), columns(*)) from {base}",
        "wide": f"select *, {', '.join(f'{i} as extra_{i}' for i in range(40))} from {base}",
        "odd_names": f'select *, 1 as "a\'b", 2 as "a""b", 3 as "{{}}", 4 as segment_of, '
        f'5 as "\N{SNOWMAN}", 6 as step, 7 as pair, 8 as component, 9 as x from {base}',
        "shouting": f"select {upper} from {base}",
        "without": f"select {others or '1 as x'} from {base}",
        "renamed": f"select * rename ({quoted} as other_name) from {base}",
    }
    return queries.get(kind) or f"select * replace ({replaced[kind]} as {quoted}) from {base}"


def _with_odd_value(
    con: duckdb.DuckDBPyConnection, name: str, base: str, columns: Mapping[str, str]
) -> None:
    """The same rows but for a value somewhere, perhaps deep in a list or a struct."""
    rng = random.Random(name)
    kinds = list(columns.values())
    column = rng.randrange(len(kinds))
    if rng.random() < 0.7 and "STRUCT" in "".join(kinds):  # most of what there is to spoil
        column = rng.choice([i for i, kind in enumerate(kinds) if "STRUCT" in kind])
    con.execute(f"create table {name} as from {base}")
    good_rows = con.execute(f"select rowid, * from {name} order by all").fetchall()
    n_odd = min(len(good_rows), rng.choice((1, 1, 1, 3, 20)))
    places = ", ".join(f"cast(${i + 1} as {kind})" for i, kind in enumerate(kinds))
    for rowid, *good in rng.sample(good_rows, n_odd):
        con.execute(f"delete from {name} where rowid = {rowid}")
        # a value that its type does not have becomes NULL; a row that Python cannot give back
        # is left out
        for value in (odd(rng, good[column]), None):
            with contextlib.suppress(duckdb.Error):
                con.execute(
                    f"insert into {name} values ({places})",
                    [*good[:column], value, *good[column + 1 :]],
                )
                break


def odd(rng: random.Random, value: Any) -> Any:
    """The value with something in it replaced, left out or put in."""
    if isinstance(value, dict) and value and rng.random() < 0.95:
        key = rng.choice(list(value))
        return value | {key: odd(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        kind = rng.choice(("value", "value", "value", "cut", "more", "twice", "null"))
        if kind == "cut":
            return value[:place]
        if kind == "more":
            return [*value, value[place]]
        if kind == "twice":
            return value + value
        inner = None if kind == "null" else odd(rng, value[place])
        return [*value[:place], inner, *value[place + 1 :]]
    return _odd_scalar(rng, value)


def _odd_scalar(rng: random.Random, value: Any) -> Any:
    if value is None:
        return rng.choice((1, 0.5, "x", [], [1.0]))
    of_the_type: dict[type, tuple[Any, ...]] = {
        bool: (not value,),
        int: ODD_INTEGERS,
        float: ODD_NUMBERS,
        str: ODD_TEXTS,
        list: ([],),
    }
    return None if rng.random() < 0.15 else rng.choice(of_the_type.get(type(value), (None,)))
