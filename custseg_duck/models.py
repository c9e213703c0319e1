"""Stored models as files: Parquet or JSON, which hold values and nothing that could be executed."""

import os

import duckdb

from custseg_duck.arguments import path_text, require_connection, require_text, version_number
from custseg_duck.documentation import comment_results
from custseg_duck.errors import InputError, QueryError, file_errors
from custseg_duck.functions import in_transaction
from custseg_duck.loading import is_read_only, require_macros
from custseg_duck.pipeline import writable
from custseg_duck.publishing import next_version
from custseg_duck.tables import append, attach_file, copy_to, drop_steps, exists
from custseg_duck.transactions import tidied, write
from custseg_duck.udfs import model

SUFFIXES = (".parquet", ".json")

HISTOGRAMS_SQL = (
    "STRUCT(feature VARCHAR, department VARCHAR, kind VARCHAR, edges DOUBLE[], "
    "categories VARCHAR[], counts BIGINT[], n_values BIGINT, n_nulls BIGINT)[]"
)
METRICS_SQL = (
    "STRUCT(inertia DOUBLE, silhouette DOUBLE, davies_bouldin DOUBLE, calinski_harabasz DOUBLE)"
)
# The columns of custseg.models
COLUMNS = {
    "name": "VARCHAR",
    "version": "INTEGER",
    "run_id": "BIGINT",
    "created_at": "TIMESTAMP",
    "n_customers": "BIGINT",
    "fingerprint": "VARCHAR",
    "parameters": "MAP(VARCHAR, VARCHAR)",
    "versions": "MAP(VARCHAR, VARCHAR)",
    "metrics": METRICS_SQL,
    "histograms": HISTOGRAMS_SQL,
    "checksum": "VARCHAR",
    "model": model.MODEL_SQL,
}
IN_A_FILE = COLUMNS | {"content_checksum": "VARCHAR"}  # of all the others


def export_model(
    con: duckdb.DuckDBPyConnection,
    path: str | os.PathLike[str],
    *,
    name: str = "default",
    version: int | None = None,
) -> None:
    """Write a stored model to a file, with what is known of how it was made.

    Parameters
    ----------
    path : str or path
        Ends in .parquet or .json; what is there is replaced.
    name : str
        Of ``custseg.models``.
    version : int, optional
        By default the latest.

    Raises
    ------
    InputError
        If there is no such model, it cannot be trusted, or the file cannot be written.
    """
    require_connection(con)
    place = _place(path)
    require_text("name", name)
    version = version_number(version)
    _require_models(con)
    require_macros(con)
    with file_errors(f"cannot write {place}"):
        con.execute(
            "create or replace temp table custseg_run_exported as "
            "select stored.*, md5(stored::varchar) as content_checksum "
            "from custseg.models as stored "
            "inner join custseg.stored_model($name, model_version := $version) as chosen "
            "on stored.name = chosen.name and stored.version is not distinct from chosen.version",
            {"name": name, "version": version},
        )
        with tidied(lambda: drop_steps(con, ["exported"])):
            copy_to(con, "custseg_run_exported", place)


def import_model(
    con: duckdb.DuckDBPyConnection, path: str | os.PathLike[str], *, name: str | None = None
) -> tuple[str, int]:
    """Read a model that ``export_model`` wrote into ``custseg.models``, as its next version.

    The file is data: it is read with known types, and refused if the model is not as it was
    when it was fitted. Nothing in it is executed.

    Parameters
    ----------
    path : str or path
        Ends in .parquet or .json.
    name : str, optional
        To store it under; by default the one that it had.

    Returns
    -------
    name, version

    Raises
    ------
    InputError
        If the file cannot be read, does not hold one model, or that one cannot be trusted.
    """
    require_connection(con)
    place = _place(path)
    if name is not None:
        require_text("name", name)
    con = writable(con, "import_model")
    with file_errors(f"cannot read {place}"), tidied(lambda: drop_steps(con, ["models"])):
        attach_file(con, place, IN_A_FILE, "custseg_run_models")
        return _stored(con, place, name)


def _stored(con: duckdb.DuckDBPyConnection, place: str, name: str | None) -> tuple[str, int]:
    found = con.execute(
        "select name, custseg.check_model(model), checksum = custseg.model_checksum(model) "
        "and content_checksum = (select md5(content::varchar) "
        "from (select * exclude (content_checksum) from custseg_run_models) as content) "
        "from custseg_run_models"
    ).fetchall()
    if len(found) != 1:
        raise InputError(f"{place} must hold one model, got {len(found)} [model-damaged]")
    ((old_name, problem, is_whole),) = found
    if problem != "ok":
        raise InputError(f"the model in {place} cannot be used: {problem} [model-damaged]")
    if not is_whole:
        raise InputError(
            f"the model in {place} must be as it was fitted, got another checksum: the file was "
            "changed or damaged [model-damaged]"
        )
    name = old_name if name is None else name
    if not name:
        raise InputError(f"name must be a text, got {name!r} for the model in {place} [option]")

    def store() -> int:
        version = next_version(con, name)
        con.execute(
            "alter table custseg_run_models drop column content_checksum; "
            "update custseg_run_models set name = $name, version = $version, run_id = null",
            {"name": name, "version": version},
        )
        append(con, "models")
        comment_results(con)
        return version

    return name, write(con, f"import {place}", store)


def drop_model(
    con: duckdb.DuckDBPyConnection, *, name: str = "default", version: int | None = None
) -> int:
    """Delete a version of a stored model, or all of its name. What was made with it stays.

    Returns
    -------
    int
        How many versions were deleted.

    Raises
    ------
    InputError
        If there is no such model, or the database is read-only.
    QueryError
        If it cannot be deleted.
    """
    require_connection(con)
    require_text("name", name)
    version = version_number(version)
    if is_read_only(con):
        raise InputError(
            "drop_model must be able to write to the current database, got a read-only one "
            "[read-only]"
        )
    _require_models(con)

    def delete() -> list[tuple[int]]:
        return con.execute(
            "delete from custseg.models where name = $name "
            "and ($version is null or version = $version) returning version",
            {"name": name, "version": version},
        ).fetchall()

    # within the user's transaction it is the user who commits
    try:
        dropped = delete() if in_transaction(con) else write(con, f"drop {name}", delete)
    except duckdb.Error as error:
        raise QueryError("drop_model", "", error) from error
    if not dropped:
        known = con.execute(
            "select string_agg(name || ' version ' || version, ', ' order by name, version) "
            "from custseg.models"
        ).fetchall()[0][0]
        wanted = name if version is None else f"{name} version {version}"
        raise InputError(
            f"name must be that of a stored model ({known or 'none'}), got {wanted} [no-model]"
        )
    return len(dropped)


def _place(path: object) -> str:
    """The path of a model's file, as text."""
    place = path_text(path)
    if os.path.splitext(place)[1].lower() not in SUFFIXES:
        raise InputError(f"path must end in {' or '.join(SUFFIXES)}, got {place} [file-suffix]")
    return place


def _require_models(con: duckdb.DuckDBPyConnection) -> None:
    if not exists(con, "models"):
        raise InputError(
            "the current database must have models, got none: run makes the first [no-model]"
        )
