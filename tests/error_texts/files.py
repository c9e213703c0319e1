"""What is wrong with files that are written or read: exports, models, reports, targets."""

import json
from pathlib import Path
from typing import Any

import duckdb

import custseg_duck
from custseg_duck import RunResult
from tests.error_texts.calls import InPython, Refused


def export(path: str, **options: Any) -> InPython:
    return lambda con: custseg_duck.export(con, path, **options)


def export_model(path: str, **options: Any) -> InPython:
    return lambda con: custseg_duck.export_model(con, path, **options)


def import_model(path: str) -> InPython:
    return lambda con: custseg_duck.import_model(con, path)


def import_changed(name: str | None = None, **changes: object) -> InPython:
    """Import a model as model.json, after changes to the file."""

    def call(con: duckdb.DuckDBPyConnection) -> None:
        file = Path("model.json")
        custseg_duck.export_model(con, file)
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))
        custseg_duck.import_model(con, file, name=name)

    return call


def drop_model(**options: Any) -> InPython:
    return lambda con: custseg_duck.drop_model(con, **options)


def drop_model_where_nothing_can_be_written(_: object) -> None:
    with custseg_duck.connect("empty.duckdb", read_only=True) as con:
        custseg_duck.drop_model(con)


def export_report(path: str, **options: Any) -> InPython:
    return lambda con: custseg_duck.export_report(con, path, **options)


def export_targets(path: str, **options: Any) -> InPython:
    return lambda con: custseg_duck.export_targets(con, path, **options)


def in_an_empty_database(call: InPython) -> InPython:
    """The same call on another connection than the shop's."""

    def called(_: object) -> None:
        with custseg_duck.connect("empty.duckdb") as con:
            call(con)

    return called


EXPORTS = [
    Refused(
        in_an_empty_database(export("new.duckdb")),
        "the current database must hold a run to be exported, got none [no-run]",
    ),
    Refused(
        export("custseg.duckdb"),
        "path must not be called custseg, because custseg.segments would then mean two things, got "
        "custseg.duckdb [database-name]",
    ),
    Refused(
        export("shop.duckdb", overwrite=True),
        "path must be another database than those that are open, got shop.duckdb [file-taken]",
    ),
    Refused(
        export("plain.duckdb"),
        "path must be new, got plain.duckdb, which exists. overwrite=True (--overwrite) replaces a "
        "file [file-taken]",
    ),
    Refused(
        export("nowhere/new.duckdb"),
        "cannot write nowhere/new.duckdb: No such file or directory [file]",
    ),
    Refused(
        export("new.duckdb", storage_version="v0"),
        "storage_version must be one that this DuckDB knows, like v1.0.0, got 'v0' [option]",
    ),
    Refused(
        export("new.duckdb", tables=["order_line"]),
        "table must be a table or view that exists, got 'order_line'; there are features, "
        "itemsets, models, order_lines, refusing, segments, segments_twice, vectors [no-source]",
    ),
    Refused(
        export("new.duckdb", tables=["order_lines", "main.order_lines"]),
        "tables must have a name each, got order_lines twice [option]",
    ),
    Refused(
        export("new.duckdb", tables=["refusing"]),
        "cannot write new.duckdb: this view is empty [file]",
    ),
]

MODELS = [
    Refused(
        export_model("model.pkl"), "path must end in .parquet or .json, got model.pkl [file-suffix]"
    ),
    Refused(
        export_model("nowhere/model.json"),
        "cannot write nowhere/model.json: No such file or directory [file]",
    ),
    Refused(
        export_model("model.json", name="weekly"),
        "model_name must be one of the stored ones (default version 1, tiny version 1) and name "
        "one version, got weekly [no-model]",
    ),
    Refused(
        in_an_empty_database(export_model("model.json")),
        "the current database must have models, got none: run makes the first [no-model]",
    ),
    Refused(
        import_model("nowhere.json"),
        'cannot read nowhere.json: No files found that match the pattern "nowhere.json" [file]',
    ),
    Refused(import_model("none.json"), "none.json must hold one model, got 0 [model-damaged]"),
    Refused(
        import_changed(model=None),
        "the model in model.json cannot be used: model is NULL [model-damaged]",
    ),
    Refused(
        import_changed(checksum="0"),
        "the model in model.json must be as it was fitted, got another checksum: the file was "
        "changed or damaged [model-damaged]",
    ),
    Refused(
        import_changed(name=""),
        "name must be a text, got '' for the model in model.json [option]",
    ),
    Refused(
        drop_model(version=7),
        "name must be that of a stored model (default version 1, tiny version 1), got default "
        "version 7 [no-model]",
    ),
    Refused(
        drop_model_where_nothing_can_be_written,
        "drop_model must be able to write to the current database, got a read-only one [read-only]",
    ),
]

REPORTS = [
    Refused(export_report("report.pdf"), "path must end in .html, got 'report.pdf' [file-suffix]"),
    Refused(
        export_report("nowhere/report.html"),
        "cannot write nowhere/report.html: No such file or directory [file]",
    ),
    Refused(
        export_report("report.html", name="weekly"),
        "name must be that of a run (default, tiny), got 'weekly'. custseg_duck.run makes one "
        "[no-run]",
    ),
]

TARGETS = [
    Refused(
        export_targets("targets.xlsx"),
        "path must end in .csv or .parquet, got targets.xlsx [file-suffix]",
    ),
    Refused(
        export_targets("nowhere/targets.csv"),
        "cannot write nowhere/targets.csv: No such file or directory [file]",
    ),
    Refused(
        in_an_empty_database(export_targets("targets.csv")),
        "name must be that of a run (none), got 'default'. custseg_duck.run makes one [no-run]",
    ),
    Refused(
        export_targets("targets.csv"),
        "the database must hold the macros of custseg_duck, got none. custseg_duck.load(con) "
        "writes them, on a connection that can [not-loaded]",
        given="begin; drop macro custseg.version",
    ),
    Refused(
        export_targets("targets.csv", segments=["nobody"]),
        "wanted must be labels or numbers of segments of the run, got [nobody] [option]",
    ),
]

RESULTS = [
    Refused(
        lambda con: RunResult(con, "default").k_candidates,
        "the run 'default' must have left custseg.k_candidates, got none [no-result]",
    ),
    Refused(
        lambda con: RunResult(con, "default").explain("nobody"),
        "customer_id must be of the type of the run's ids, got 'nobody' [no-customer]",
    ),
]

REFUSED = [*EXPORTS, *MODELS, *REPORTS, *TARGETS, *RESULTS]
