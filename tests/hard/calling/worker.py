"""Makes some of the calls, and writes each into a journal before it makes it.

``python -m tests.hard.calling.worker FOLDER SEED FIRST LAST``: batches FIRST to LAST - 1.
"""

import contextlib
import json
import os
import random
import shutil
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import duckdb

import custseg_duck
from custseg_duck.errors import CustsegWarning
from tests.hard.calling import judging, world
from tests.hard.calling.generating import (
    BY_NAME,
    CHOICES,
    FUNCTIONS,
    Call,
    Drawing,
    all_types_as_sql,
)
from tests.hard.calling.judging import FOREIGN, HANGS, RESULT, WRONG, Outcome

BATCH = 250
TEMPLATE = "template.duckdb"
HUNG_SECONDS = 10.0  # of the processors; of the clock six times, for a call that only waits
CHECKED_EVERY = 25  # calls, whether the database can still be used


class Watch:
    """Interrupts what takes too long."""

    def __init__(self) -> None:
        self._con: duckdb.DuckDBPyConnection | None = None
        self._began = self._used = 0.0
        self.has_hung = False
        threading.Thread(target=self._look, daemon=True).start()

    @contextlib.contextmanager
    def over(self, con: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Watch what is done with a connection."""
        self.has_hung, self._began, self._used = False, time.monotonic(), time.process_time()
        self._con = con
        try:
            yield
        finally:
            self._con = None

    def _look(self) -> None:
        while True:
            time.sleep(0.5)
            con = self._con
            used = max(time.process_time() - self._used, (time.monotonic() - self._began) / 6)
            if con is not None and used > HUNG_SECONDS:
                self.has_hung = True
                with contextlib.suppress(Exception):
                    con.interrupt()


class Batch:
    """Some calls on a database of their own; functions have another one, as they change it."""

    def __init__(self, folder: Path, number: int, watch: Watch) -> None:
        self.folder = folder / f"batch_{number}"
        self.folder.mkdir()
        self._template = folder / TEMPLATE
        self._watch = watch
        self._journal = (folder / f"batch_{number}.jsonl").open("a", buffering=1, encoding="utf-8")
        self.con = self._opened("macros.duckdb")
        self.functions_con: duckdb.DuckDBPyConnection | None = None
        self._n = 0
        self._made: set[str] = set()

    def close(self) -> None:
        """Leave nothing but the journal."""
        self.con.close()
        if self.functions_con:
            self.functions_con.close()
        self._journal.close()
        shutil.rmtree(self.folder)

    def _opened(self, name: str) -> duckdb.DuckDBPyConnection:
        path = self.folder / name
        for left in self.folder.glob(f"{name}*"):
            left.unlink()
        shutil.copy(self._template, path)
        return custseg_duck.connect(path, threads=1)

    def try_call(self, call: Call, columns: dict[str, list[str]]) -> None:
        """Make a call, and write down what came of it."""
        for relation in call.relations:
            if relation not in self._made:
                world.make(self.con, relation)
                self._made.add(relation)
        self._journal.write(json.dumps({"call": call.text, "about": call.about}) + "\n")
        try:
            outcome = self._python(call) if call.is_python else self._sql(call, columns)
        except Exception as error:
            outcome = judging.of_error(call, error)
        if self._watch.has_hung:
            outcome = Outcome(HANGS, f"more than {HUNG_SECONDS:.0f} s of the processors")
        self._n += 1
        if outcome.kind != HANGS and self._n % CHECKED_EVERY == 0:
            outcome = self._usable() or outcome
        self._journal.write(json.dumps(outcome._asdict()) + "\n")

    def _sql(self, call: Call, columns: dict[str, list[str]]) -> Outcome:
        with self._watch.over(self.con):
            result = self.con.execute(call.text)
            names = [name for name, *_ in result.description]
            rows = result.fetchmany(5000)
            result.fetchall()
        expected = columns.get(call.about, [])
        return judging.of_rows(call, names, rows, expected, lambda name: self._has_null(call, name))

    def _has_null(self, call: Call, name: str) -> bool:
        """Whether a relation of the call has a NULL in a column of that name, or in its lists."""
        for relation in call.relations:
            for column, kind, *_ in self.con.execute(f"describe {relation}").fetchall():
                if column.lower() not in (name, f"{name}s") and name not in kind:
                    continue
                is_null = f'"{column}" is null'
                if kind.endswith(("]", ")")):
                    is_null += f""" or "{column}"::varchar like '%NULL%'"""
                sql = f"select count(*) from {relation} where {is_null}"
                if self.con.execute(sql).fetchall() != [(0,)]:
                    return True
        return False

    def _usable(self) -> Outcome | None:
        try:
            rows = self.con.execute("select count(*) from lines").fetchall()
        except duckdb.Error as error:
            return Outcome(FOREIGN, f"the database cannot be used any more: {error}")
        return None if rows == [(288,)] else Outcome(WRONG, f"lines have changed: {rows}")

    def _python(self, call: Call) -> Outcome:
        con = self._for_functions(call)
        arguments = dict(call.arguments)
        if call.about not in ("connect", "export_report") or "con" in arguments:
            given_con = arguments.get("con", con)
            arguments["con"] = self._closed() if given_con == "closed" else given_con
        elif call.about == "export_report":
            arguments["con"] = con
        outcome = Outcome(RESULT)
        try:
            with self._watch.over(con), contextlib.chdir(self.folder):
                made = FUNCTIONS[call.about](**arguments)
            if call.about == "connect":
                made.close()
        except Exception as error:
            outcome = judging.of_error(call, error)
        return self._left_behind(con, call) or outcome

    def _closed(self) -> duckdb.DuckDBPyConnection:
        con = duckdb.connect()
        con.close()
        return con

    def _for_functions(self, call: Call) -> duckdb.DuckDBPyConnection:
        """The functions' database as a run left it, with the relations of the call."""
        con = self.functions_con
        if con is not None:
            present = con.execute(
                "select 1 from duckdb_tables() "
                "where schema_name = 'custseg' and table_name = 'runs'"
            ).fetchall()
            if not present:
                con.close()
                con = None
        if con is None:
            con = self.functions_con = self._opened("functions.duckdb")
            (self.folder / "folder").mkdir(exist_ok=True)
            for suffix in ("json", "parquet"):
                custseg_duck.export_model(con, self.folder / f"good.{suffix}")
        for relation in call.relations:
            world.make(con, relation)
        return con

    def _left_behind(self, con: duckdb.DuckDBPyConnection, call: Call) -> Outcome | None:
        """What a function left that it must not, in words; and clear it away."""
        found = con.execute(
            "select 'table', table_name from duckdb_tables() where temporary union all "
            "select 'view', view_name from duckdb_views() where temporary and not internal"
        ).fetchall()
        for kind, name in found:
            con.execute(f'drop {kind} temp.main."{name}"')
        if found and not call.arguments.get("temporary"):
            return Outcome(WRONG, f"left behind: {found}")
        if custseg_duck.functions.in_transaction(con):
            con.rollback()
            return Outcome(WRONG, "left a transaction open")
        return None


def known_columns(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """The columns of each table macro whose columns are the same whatever it reads."""
    found = {}
    for name, header in BY_NAME.items():
        if not header.is_table:
            continue
        given = [_first(parameter) for parameter in header.required]
        plain = f"from custseg.{name}({', '.join(given)})"
        try:
            columns = [one for one, *_ in con.execute(f"describe {plain}").fetchall()]
        except duckdb.Error:
            continue
        if name not in ("target_list", "with_hierarchy", "unrelated_itemsets"):
            found[name] = [column.lower() for column in columns]
    return found


def _first(parameter: str) -> str:
    if parameter in world.RELATIONS:
        return f"'{world.RELATIONS[parameter][0]}'"
    return CHOICES[parameter][-1] if parameter in CHOICES else "'lines'"


def make_batch(folder: Path, number: int, seed: int, watch: Watch, n: int) -> None:
    """Draw and make the calls of one batch."""
    batch = Batch(folder, number, watch)
    drawing = Drawing(all_types_as_sql(batch.con))
    columns = known_columns(batch.con)
    rng = random.Random(f"{seed} {number}")
    for _ in range(n):
        batch.try_call(drawing.call(rng), columns)
    batch.close()


def main() -> None:
    """Make the batches that the command line says."""
    folder, seed, first, last, n = Path(sys.argv[1]), *map(int, sys.argv[2:])
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", RuntimeWarning)
    warnings.simplefilter("ignore", CustsegWarning)
    os.chdir(folder)
    watch = Watch()
    for number in range(first, last):
        done = number * BATCH
        make_batch(folder, number, seed, watch, min(BATCH, n - done))


if __name__ == "__main__":
    main()
