"""It works locked down, or refuses clearly: every macro and function under every setting.

A case is a setting and a call. The call must give the rows that it gives in a plain database, be
these the rows of a macro or those that a run leaves; or raise an error of ours. Beside each
database there are tables of the same names with other rows, in another schema and another database.
"""

# ruff: noqa: ARG001 (what goes through a table of functions takes what all of them take)

import contextlib
import json
import random
import shutil
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import duckdb
import pyarrow.parquet as pq

import custseg_duck
from custseg_duck.errors import code_of, message_of
from tests.hard.figure import Figure
from tests.test_hazards import OVER, rows

OTHER, UNCLEAR = "other rows", "unclear refusals"

# Letters that a collation would take for the same, an unknown value, and a return
LINES = """
    create table order_lines as
    select
        {first} + customer as customer_id,
        (customer * 100 + visit)::integer as order_id,
        ['tea', 'Tea', 'TEA', 'café', 'cafe', 'milk', 'Milk', 'x'][
            1 + (hash(customer % 3, visit, line) % 8)::integer] as product_id,
        timestamp '2024-01-01 09:30' + interval (visit * (1 + customer % 3) * 3) day as ordered_at,
        case when hash(customer, line) % 17 = 0 then -1 else 1 + line end as quantity,
        (5 + customer % 3 * 20 + line)::decimal(10, 2) as amount,
        case when hash(customer, visit) % 11 > 0 then
            ['Drinks', 'drinks', 'food'][1 + (hash(customer, visit, line) % 3)::integer]
        end as department,
        product_id as category,
        product_id as product_name,
    from range(30) as customers (customer)
    cross join range(4) as visits (visit)
    cross join range(3) as lines (line)
"""
OPTIONS: dict[str, Any] = {"k": 3, "min_support": 0.05, "n_recommendations": 2}

Call = Callable[[duckdb.DuckDBPyConnection, Path], object]

# ---- the calls: statements first. Those over a relation are in tests/test_hazards.py

VECTORS = "custseg.feature_vectors('custseg.customer_features')"
OF_RUN = "from vectors_of_run cross join custseg.models"
STATEMENTS = {
    "version": "select custseg.version()",
    "help": "select name, call from custseg.help() where kind like '%macro'",
    "assign": f"select customer_id, custseg.assign(model, features) {OF_RUN}",
    "distances": f"select customer_id, custseg.distances(model, features) {OF_RUN}",
    "check_model": "select custseg.check_model(model) from custseg.models",
    "model_checksum": "select custseg.model_checksum(model) from custseg.models",
    "stored_model": "select model from custseg.stored_model('default')",
    "kmeans_fit": "select custseg.kmeans_fit(features, k := 3, seed := 0) from vectors_of_run",
    "gmm_fit": "select custseg.gmm_fit(features, k := 2, covariance_type := 'diag') "
    "from vectors_of_run",
    "refit": f"select custseg.refit(features, model) {OF_RUN}",
    "match_segments": "select custseg.match_segments(model, model) from custseg.models",
    "probabilities": "with fitted as materialized (select custseg.gmm_fit(features, k := 2, "
    "covariance_type := 'diag') as model from vectors_of_run) select customer_id, "
    "custseg.probabilities(model, features), custseg.log_densities(model, features) "
    "from vectors_of_run cross join fitted",
    "apply_transform": "from custseg.apply_transform('custseg.customer_features', "
    "(select model.features from custseg.models))",
    "fisher_p_value": "select custseg.fisher_p_value(100, 10, 20, 5)",
    "normal_tail": "select custseg.normal_tail(1.5)",
    "hyper_lift": "select custseg.hyper_lift(100, 10, 20, 5)",
    "rfm_scores": "from custseg.rfm_scores('custseg.customer_features', 'custseg.rfm_cut_points')",
    "rfm_summary": "from custseg.rfm_summary('custseg.rfm_segments')",
    "itemset_plan": "from custseg.itemset_plan('main.order_lines')",
    "mine_rules": "from custseg.mine_rules('main.order_lines', min_support := 0.05)",
    "level_rules": "from custseg.level_rules('main.order_lines', min_support := 0.05)",
    "recommendation_metrics": "from custseg.recommendation_metrics('main.order_lines', "
    "min_count := 3)",
    "fingerprint": "from custseg.fingerprint('main.order_lines')",
    "silhouettes": "from custseg.silhouettes('vectors_of_run', 'custseg.segments')",
    "exact_silhouettes": "from custseg.exact_silhouettes('vectors_of_run', 'custseg.segments')",
    "cluster_metrics": "from custseg.cluster_metrics('vectors_of_run', 'custseg.segments')",
    "model_metrics": "from custseg.model_metrics('vectors_of_run', 'custseg.models')",
    "k_sweep": "select k, inertia, is_recommended from custseg.k_sweep('vectors_of_run', "
    "ks := [1, 2, 3], n_bootstraps := 2)",
    "outliers": "from custseg.outliers('custseg.segments')",
    "segment_crosstab": "from custseg.segment_crosstab('custseg.segments', "
    "'custseg.customer_features')",
    "decision_rules": "from custseg.decision_rules('custseg.decision_trees')",
    "score of a new table": "from custseg.score('custseg.customer_features', 'default')",
    "to_timestamp": "select custseg.to_timestamp('2024-06-15 13:00:00Z', 'ordered_at', "
    "'Asia/Tokyo'), custseg.to_timestamp(timestamptz '2024-06-15 13:00:00+00', 'x', null)",
    "time_zone": "from custseg.order_lines('main.order_lines', time_zone := 'America/New_York', "
    "since := '2024-01-05')",
    "a bad option": "from custseg.order_lines('main.order_lines', returns := 'none')",
    "a bad transform": "from custseg.feature_transform('custseg.customer_features', "
    "include := ['zork'])",
    "decision_rules view": "from custseg.decision_rules",
    "top_rules": "from custseg.top_rules",
    "labelled_segments": "from custseg.labelled_segments",
    "line_counts": "from custseg.line_counts",
}
# What reads texts without a macro of ours that could refuse the collation
COLLATED = ("top_rules",)
REFUSED_EVERYWHERE = ("a bad option", "a bad transform")


class _Spelled:
    """A connection on which main.order_lines is named in full.

    DuckDB's query_table takes the schema main for none, and reads the current one's table.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        ((self._database,),) = con.execute("select current_database()").fetchall()

    def execute(self, query: str) -> duckdb.DuckDBPyConnection:
        """The same query of the table that is meant."""
        return self._con.execute(
            query.replace("'main.order_lines'", f"'{self._database}.main.order_lines'")
        )


def _statement(name: str) -> Call:
    def call(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
        if "vectors_of_run" in STATEMENTS[name]:
            con.execute(f"create or replace temp view vectors_of_run as from {VECTORS}")
        return _Spelled(con).execute(STATEMENTS[name]).fetchall()

    return call


def _macro(name: str, relation: str) -> Call:
    return lambda con, _: rows(cast("duckdb.DuckDBPyConnection", _Spelled(con)), name, relation)


# ---- and functions of Python


def _left(con: duckdb.DuckDBPyConnection, run_name: str) -> dict[str, list[tuple[Any, ...]]]:
    """What a run left, without what differs from run to run."""
    found = {}
    for table, more in {
        "customer_features": "", "segments": "", "segment_summary": "", "segment_profiles": "",
        "centroids": "", "itemsets": "", "rules": "", "segment_rules": "", "recommendations": "",
        "decision_trees": "", "rfm_segments": "", "segment_preferences": "",
    }.items():  # fmt: skip
        found[table] = con.execute(
            f"select * exclude (run_name{more}) from custseg.{table} where run_name = $1",
            [run_name],
        ).fetchall()
    return found


def _run(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.run("main.order_lines", con=con, name="again", **OPTIONS)
    return _left(con, "again")


def _run_file(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.run(folder / "lines.parquet", con=con, name="of a file", **OPTIONS)
    return _left(con, "of a file")


def _run_frame(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    lines = pq.read_table(folder / "lines.parquet")
    custseg_duck.run(lines, con=con, name="of a frame", **OPTIONS)
    return _left(con, "of a frame")


def _run_columns(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.run(
        "main.order_lines", con=con, name="dated", item="department", since="2024-01-02",
        as_of="2024-02-01", exclude_items=["x"], **OPTIONS,
    )  # fmt: skip
    return _left(con, "dated")


def _refresh(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    return custseg_duck.refresh(con=con, fit="frozen", since="2024-01-02").features.fetchall()


def _itemsets(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    made = custseg_duck.frequent_itemsets(
        "main.order_lines", con=con, temporary=True, into="mined", min_support=0.05
    )
    return made.fetchall()


def _check(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    found = custseg_duck.self_check(con)
    said = [one.found for one in found if one.status == "wrong"]
    if any("default_collation must be empty" in text for text in said):
        raise custseg_duck.InputError(said[0])
    return [(one.what, one.status) for one in found if one.what != "temporary files"]


def _targets(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.export_targets(con, folder / "made.csv", segments=["1"])
    return (folder / "made.csv").read_text().splitlines()


def _export(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.export(con, folder / "made.duckdb", tables=["main.order_lines"], overwrite=True)
    with duckdb.connect(str(folder / "made.duckdb"), read_only=True) as other:
        lines = other.execute("from main.order_lines").fetchall()
        return _left(other, "default") | {"order_lines": lines}


def _export_model(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.export_model(con, folder / "made.json")
    return json.loads((folder / "made.json").read_text())["model"]


def _import_model(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.import_model(con, folder / "model.json", name="imported")
    return con.execute("select model from custseg.models where name = 'imported'").fetchall()


def _report(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.export_report(con, folder / "made.html")
    return len((folder / "made.html").read_text()) > 10_000


def _load(con: duckdb.DuckDBPyConnection, folder: Path) -> object:
    custseg_duck.load(con)
    return con.execute("select custseg.version()").fetchall()


# in this order, so that none finds what another one has changed
FUNCTIONS: dict[str, Call] = {
    "load": _load, "self_check": _check, "export_targets": _targets, "export": _export,
    "export_model": _export_model, "export_report": _report, "frequent_itemsets": _itemsets,
    "run": _run, "run on a file": _run_file, "run on a frame": _run_frame,
    "run with dates": _run_columns, "import_model": _import_model, "refresh": _refresh,
}  # fmt: skip
CALLS: dict[str, Call] = {
    **{name: _statement(name) for name in STATEMENTS},
    **{name: _macro(name, relation) for relation, macros in OVER.items() for name in macros},
    **FUNCTIONS,
}


# ---- the settings


class Setting(NamedTuple):
    """How a database is opened, and what is said to it then."""

    config: dict[str, Any]
    statements: tuple[str, ...] = ()
    place: str = "itself"  # or attached, read-only, memory, old


def _set(*statements: str, **config: Any) -> Setting:
    return Setting(config, tuple(f"set {one}" for one in statements))


SETTINGS: dict[str, Setting] = {
    "no external access": _set("enable_external_access = false"),
    "no external access from the start": _set(enable_external_access=False),
    "locked": _set("lock_configuration = true"),
    "locked, no external access": _set(
        "enable_external_access = false", "lock_configuration = true"
    ),
    "no local files": _set("disabled_filesystems = 'LocalFileSystem'"),
    "no extensions": _set(
        allow_community_extensions=False, autoinstall_known_extensions=False,
        autoload_known_extensions=False,
    ),
    "no replacements": _set("python_enable_replacements = false"),
    "all of these": _set(
        "python_enable_replacements = false", "enable_external_access = false",
        "disabled_filesystems = 'LocalFileSystem'", "lock_configuration = true", threads=1,
        allow_community_extensions=False, autoinstall_known_extensions=False,
        autoload_known_extensions=False,
    ),
    "read-only": Setting({}, place="read-only"),
    "read-only and locked": Setting(
        {}, ("set enable_external_access = false", "set lock_configuration = true"), "read-only"
    ),
    "attached": Setting({}, place="attached"),
    "attached read-only": Setting({}, place="attached read-only"),
    "in memory": Setting({}, place="memory"),
    "an old file": Setting({}, place="old"),
    "a schema of the user": Setting({}, ("use sales",)),
    "a search path": _set("search_path = 'sales,main'"),
    "one thread": _set(threads=1),
    "many threads": _set(threads=7),
    "little memory": _set(memory_limit="200MB"),
    "no temporary files": _set("temp_directory = ''"),
    "nulls first": _set("default_null_order = 'nulls_first'", "default_order = 'desc'"),
    "a collation": _set("default_collation = 'nocase'"),
    "a collation without accents": _set("default_collation = 'noaccent'"),
    "a time zone": _set("timezone = 'Asia/Kolkata'"),
    "another time zone": _set("timezone = 'America/St_Johns'"),
    "another calendar": _set("calendar = 'buddhist'"),
    "errors as JSON": _set("errors_as_json = true"),
    "whole division": _set("integer_division = true"),
    "no infinity": _set("ieee_floating_point_ops = false"),
    "any order": _set("preserve_insertion_order = false"),
    "lower-case names": _set("preserve_identifier_case = false"),
    "any subquery": _set("scalar_subquery_error_on_multiple_rows = false"),
    "no optimizer": Setting({}, ("pragma disable_optimizer",)),
    "verified": Setting({}, ("pragma enable_verification",)),
    "large Arrow buffers": _set("arrow_large_buffer_size = true", "arrow_output_list_view = true"),
    "lossless Arrow": _set("arrow_lossless_conversion = true"),
    "profiled": _set("enable_profiling = 'no_output'"),
    "counted in small hash tables": _set("perfect_ht_threshold = 0"),
    "a transaction": Setting({}, ("begin",)),
    "a failed transaction": Setting({}, ("begin", "select error('no')")),
}  # fmt: skip
CASES = [
    (setting, call)
    for setting in SETTINGS
    for call in CALLS
    if not (setting.startswith("a collation") and call in COLLATED)
]
PROMISED = len(CASES)


def make_template(folder: Path) -> None:
    """The database file and what lies beside it."""
    with custseg_duck.connect(folder / "shop.duckdb") as con:
        con.execute(LINES.format(first=0))
        custseg_duck.run("order_lines", con=con, **OPTIONS)
        custseg_duck.export_model(con, folder / "model.json")
        con.execute(f"copy order_lines to '{folder / 'lines.parquet'}'")
        con.execute("create schema sales; use sales")
        con.execute(LINES.format(first=1000))
        for table in ("segments", "customer_features", "models", "itemsets", "rfm_names"):
            con.execute(f"create table sales.{table} as select 'decoy' as run_name")
        con.execute("use shop.main")
        ((tables,),) = con.execute(
            'select list(format(\'create table target."{}"."{}" as from shop."{}"."{}"\', '
            "schema_name, table_name, schema_name, table_name)) from duckdb_tables() "
            "where database_name = 'shop'"
        ).fetchall()
        con.execute(f"attach '{folder / 'old.duckdb'}' as target (storage_version 'v0.10.0')")
        con.execute("create schema target.custseg; create schema target.sales")
        for statement in tables:
            con.execute(statement)
        con.execute("use target")
        with con.cursor() as other:  # views come by a run, which has them made anew
            other.execute("use target")
            custseg_duck.load(other)
            custseg_duck.run("main.order_lines", con=other, **OPTIONS)
        con.execute("use shop")
        con.execute("detach target")


@contextlib.contextmanager
def opened(setting: Setting, template: Path, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the database under a setting."""
    for path in template.iterdir():
        if path.is_file():
            shutil.copy(path, folder / path.name)
    file = folder / ("old.duckdb" if setting.place == "old" else "shop.duckdb")
    if setting.place in ("itself", "old"):
        con = custseg_duck.connect(file, **setting.config)
    elif setting.place == "read-only":
        con = custseg_duck.connect(file, read_only=True, **setting.config)
    else:
        con = custseg_duck.connect(**setting.config)
    with con:
        if setting.place.startswith("attached"):
            con.execute(LINES.format(first=1000))
            mode = " (read_only)" if "read-only" in setting.place else ""
            con.execute(f"attach '{file}' as other{mode}")
            con.execute("use other")
        elif setting.place == "memory":
            con.execute(f"attach '{file}' as given (read_only)")
            con.execute("create table order_lines as from given.main.order_lines")
            custseg_duck.run("order_lines", con=con, **OPTIONS)
            con.execute("detach given")
        for statement in setting.statements:
            with contextlib.suppress(duckdb.InvalidInputException):  # the one that is to fail
                con.execute(statement).fetchall()
        yield con


# ---- the trial


def tried(n: int, *, seed: int) -> Figure:
    """``n`` of the cases; all of them, if ``n`` is their number."""
    figure = Figure(must_be_zero=(OTHER, UNCLEAR))
    chosen = set(random.Random(seed).sample(range(PROMISED), min(n, PROMISED)))
    wanted: dict[str, list[str]] = {}
    for number in sorted(chosen):
        setting, call = CASES[number]
        wanted.setdefault(setting, []).append(call)
    figure.counts.update({"cases": 0, "settings": 0, "same rows": 0, "refused clearly": 0})
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore", custseg_duck.CustsegWarning)
        template = Path(place) / "template"
        template.mkdir()
        make_template(template)
        calls = {call for called in wanted.values() for call in called}
        expected = _expected(template, Path(place), [name for name in CALLS if name in calls])
        for setting, called in wanted.items():
            figure.counts["settings"] += 1
            with tempfile.TemporaryDirectory() as folder:
                _under(figure, setting, called, expected, template, Path(folder))
    return figure


def _expected(template: Path, place: Path, calls: list[str]) -> dict[str, object]:
    """What each call gives in a plain database."""
    folder = place / "plain"
    folder.mkdir()
    found: dict[str, object] = {}
    with opened(Setting({}), template, folder) as con:
        for call in calls:
            try:
                found[call] = _comparable(CALLS[call](con, folder))
            except duckdb.InvalidInputException:
                assert call in REFUSED_EVERYWHERE, call
    return found


def _under(
    figure: Figure, name: str, calls: list[str], expected: dict[str, object], template: Path,
    folder: Path,
) -> None:  # fmt: skip
    try:
        with opened(SETTINGS[name], template, folder) as con:
            for call in calls:
                figure.counts["cases"] += 1
                _case(figure, con, f"{name}: {call}", call, expected, folder)
    except (duckdb.Error, custseg_duck.CustsegError) as error:
        figure.failed(UNCLEAR, f"{name}: {type(error).__name__} {str(error)[:300]}")


def _case(
    figure: Figure, con: duckdb.DuckDBPyConnection, detail: str, call: str,
    expected: dict[str, object], folder: Path,
) -> None:  # fmt: skip
    try:
        found = _comparable(CALLS[call](con, folder))
    except (duckdb.Error, custseg_duck.CustsegError) as error:
        if is_clear(error, call):
            figure.counts["refused clearly"] += 1
        else:
            figure.failed(UNCLEAR, f"{detail}: {type(error).__name__} {str(error)[:300]}")
        if detail.startswith("a transaction:") and isinstance(error, duckdb.Error):
            con.execute("rollback")  # what failed was not the last to be tried in one
            con.execute("begin")
        return
    if call in REFUSED_EVERYWHERE:
        figure.failed(OTHER, f"{detail}: it is not refused")
    elif found == expected[call]:
        figure.counts["same rows"] += 1
    else:
        figure.failed(OTHER, f"{detail}: {_difference(expected[call], found)}")


def is_clear(error: Exception, call: str) -> bool:
    """An error of ours, with a code that says what to do; in SQL, one that only we raise.

    What the database itself may not do with its file, DuckDB alone can say.
    """
    if isinstance(error, custseg_duck.CustsegError):
        is_forbidden = "disabled by configuration" in str(error)
        return error.code not in ("query", "other") or is_forbidden
    if isinstance(error, duckdb.TransactionException):  # of the caller's own
        return call not in FUNCTIONS
    return call not in FUNCTIONS and code_of(message_of(error)) is not None


def _comparable(found: object) -> object:
    """Rows in an order that no setting changes; NaN as a text, which is equal to itself."""
    if isinstance(found, dict):
        return {key: _comparable(one) for key, one in found.items()}
    if isinstance(found, tuple) and any(isinstance(one, list | dict) for one in found):
        return tuple(_comparable(one) for one in found)
    if isinstance(found, list):
        return sorted(str(row) for row in found)
    return str(found)


def _difference(expected: object, found: object) -> str:
    if isinstance(expected, dict) and isinstance(found, dict):
        return "; ".join(
            f"{key}: {_difference(expected[key], found[key])}"
            for key in expected
            if expected[key] != found[key]
        )[:600]
    if isinstance(expected, list) and isinstance(found, list):
        lost, gained = Counter(expected) - Counter(found), Counter(found) - Counter(expected)
        return (
            f"{len(expected)} rows, {len(found)} found, {lost.total()} differ: "
            f"{str(list(lost)[:1])[:200]} became {str(list(gained)[:1])[:200]}"
        )
    return f"{str(expected)[:200]} became {str(found)[:200]}"
