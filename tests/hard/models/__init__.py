"""Models are only data: rows and files that were corrupted, or made by somebody who means harm.

A row of ``custseg.models`` is changed in a random place, with and without a checksum that fits
again. Whatever uses it must then refuse it by an error of ours, or give what numpy computes of the
very values that are there. A file is damaged or made up; it must be refused, and leave all as it
was, or be the model that it was.
"""

import contextlib
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import custseg_duck
from tests.hard.figure import Figure
from tests.hard.models.files import try_file
from tests.hard.models.rows import try_row
from tests.hard.models.shop import EXECUTED, RUNS, TOUCHED, UNCLEAR, WRONG, Shop, make_shop

PROMISED = 500


def tried(n: int, *, seed: int) -> Figure:
    """``n`` rows and files, three of five of them rows."""
    figure = Figure(must_be_zero=(EXECUTED, WRONG, UNCLEAR, TOUCHED))
    figure.counts.update({"rows": 0, "files": 0, "refusals": 0})
    n_rows = n * 3 // 5
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore", custseg_duck.CustsegWarning)
        folder = Path(place)
        make_shop(folder / "good.duckdb")
        for first in range(0, max(n_rows, 1), 100):  # a new database now and then: runs add up
            _rows(figure, folder, range(first, min(first + 100, n_rows)), seed)
        _files(figure, folder, n - n_rows, seed)
    return figure


@contextlib.contextmanager
def _shop(folder: Path) -> Iterator[Shop]:
    shutil.copy(folder / "good.duckdb", folder / "shop.duckdb")
    with custseg_duck.connect(folder / "shop.duckdb") as con:
        con.execute("create table x as select 1 as kept")
        yield Shop(con)
    (folder / "shop.duckdb").unlink()


def _rows(figure: Figure, folder: Path, numbers: range, seed: int) -> None:
    left = list(numbers)
    while left:
        with _shop(folder) as shop:
            while left:
                if try_row(figure, shop, folder, left.pop(0), seed):
                    break  # a refresh went through: on with the models as they were


def _files(figure: Figure, folder: Path, n: int, seed: int) -> None:
    with _shop(folder) as shop:
        good = {}
        for name in RUNS:
            good[name] = folder / f"good {name}"
            for suffix in (".json", ".parquet"):
                custseg_duck.export_model(shop.con, good[name].with_suffix(suffix), name=name)
        for number in range(n):
            try_file(figure, shop, good, number, seed)
