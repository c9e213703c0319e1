"""Frequent itemsets by a short sequence of statements, with the rows that the macro gives.

Each step is a macro that ``custseg.frequent_itemsets`` also calls. Here each leaves a temporary
table. DuckDB knows the range of a table's columns, and may then count orders, items and pairs in
an array instead of a hash table; how large an array is a setting, which a macro cannot change.
"""

import contextlib
import logging
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import duckdb

from custseg_duck.arguments import (
    require_bool,
    require_callable,
    require_connection,
    require_text,
)
from custseg_duck.errors import CustsegWarning, QueryError
from custseg_duck.loading import has_macros, load
from custseg_duck.options import check_mining, list_option
from custseg_duck.source import attach_purchases, detach
from custseg_duck.statements import (
    MINED,
    dropped,
    dropped_purchases,
    itemset_table,
    purchase_views,
    relation_of,
    setting,
    table_of,
)
from custseg_duck.steps import execute, written_out
from custseg_duck.stopping import alone, interruptible, surely
from custseg_duck.transactions import tidied

logger = logging.getLogger(__name__)

READ = ("item_lines", "item_names")  # beside the purchased items
COUNTED = ("mining_limits", "mined_items", "mined_rows", "itemset_plan", "pair_counts")
GROWN = (
    "frequent_pairs",
    "candidate_sets",
    "projected_pairs",
    "projected_rows",
    "numbered_orders",
    "pair_blocks",
    "frequent_candidates",
    "grown_sets",
    "itemsets",
)
STEPS = (*COUNTED, *GROWN)

# as the macro has them
MAX_PAIRS = 10_000_000_000
MAX_CANDIDATES = 10_000_000

LARGE_BASKET = 1000

MOST_BITS = 24
BYTES_PER_SLOT = 16


def frequent_itemsets(
    source: object,
    *,
    con: duckdb.DuckDBPyConnection,
    into: str = "itemsets",
    temporary: bool = False,
    min_support: float | None = None,
    min_count: int | None = None,
    max_length: int | None = 3,
    item: str = "product_id",
    max_pairs: int = MAX_PAIRS,
    max_candidates: int = MAX_CANDIDATES,
    on_limit: str = "error",
    containing: Sequence[object] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> duckdb.DuckDBPyRelation:
    """Count what is bought together, and nothing else.

    The rows are those of ``custseg.frequent_itemsets``; large data take less time and memory.

    Parameters
    ----------
    source : str, path or table
        The order lines: a table or view by name, a Parquet or CSV path, or an Arrow, pandas or
        Polars table. Needs ``order_id`` and the column that ``item`` names.
    con : DuckDBPyConnection
        Where to work and to write.
    into : str
        Name of the table that is made, or replaced, in the current schema.
    temporary : bool
        Make it a temporary table instead: the database stays as it is.
    min_support, min_count, max_length, item, max_pairs, max_candidates, on_limit
        As in ``run``, but ``item`` may be any column.
    containing : sequence, optional
        Only sets that hold one of these items, and the parts of these sets.
    progress : callable, optional
        Called with step, its number and the number of steps, as each begins.

    Returns
    -------
    duckdb.DuckDBPyRelation
        The table.

    Raises
    ------
    InputError, MissingColumnError
        If an option or the source is not as above.
    QueryError
        If a statement fails. The table is as it was before.

    Warns
    -----
    CustsegWarning
        If longer sets were left uncounted.
    """
    require_connection(con)
    require_text("into", into)
    require_text("item", item)
    require_bool("temporary", temporary)
    require_callable("progress", progress)
    parameters = _parameters(
        item=item,
        min_support=min_support,
        min_count=min_count,
        max_length=max_length,
        max_pairs=max_pairs,
        max_candidates=max_candidates,
        on_limit=on_limit,
        containing=containing,
    )
    query, statement = itemset_table(into, temporary=temporary)
    if not has_macros(con):
        load(con)

    def report(step: str) -> None:
        if progress:
            progress(step, STEPS.index(step), len(STEPS))

    def tidy() -> None:
        surely(con, *dropped((*READ, *STEPS)), *dropped_purchases())
        detach(con)

    try:
        with interruptible(con, "itemsets"), alone(con), tidied(tidy):
            tidy()  # what may be left if one was interrupted again and again
            attach_purchases(con, source, item)
            for step in READ:
                execute(con, step, parameters)
            mine(con, parameters, report)
            notes = notes_on_itemsets(con)
            con.execute(statement)
    except duckdb.Error as error:
        raise QueryError("itemsets", "", error) from error
    for note in notes:
        warnings.warn(note, CustsegWarning, stacklevel=2)
    return con.sql(query)


def script(source: str, *, into: str = "itemsets", **options: Any) -> str:
    """What ``frequent_itemsets`` executes, to run in any DuckDB client that has the macros.

    Parameters
    ----------
    source : str
        The name of a table or view, or a Parquet or CSV path.
    into : str
        The table to make or replace, as SQL has its name.
    **options
        As in ``frequent_itemsets``.

    Raises
    ------
    InputError
        If ``into`` is no such name, or an option is not as in ``frequent_itemsets``.
    """
    parameters = _parameters(**({"item": "product_id"} | options))
    statements = [
        *purchase_views(relation_of(source), parameters["item"]),
        *(written_out(step, parameters) for step in READ),
        "-- Orders, items and pairs are counted in arrays of up to 2^this.\n"
        "set variable custseg_bits = current_setting('perfect_ht_threshold')",
        setting("perfect_ht_threshold", MOST_BITS),
        *(written_out(step, parameters) for step in COUNTED),
        "set perfect_ht_threshold = getvariable('custseg_bits')",
        *(written_out(step, parameters) for step in GROWN),
        table_of(into, MINED),
        *dropped((*STEPS, *READ)),
        *dropped_purchases(),
    ]
    return ";\n\n".join(statements) + ";\n"


def _parameters(**options: Any) -> dict[str, Any]:
    """The options, checked, as the steps take them."""
    defaults = {
        "min_support": None,
        "min_count": None,
        "max_length": 3,
        "max_pairs": MAX_PAIRS,
        "max_candidates": MAX_CANDIDATES,
        "on_limit": "error",
        "containing": None,
    }
    parameters = check_mining(defaults | options)
    parameters["containing"] = list_option(parameters, "containing")
    if parameters["min_support"] is None:
        parameters["min_support"] = 0.01
    return parameters | {"run_name": ""}


def mine(
    con: duckdb.DuckDBPyConnection,
    parameters: Mapping[str, Any],
    report: Callable[[str], None],
) -> None:
    """Make ``custseg_run_itemsets`` of ``custseg_run_purchased_items`` and of ``READ``.

    Parameters
    ----------
    parameters : mapping
        The options of ``custseg.frequent_itemsets`` and ``run_name``.
    report : callable
        Called with the name of each step as it begins.

    Raises
    ------
    InputError, QueryError
        See ``steps.execute``.
    """
    with counting_in_arrays(con):
        for step in COUNTED:
            report(step)
            execute(con, step, parameters)
    for step in GROWN:
        report(step)
        execute(con, step, parameters)


def notes_on_itemsets(con: duckdb.DuckDBPyConnection) -> list[str]:
    """What a person should know before using the itemsets just mined."""
    ((n_lines, without_item, largest, method, n_pairs),) = con.execute(
        "select n_lines, n_lines_without_item, largest_basket, method, n_pairs "
        "from custseg_run_itemset_plan"
    ).fetchall()
    logger.info("itemsets: %s; %s pairs", method, n_pairs)
    notes = []
    if without_item:
        notes.append(f"{without_item} of {n_lines} purchases have no item, and are in no basket")
    if largest > LARGE_BASKET:
        notes.append(
            f"the largest order holds {largest} of the items that may be frequent; orders like it "
            "are seldom one customer's basket. Leave them out, or raise min_support, if mining is "
            "slow"
        )
    truncated = con.execute(
        "select max(length) from custseg_run_itemsets having bool_or(is_truncated)"
    ).fetchall()
    for (length,) in truncated:
        notes.append(
            f"sets of more than {length} items were left uncounted, because there are more "
            "candidates than max_candidates"
        )
    return notes


@contextlib.contextmanager
def counting_in_arrays(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let DuckDB group by whole numbers in arrays, of a quarter of its memory at most.

    Where the configuration is locked, all goes on without.
    """
    ((before, limit, threads),) = con.execute(
        "select current_setting('perfect_ht_threshold'), current_setting('memory_limit'), "
        "current_setting('threads')"
    ).fetchall()
    slots = _bytes(limit) / 4 / BYTES_PER_SLOT / threads
    bits = min(MOST_BITS, int(math.log2(max(slots, 1))))
    try:
        con.execute(setting("perfect_ht_threshold", max(bits, int(before))))
    except duckdb.Error as error:
        logger.debug("perfect_ht_threshold stays %s: %s", before, error)
        yield
        return
    with tidied(lambda: surely(con, setting("perfect_ht_threshold", int(before)))):
        yield


def _bytes(size: str) -> float:
    """Bytes of what DuckDB writes as 9.3 GiB."""
    number, unit = size.split()
    power = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"].index(unit)
    return float(number) * 1024.0**power
