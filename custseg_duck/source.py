"""The user's tables as the pipeline expects them: views in canonical columns."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from custseg_duck import catalog
from custseg_duck.errors import InputError, MissingColumnError
from custseg_duck.layouts import COLUMNS, REFERRING, Layout, Part, recognise
from custseg_duck.relations import SOURCE_OBJECT, read, relation_of, tables_of
from custseg_duck.statements import folded, purchase_views, quote_name, quote_text
from custseg_duck.stopping import surely
from custseg_duck.udfs import model

logger = logging.getLogger(__name__)

SOURCE_VIEW = "custseg_run_source"
FEATURES_VIEW = "custseg_run_features"
# The user's tables by their role, in canonical columns, and what sql/layouts makes of them
ROLE_VIEWS = {role: f"custseg_source_{role}" for role in COLUMNS}
LAYOUT_VIEWS = ("priced_lines", "order_lines", "named_lines")
MODEL_TABLE = "custseg_run_model"


def attach(
    con: duckdb.DuckDBPyConnection,
    source: object,
    columns: Mapping[str, str],
    time_zone: str | None = None,
) -> tuple[str, list[str]]:
    """Put ``source`` before the pipeline as a temporary view in the canonical columns.

    Parameters
    ----------
    source : str, Path, mapping or object
        Name of a table or view, a Parquet or CSV path (globs allowed), or an Arrow table,
        pandas or Polars data frame, or DuckDB relation. Or several of them: a mapping of table
        name to one of these, or a folder of Parquet and CSV files.
    columns : mapping
        Canonical column name to the source's.
    time_zone : str, optional
        The shop's zone, if its times are in UTC.

    Returns
    -------
    description : str
        What the source is, and what was recognised in it, in words.
    columns : list of str
        The canonical columns that it has.

    Raises
    ------
    InputError
        If the source is none of these or is not there, or its layout is not clear.
    MissingColumnError
        If required or mapped columns are missing; all of them are named.
    """
    tables, description = tables_of(con, source)
    layout = recognise(tables, columns)
    relation, chosen = _order_lines(con, layout, time_zone)
    con.execute(
        f"create temp view {SOURCE_VIEW} as "
        f"select {_projection(chosen, layout.columns)} from {relation}"
    )
    if layout.explanation:
        description = f"{description}: {layout.explanation}" if description else layout.explanation
        logger.info("%s", description)
    return description, layout.columns


def require_time_zone(con: duckdb.DuckDBPyConnection, time_zone: str | None) -> None:
    """Refuse a time zone that DuckDB does not know.

    Raises
    ------
    InputError
        That says so.
    """
    if time_zone is None:
        return
    try:
        con.execute(
            "select timezone($zone, timestamp '2024-01-01')", {"zone": time_zone}
        ).fetchall()
    except duckdb.Error as error:
        raise InputError(
            f"time_zone must be one that is known, got {time_zone!r} [option]"
        ) from error


def attach_features(
    con: duckdb.DuckDBPyConnection, features: object, columns: Mapping[str, str]
) -> str:
    """Put customers' own features before the pipeline, as a temporary view; what it is in words.

    Raises
    ------
    InputError
        If it is no relation with one row per customer_id, or that column's name in ``columns``.
    """
    table = read(con, features, option="features")
    by_folded = {folded(column): column for column in table.columns}
    wanted = (columns.get("customer_id") or "customer_id", "customer_id")
    customer_id = next((by_folded[folded(n)] for n in wanted if folded(n) in by_folded), None)
    if customer_id is None:
        raise MissingColumnError(f"features {table.label}", ["customer_id"], list(table.columns))
    theirs = quote_name(customer_id)
    others = "" if len(table.columns) == 1 else f", * exclude ({theirs})"
    con.execute(
        f"create temp view {FEATURES_VIEW} as select {theirs} as customer_id{others} "
        f"from {table.relation}"
    )
    ((n_rows, n_ids),) = con.execute(
        f"select count(*), count(distinct customer_id) from temp.main.{FEATURES_VIEW}"
    ).fetchall()
    if not n_rows or n_ids < n_rows:
        raise InputError(
            f"features must have one row for each {customer_id} and none without, "
            f"got {n_rows} rows for {n_ids} of them in {table.label} [repeated-rows]"
        )
    return table.label


def attach_purchases(con: duckdb.DuckDBPyConnection, source: object, item: str) -> None:
    """Make the views ``custseg_run_lines`` and ``custseg_run_purchased_items`` of any relation.

    Raises
    ------
    MissingColumnError
        If it has no ``order_id`` or no column called ``item``.
    """
    relation, description = relation_of(con, source)
    found = [name for name, *_ in con.execute(f"describe from {relation}").fetchall()]
    present = {folded(name) for name in found}
    missing = [name for name in ("order_id", item) if folded(name) not in present]
    if missing:
        raise MissingColumnError(description, missing, found)
    for statement in purchase_views(relation, item):
        con.execute(statement)


def attach_nothing(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Put no order lines before the pipeline; the columns that they would have."""
    names = COLUMNS["lines"][:3]
    con.execute(
        f"create temp view {SOURCE_VIEW} as "
        f"select {', '.join(f'null::integer as {name}' for name in names)} where false"
    )
    return list(names)


def attach_model(con: duckdb.DuckDBPyConnection, name: str, fitted: dict[str, Any]) -> None:
    """Put a fitted model before the pipeline, as a temporary table of ``name`` and ``model``."""
    con.execute(
        f"create temp table {MODEL_TABLE} as "
        f"select $name as name, cast($model as {model.MODEL_SQL}) as model",
        {"name": name, "model": fitted},
    )


def detach(con: duckdb.DuckDBPyConnection) -> None:
    """Forget the source, the features and the model."""
    layout_views = (f"custseg_source_{name}" for name in LAYOUT_VIEWS)
    views = (SOURCE_VIEW, FEATURES_VIEW, *ROLE_VIEWS.values(), *layout_views)
    objects = surely(
        con,
        *(f"drop view if exists temp.main.{view}" for view in views),
        f"drop table if exists temp.main.{MODEL_TABLE}",
        "select view_name from duckdb_views() "
        f"where database_name = 'temp' and starts_with(view_name, '{SOURCE_OBJECT}')",
    )
    for (name,) in objects:
        con.unregister(name)


def _order_lines(
    con: duckdb.DuckDBPyConnection, layout: Layout, time_zone: str | None
) -> tuple[str, dict[str, str]]:
    """What reads the order lines of a layout, and the column for each canonical one."""
    first = layout.lines[0]
    if layout.is_plain:
        return first.table.relation, first.chosen
    zone = "null" if time_zone is None else quote_text(time_zone)
    _create_role(con, "lines", layout.lines, f", {zone} as time_zone")
    for role, part in layout.joined.items():
        _create_role(con, role, [part])
    for role in layout.joined:
        _require_joinable(con, role, layout)
    con.execute(catalog.statement("layouts/invoices"))
    con.execute(catalog.statement(f"layouts/{layout.order}"))
    made = "order_lines"
    if "products" in layout.joined:
        for role in {"departments", "categories"} - set(layout.joined):
            _create_role(con, role, [])
        con.execute(catalog.statement("layouts/products"))
        made = "named_lines"
    return f"temp.main.custseg_source_{made}", {ours: ours for ours in layout.columns}


def _create_role(
    con: duckdb.DuckDBPyConnection, role: str, parts: Iterable[Part], more: str = ""
) -> None:
    """The tables of one role in canonical columns: what they lack is NULL; no table, no rows."""
    columns = COLUMNS[role]
    selects = [
        f"select {_projection(part.for_layouts, columns)}{more} from {part.table.relation}"
        for part in parts
    ] or [f"select {_projection({}, columns)} where false"]
    con.execute(f"create temp view {ROLE_VIEWS[role]} as {' union all '.join(selects)}")


def _projection(chosen: Mapping[str, str], columns: Iterable[str]) -> str:
    return ", ".join(
        f"{quote_name(chosen[ours]) if ours in chosen else 'null'} as {quote_name(ours)}"
        for ours in columns
    )


def _require_joinable(con: duckdb.DuckDBPyConnection, role: str, layout: Layout) -> None:
    """A join must not multiply lines, nor fail because its key is text on one side alone.

    Raises
    ------
    InputError
        If it would.
    """
    key = COLUMNS[role][0]
    part, other = layout.joined[role], layout.joined.get(REFERRING[role], layout.lines[0])
    kind, other_kind = (side.table.columns[side.chosen[key]] for side in (part, other))
    if (kind == "VARCHAR") != (other_kind == "VARCHAR"):
        raise InputError(
            f"{part.table.name}.{part.chosen[key]} must be of the type of "
            f"{other.table.name}.{other.chosen[key]} to be joined on it, "
            f"got {kind} against {other_kind} [join]"
        )
    column = quote_name(key)
    ((n_repeated, example),) = con.execute(
        f"select count(*), min(repeated)::varchar from (select {column} as repeated "
        f"from temp.main.{ROLE_VIEWS[role]} where {column} is not null "
        f"group by {column} having count(*) > 1)"
    ).fetchall()
    if n_repeated:
        raise InputError(
            f"{part.table.name} must have each {part.chosen[key]} once to be joined on it, got "
            f"{n_repeated} of them more than once, such as {example} [join]"
        )
