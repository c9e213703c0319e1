"""The customers of some segments as a file, for whoever writes to them."""

import os
from collections.abc import Sequence

import duckdb

from custseg_duck.arguments import path_text, require_connection, require_text
from custseg_duck.errors import InputError, file_errors
from custseg_duck.loading import require_macros
from custseg_duck.reading import run_of
from custseg_duck.tables import copy_to, drop_steps
from custseg_duck.transactions import tidied

SUFFIXES = (".csv", ".parquet")


def export_targets(
    con: duckdb.DuckDBPyConnection,
    path: str | os.PathLike[str],
    *,
    segments: Sequence[str | int] | None = None,
    name: str = "default",
) -> int:
    """Write the customers of some segments, with label and features, to a file.

    The same in SQL: ``copy (from custseg.target_list(['my label', '3'])) to 'targets.csv'``.

    Parameters
    ----------
    path : str or path
        Ends in .csv or .parquet; what is there is replaced.
    segments : sequence of str or int, optional
        Labels or numbers; by default all.
    name : str
        Of the run.

    Returns
    -------
    int
        The number of customers.

    Raises
    ------
    InputError
        If there is no such run or segment, or the file cannot be written.
    """
    require_connection(con)
    place = path_text(path)
    require_text("name", name)
    if segments is not None and (
        not isinstance(segments, Sequence) or isinstance(segments, str | bytes)
    ):
        raise InputError(f"segments must be a list of labels or numbers, got {segments!r} [option]")
    if not place.lower().endswith(SUFFIXES):
        raise InputError(f"path must end in {' or '.join(SUFFIXES)}, got {place} [file-suffix]")
    run_of(con, name)
    require_macros(con)
    wanted = None if segments is None else [str(segment) for segment in segments]
    with file_errors(f"cannot write {place}"):
        con.execute(
            "create or replace temp table custseg_run_targets as "
            "from custseg.target_list($wanted::varchar[], of_run := $name)",
            {"wanted": wanted, "name": name},
        )
        with tidied(lambda: drop_steps(con, ["targets"])):
            ((n_customers,),) = con.execute("select count(*) from custseg_run_targets").fetchall()
            copy_to(con, "custseg_run_targets", place)
    return int(n_customers)
