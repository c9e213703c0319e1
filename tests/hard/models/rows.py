"""The trial of a row: everything that uses it refuses it, or gives what its values say."""

import random
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np

import custseg_duck
from tests.hard.figure import Figure
from tests.hard.models.changes import changed
from tests.hard.models.right import is_consistent, scores, vectors
from tests.hard.models.shop import TOUCHED, UNCLEAR, WRONG, Model, Shop, is_clear


class _Trial(NamedTuple):
    figure: Figure
    shop: Shop
    name: str
    model: Model | None
    detail: str

    def refused(self, error: Exception, what: str) -> None:
        """An error is one of ours, or what DuckDB says of a list's length."""
        self.figure.counts["refusals"] += 1
        if not is_clear(error):
            self.figure.failed(
                UNCLEAR, f"{self.detail}, {what}: {type(error).__name__} {str(error)[:300]}"
            )

    def wrong(self, what: str) -> None:
        """Something was computed that is not of these values."""
        self.figure.failed(WRONG, f"{self.detail}, {what}")

    def expected(self) -> np.ndarray[Any, Any] | None:
        """The scores of every customer; None if the values do not say any."""
        if self.model is None or not is_consistent(self.model):
            return None
        try:
            with np.errstate(all="ignore"):
                return scores(self.model, vectors(self.model, self.shop.rows))
        except KeyError:  # a feature that the table does not have
            return None

    def check(self, found: list[tuple[Any, ...]], what: str) -> None:
        """Hold segments by customer_id against those of the values."""
        expected = self.expected()
        if expected is None:
            self.wrong(f"{what}: {found[:2]} of values that say nothing")
            return
        self.figure.counts["assignments held against numpy"] += len(found)
        if len(found) != len(self.shop.rows):
            self.wrong(f"{what}: {len(found)} rows")
            return
        for number, (customer_id, segment) in enumerate(sorted(found)):
            row = expected[number]
            known = np.where(np.isnan(row), -np.inf, row)
            best = known.max()
            is_right = (
                customer_id == number
                and segment is not None
                and 0 <= segment < len(row)
                and (best - known[segment]) <= 1e-9 * max(1.0, abs(best))
            )
            if not is_right:
                self.wrong(f"{what}: customer {customer_id} in segment {segment} of {row}")
                return


def _scored(trial: _Trial) -> None:
    """By custseg.score and explain, which look at the model first."""
    con = trial.shop.con
    try:
        found = con.execute(
            "select customer_id, segment from custseg.score('own', $name)", {"name": trial.name}
        ).fetchall()
    except duckdb.Error as error:
        trial.refused(error, "score")
    else:
        trial.check(found, "score")
    try:
        reasons = con.execute(
            "select distinct segment from custseg.explain(7, of_run := $name)", {"name": trial.name}
        ).fetchall()
    except duckdb.Error as error:
        trial.refused(error, "explain")
        return
    expected = trial.expected()
    with np.errstate(all="ignore"):
        is_known = expected is not None and np.isfinite(expected[7]).all()
    if is_known and expected is not None:
        best = expected[7].max()
        for (segment,) in reasons:
            if segment is None or best - expected[7][segment] > 1e-9 * max(1.0, abs(best)):
                trial.wrong(f"explain: segment {segment} of {expected[7]}")


def _told(trial: _Trial) -> None:
    """By the centroids, and by what says how far and how probable."""
    con = trial.shop.con
    calls = {
        "centroids": "select segment, value from custseg.centroids('custseg.models')",
        "distances": "select custseg.distances(model, vectors.features)",
        "probabilities": "select custseg.probabilities(model, vectors.features)",
        "assign": "select custseg.assign(model, vectors.features)",
    }
    for what, called in calls.items():
        query = called
        if what != "centroids":
            query += (
                " from custseg.models cross join custseg.apply_transform('own', (select "
                "model.features from custseg.stored_model($name))) as vectors where name = $name"
            )
        try:
            found = con.execute(query, {"name": trial.name} if "$" in query else {}).fetchall()
        except duckdb.Error as error:
            if isinstance(error, duckdb.InternalException | duckdb.FatalException):
                trial.figure.failed(UNCLEAR, f"{trial.detail}, {what}: {error}")
            elif what != "centroids":  # they look at the model first
                trial.refused(error, what)
            continue
        if what == "probabilities":
            sums = [sum(row[0]) for row in found if row[0] is not None]
            if len(sums) < len(found) or any(abs(one - 1) > 1e-9 for one in sums):
                trial.wrong(f"probabilities: they add up to {sums[:3]}")
        if what == "assign" and any(row[0] is None for row in found):
            trial.wrong("assign: NULL")


def _refreshed(trial: _Trial, fit: Any) -> None:
    """By refresh, which goes on from the model; what it refuses leaves all as it was."""
    con = trial.shop.con
    con.execute(
        "insert into own select * replace (90 as customer_id) from own where customer_id = 3"
    )
    try:
        custseg_duck.refresh(con=con, name=trial.name, fit=fit)
    except custseg_duck.CustsegError as error:
        trial.refused(error, f"refresh {fit}")
        con.execute("delete from own where customer_id = 90")
        if trial.shop.digest() != trial.shop.before:
            trial.figure.failed(TOUCHED, f"{trial.detail}, refresh {fit}")
        return
    finally:
        con.execute("delete from own where customer_id = 90")
    if fit == "frozen":
        found = con.execute(
            "select customer_id, segment from custseg.segments where run_name = $name "
            "and customer_id < 90", {"name": trial.name},
        ).fetchall()  # fmt: skip
        trial.check(found, "refresh frozen")
    else:
        found = con.execute(
            "select count(*) from custseg.segments where run_name = $name and segment is null",
            {"name": trial.name},
        ).fetchall()
        if found != [(0,)]:
            trial.wrong(f"refresh {fit}: NULL")


def _exported(trial: _Trial, folder: Path, suffix: str) -> None:
    """By export and import: the same model, or none."""
    path = folder / f"model{suffix}"
    con = trial.shop.con
    try:
        custseg_duck.export_model(con, path, name=trial.name)
        custseg_duck.import_model(con, path, name="again")
    except custseg_duck.CustsegError as error:
        trial.refused(error, "export")
        return
    finally:
        path.unlink(missing_ok=True)
    models = con.execute(
        "select model::varchar from custseg.models where name in ('again', $name)",
        {"name": trial.name},
    ).fetchall()
    con.execute("delete from custseg.models where name = 'again'")
    if len({model for (model,) in models}) != 1:
        trial.wrong("export and import: another model")


EVERY = {"scored": 1, "told": 2, "exported": 4, "refreshed": 8}  # of so many rows one


def try_row(figure: Figure, shop: Shop, folder: Path, number: int, seed: int) -> bool:
    """One corrupted row through the doors; whether the shop was written to."""
    draw = random.Random(f"{seed} {number}")
    name = draw.choice(sorted(shop.good))
    signed = draw.random() < 0.75
    model, what = changed(shop.good[name], draw)
    figure.counts["rows"] += 1
    shop.put(name, model, signed=signed)
    detail = f"seed {seed}, row {number}, {name}{', signed' if signed else ''}, {what}"
    trial = _Trial(figure, shop, name, model, detail)
    try:
        _scored(trial)
        if number % EVERY["told"] == 0:
            _told(trial)
        if number % EVERY["exported"] == 0:
            _exported(trial, folder, draw.choice([".json", ".parquet"]))
        if number % EVERY["refreshed"] == 0:
            _refreshed(trial, draw.choice(["frozen", "warm"]))
    except Exception as error:  # whatever it is, it is none of ours
        figure.failed(UNCLEAR, f"{detail}: {type(error).__name__} {str(error)[:300]}")
    is_written = shop.digest() != shop.before
    shop.restore()
    return is_written
