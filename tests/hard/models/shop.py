"""A database with a good model of each kind, and what must stay as it is."""

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

import custseg_duck
from custseg_duck.errors import code_of, message_of
from custseg_duck.udfs import arrow

EXECUTED, WRONG = "code executed", "silent wrong assignments"
UNCLEAR, TOUCHED = "unclear errors", "tables touched"
FEATURES = ("customer_id", "visits", "spend", "pace", '"; drop table x; --')
QUICK: dict[str, Any] = {
    "k": 3, "decision_rules": False, "segment_rules": False, "n_recommendations": 0,
}  # fmt: skip
RUNS: dict[str, dict[str, Any]] = {
    "kmeans": {"weights": {"visits": 2.0}, "transforms": {"spend": "log"}},
    "full": {"algorithm": "gmm", "covariance_type": "full", "include": ["visits", "spend", "pace"]},
    "tied": {"algorithm": "gmm", "covariance_type": "tied", "include": ["spend", "pace"]},
    "diag": {"algorithm": "gmm", "covariance_type": "diag", "include": [FEATURES[4], "pace"]},
    "spherical": {"algorithm": "gmm", "covariance_type": "spherical", "include": ["spend", "pace"]},
}
# 90 customers in three groups, whose departments differ too
OWN = """
    create table own as
    select
        customer as customer_id,
        customer % 3 * 10 + hash(customer, 1) % 5 as visits,
        exp(customer % 3 * 2 + (hash(customer, 2) % 1000) / 1000) as spend,
        case when customer % 13 > 0 then customer % 3 * 7 + (hash(customer, 3) % 1000) / 300 end
            as pace,
        (hash(customer, 4) % 1000) / 100 + customer % 3 as "{hostile}",
        map {{
            'tea': (1 + customer % 3) / 4 + (hash(customer, 5) % 100) / 1000,
            '''); select 1; --': (hash(customer, 6) % 100) / 200
        }} as department_share,
    from range(90) as customers (customer)
"""

Model = dict[str, Any]


def make_shop(path: Path) -> None:
    """The database with a good model of each kind."""
    with custseg_duck.connect(path) as con:
        con.execute(OWN.format(hostile=FEATURES[4].replace('"', '""')))
        for name, options in RUNS.items():
            custseg_duck.run(features="own", con=con, name=name, **QUICK | options)


class Shop:
    """A database with good models, and what must stay as it is."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.good: dict[str, Model] = dict(
            con.execute("select name, model from custseg.latest_models order by name").fetchall()
        )
        described = con.execute("from own order by customer_id")
        names = [name for name, *_ in described.description or ()]
        self.rows = [dict(zip(names, row, strict=True)) for row in described.fetchall()]
        con.execute("create table kept as from custseg.models")
        self.before = self.digest()

    def digest(self) -> list[tuple[Any, ...]]:
        """All tables in numbers, but those of what was changed on purpose."""
        tables = self.con.execute(
            'select format(\'"{}"."{}"\', schema_name, table_name) from duckdb_tables() '
            "where table_name <> 'models' order by 1"
        ).fetchall()
        return [
            (table, *self.con.execute(
                f"select count(*), bit_xor(hash(one::varchar)) from {table} as one").fetchall())
            for (table,) in tables
        ]  # fmt: skip

    def put(self, name: str, model: Model | None, *, signed: bool) -> None:
        """Store a model, with or without a checksum that fits it."""
        self.con.register("given", pa.table({"model": pa.array([model], arrow.MODEL)}))
        checksum = "custseg.model_checksum(given.model)" if signed else "checksum"
        self.con.execute(
            f"update custseg.models set model = given.model, checksum = {checksum} from given "
            "where name = $name", {"name": name},
        )  # fmt: skip
        self.con.unregister("given")

    def restore(self) -> None:
        """The good models."""
        self.con.execute("delete from custseg.models; insert into custseg.models from kept")


def is_clear(error: Exception) -> bool:
    """Whether an error has one of our codes, or is of a list that DuckDB cannot measure."""
    if isinstance(error, custseg_duck.CustsegError):
        cause = error.__cause__
        is_internal = isinstance(cause, duckdb.InternalException)
        return error.code not in ("query", "other") and not is_internal
    return (
        isinstance(error, duckdb.InvalidInputException) and code_of(message_of(error)) is not None
    )
