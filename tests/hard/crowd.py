"""Many at once: 8 writers and 8 readers on one database file; no reader sees a half.

Each is a thread with a cursor of its own. A run of a shop in one of several sizes replaces the one
of its name, so that whatever is of two runs does not add up. All our own writers wait for one
another; what a user's open transaction has written to, they wait for too, or say so.
"""

import contextlib
import random
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

import custseg_duck
from tests.conftest import QUICK
from tests.hard.figure import Figure

PROMISED = 600  # seconds
WRITERS = 8
READERS = 8
NAMES = ("north", "south", "east")  # fewer than writers: some replace each other's
SIZES = (20, 35, 50)  # customers of the shops, by which runs are told apart
TOO_LONG = 60  # seconds that nothing takes, unless it waits forever

Con = duckdb.DuckDBPyConnection

SHOP = """
    create table shop_{size} as
    select
        customer as customer_id,
        customer * 100 + visit as order_id,
        (hash(customer, visit, line, {size}) % 12)::integer as product_id,
        timestamp '2024-01-01 09:00' + interval (visit * (1 + customer % 3) * 3) day as ordered_at,
        1 + hash(visit, line) % 3 as quantity,
        (5 + customer % 3 * 20 + line)::decimal(10, 2) as amount,
        'product ' || product_id as product_name,
    from range({size}) as customers (customer)
    cross join range(4) as visits (visit)
    cross join range(3) as lines (line)
"""

# What must hold within one transaction, of one run: how much it does not
CHECKS = {
    "customers": """
        select count(*) from custseg.segments where run_name = $name
        except select count(*) from custseg.customer_features where run_name = $name
    """,
    "shop": """
        select count(*) from custseg.segments where run_name = $name
        except select replace(source, 'shop_', '')::integer from custseg.runs
        where run_id = (select max(run_id) from custseg.runs where run_name = $name)
    """,
    "features": """
        select replace(source, 'shop_', '')::integer from custseg.runs
        where run_id = (select max(run_id) from custseg.runs where run_name = $name)
        except select count(*) from custseg.customer_features where run_name = $name
    """,
    "model": """
        select model_version from custseg.runs
        where run_id = (select max(run_id) from custseg.runs where run_name = $name)
        except select version from custseg.models where name = $name
    """,
    "summary": """
        select sum(n_customers) from custseg.segment_summary where run_name = $name
        except select (select count(*) from custseg.segments where run_name = $name)
    """,
    "centroids": """
        select segment from custseg.segments where run_name = $name
        except select segment from custseg.centroids where run_name = $name
    """,
    "labels": """
        select segment from custseg.segments where run_name = $name
        except select segment from custseg.segment_labels where run_name = $name
    """,
    "labelled": """
        select count(*) from custseg.labelled_segments where run_name = $name
        except select count(*) from custseg.segments where run_name = $name
    """,
    "rules": """
        select list_sort(list_concat(antecedents, consequents)) from custseg.rules
        where run_name = $name
        except select list_sort(items) from custseg.itemsets where run_name = $name
    """,
    "history": """
        select count(*) from custseg.segment_history
        where run_id = (select max(run_id) from custseg.runs where run_name = $name)
        except select count(*) from custseg.segments where run_name = $name
    """,
}


class Crowd:
    """All that go on until the time is up, and what they found."""

    def __init__(self, figure: Figure, con: Con, folder: Path, seconds: float, seed: int) -> None:
        self.figure, self.con, self.folder, self.seed = figure, con, folder, seed
        self.until = time.monotonic() + seconds
        self._lock = threading.Lock()
        self.doing: dict[int, tuple[str, float]] = {}

    def count(self, what: str) -> None:
        with self._lock:
            self.figure.counts[what] += 1

    def failed(self, what: str, detail: str) -> None:
        with self._lock:
            self.figure.failed(what, detail[:600])

    def go_on(
        self, number: int, acts: dict[str, tuple[int, Callable[..., None]]], pause: float
    ) -> None:
        """One of the crowd: does one of these at a time, by their weights."""
        chosen = random.Random(f"{self.seed} {number}")
        names, weights = list(acts), [weight for weight, _ in acts.values()]
        with self.con.cursor() as con:
            while time.monotonic() < self.until:
                (name,) = chosen.choices(names, weights)
                self.doing[number] = (name, time.monotonic())
                try:
                    acts[name][1](self, con, chosen, number)
                except custseg_duck.CustsegError as error:
                    self._told(name, error)
                except Exception as error:
                    self.failed("unclear errors", f"{name}: {error!r}")
                self.doing.pop(number)
                time.sleep(chosen.random() * pause)

    def _told(self, name: str, error: custseg_duck.CustsegError) -> None:
        if error.code == "conflict" and "try again" in str(error):
            self.count("conflicts refused")
        elif error.code in EXPECTED.get(name, ()):
            self.count("refused, since another had dropped or taken it")
        else:
            self.failed("unclear errors", f"{name}: {error!r}")


# What may be refused because somebody else was faster
EXPECTED = {
    "export_model": ("file", "no-model"),
    "drop_model": ("no-model",),
    "refresh": ("file", "no-model", "query", "value"),
}


# --- writers -------------------------------------------------------------------------------------


def _run(crowd: Crowd, con: Con, chosen: random.Random, number: int) -> None:
    del number
    size, name = chosen.choice(SIZES), chosen.choice(NAMES)
    options: dict[str, Any] = {} if chosen.random() < 0.2 else QUICK
    custseg_duck.run(f"shop_{size}", con=con, name=name, k=chosen.choice((2, 3, 4)), **options)
    crowd.count("runs")


def _refresh(crowd: Crowd, con: Con, chosen: random.Random, number: int) -> None:
    del number
    fit: Any = chosen.choice(("matched", "warm", "frozen"))
    custseg_duck.refresh(
        f"shop_{chosen.choice(SIZES)}", con=con, name=chosen.choice(NAMES), fit=fit
    )
    crowd.count("refreshes")


def _models(crowd: Crowd, con: Con, chosen: random.Random, number: int) -> None:
    path = crowd.folder / f"model {number}.parquet"
    custseg_duck.export_model(con, path, name=chosen.choice(NAMES))
    name, version = custseg_duck.import_model(con, path, name=f"imported {number}")
    if chosen.random() < 0.5:
        custseg_duck.drop_model(con, name=name, version=version)
    crowd.count("models moved")


def _export(crowd: Crowd, con: Con, chosen: random.Random, number: int) -> None:
    path = crowd.folder / f"exported {number}.duckdb"
    custseg_duck.export(con, path, overwrite=True)
    with duckdb.connect(str(path), read_only=True) as other:
        _check(crowd, other, chosen.choice(NAMES), "an exported file")
    crowd.count("exports")


def _label(crowd: Crowd, con: Con, chosen: random.Random, number: int) -> None:
    """A user edits a label, and takes a moment to commit."""
    name = chosen.choice(NAMES)
    con.execute("begin")
    try:
        con.execute(
            "update custseg.segment_labels set label = $label where run_name = $name "
            "and segment = 0",
            {"label": f"label of {number}", "name": name},
        )
        time.sleep(chosen.random() * 0.2)
        con.execute("commit")
        crowd.count("edits")
    except duckdb.TransactionException:  # DuckDB's word to a user's own statement
        with contextlib.suppress(duckdb.TransactionException):  # if it was the commit
            con.execute("rollback")
        crowd.count("edits refused by DuckDB")


# --- readers -------------------------------------------------------------------------------------


def _read(crowd: Crowd, con: Con, chosen: random.Random, number: int) -> None:
    """Many statements in one transaction."""
    del number
    _check(crowd, con, chosen.choice(NAMES), "a transaction")
    crowd.count("reads")


def _check(crowd: Crowd, con: Con, name: str, where: str) -> None:
    con.execute("begin")
    try:
        for check, query in CHECKS.items():
            wrong = con.execute(query, {"name": name}).fetchall()
            if wrong:
                crowd.failed("inconsistent reads", f"{where}: {check} of {name}: {wrong[:3]}")
    finally:
        con.execute("rollback")


def _score(crowd: Crowd, con: Con, chosen: random.Random, number: int) -> None:
    """The model that is stored is the one that the segments were made with."""
    del number
    name = chosen.choice(NAMES)
    con.execute("begin")
    try:
        ((version,),) = con.execute(
            "select model_version from custseg.runs where run_name = $name "
            "order by run_id desc limit 1",
            {"name": name},
        ).fetchall()
        wrong = con.execute(
            f"select count(*) from custseg.score('features_of_{name}', $name, "
            "model_version := $version) as scored inner join custseg.segments as stored "
            "on scored.customer_id = stored.customer_id and stored.run_name = $name "
            "where scored.segment <> stored.segment",
            {"name": name, "version": version},
        ).fetchall()
    finally:
        con.execute("rollback")
    if wrong != [(0,)]:
        crowd.failed("inconsistent reads", f"score of {name} version {version}: {wrong}")
    crowd.count("scores")


def _one_statement(crowd: Crowd, con: Con, chosen: random.Random, number: int) -> None:
    """In autocommit, a statement over several tables."""
    del number
    name = chosen.choice(NAMES)
    check = chosen.choice(list(CHECKS))
    wrong = con.execute(CHECKS[check], {"name": name}).fetchall()
    if wrong:
        crowd.failed("inconsistent reads", f"one statement: {check} of {name}: {wrong[:3]}")
    for view in ("top_rules", "decision_rules", "migrations", "line_counts"):
        con.execute(f"select count(*) from custseg.{view}").fetchall()
    crowd.count("single statements")


WRITING: dict[str, tuple[int, Callable[..., None]]] = {
    "run": (6, _run),
    "refresh": (2, _refresh),
    "export_model": (1, _models),
    "export": (1, _export),
    "label": (2, _label),
}
READING: dict[str, tuple[int, Callable[..., None]]] = {
    "read": (6, _read),
    "score": (2, _score),
    "one statement": (4, _one_statement),
}


def tried(n: int, *, seed: int) -> Figure:
    """``n`` seconds."""
    figure = Figure(must_be_zero=("inconsistent reads", "unclear errors", "deadlocks"))
    figure.counts["seconds"] = n
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", custseg_duck.CustsegWarning)
        shop = Path(folder) / "shop.duckdb"
        with custseg_duck.connect(shop) as con:
            con.execute("set enable_progress_bar = false")
            for size in SIZES:
                con.execute(SHOP.format(size=size))
            for name in NAMES:
                custseg_duck.run("shop_20", con=con, name=name, k=2)
                con.execute(
                    f"create view features_of_{name} as "
                    f"from custseg.customer_features where run_name = '{name}'"
                )
            crowd = Crowd(figure, con, Path(folder), n, seed)
            _all_at_once(crowd)
            _of_another_process(crowd, shop)
            for name in NAMES:
                _check(crowd, con, name, "at the end")
    return figure


def _all_at_once(crowd: Crowd) -> None:
    threads = [
        threading.Thread(
            target=crowd.go_on, args=(i, WRITING, 0.0) if i < WRITERS else (i, READING, 0.1)
        )
        for i in range(WRITERS + READERS)
    ]
    for thread in threads:
        thread.daemon = True
        thread.start()
    for thread in threads:
        thread.join(max(crowd.until - time.monotonic(), 0) + TOO_LONG)
    if any(thread.is_alive() for thread in threads):
        crowd.failed("deadlocks", f"still at it: {crowd.doing}")


def _of_another_process(crowd: Crowd, shop: Path) -> None:
    """DuckDB lets one process alone write to a file, and none read it meanwhile."""
    program = (
        "import sys, custseg_duck\n"
        "try: custseg_duck.connect(sys.argv[1], read_only=sys.argv[2] == 'read')\n"
        "except custseg_duck.CustsegError as error: print(error.code)"
    )
    for way in ("read", "write"):
        told = subprocess.run(
            [sys.executable, "-c", program, str(shop), way],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if told.stdout.strip() != "cannot-open":
            crowd.failed("unclear errors", f"another process that would {way}: {told}")
        crowd.count("other processes refused")
