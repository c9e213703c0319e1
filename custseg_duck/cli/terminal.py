"""What every command does alike: opens the database, says errors, shows progress and notes."""

import contextlib
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import click
import duckdb
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

import custseg_duck
from custseg_duck.errors import message_of

STEP_NAMES = {
    "lines": "reading the order lines",
    "line_report": "counting what was left out",
    "fingerprint": "comparing with the run before",
    "orders": "counting orders",
    "repeat_counts": "counting products",
    "rfm": "computing features",
    "purchase_frequency": "computing features",
    "product_diversity": "computing features",
    "timing": "computing features",
    "department_shares": "computing features",
    "order_features": "computing features",
    "product_features": "computing features",
    "timed_features": "computing features",
    "joined_features": "computing features",
    "customer_features": "computing features",
    "rfm_names": "scoring recency and spend",
    "rfm_cut_points": "scoring recency and spend",
    "rfm_segments": "scoring recency and spend",
    "purchased_items": "collecting purchases",
    "item_lines": "counting purchases",
    "item_names": "collecting names",
    "preference_counts": "counting preferences",
    "customer_purchases": "collecting purchases",
    "transform": "scaling features",
    "vectors": "building vectors",
    "k_candidates": "choosing the number of segments",
    "fit": "clustering",
    "segments": "assigning customers",
    "segment_summary": "summing up segments",
    "segment_profiles": "profiling segments",
    "centroids": "locating centres",
    "model_metrics": "measuring the clustering",
    "drifting_features": "describing features",
    "feature_histograms": "describing features",
    "decision_trees": "writing rules of segments",
    "segment_preferences": "comparing preferences",
    "segment_matches": "matching segments",
    "feature_drift": "measuring drift",
    "mining_limits": "counting orders",
    "mined_items": "counting items",
    "mined_rows": "collecting baskets",
    "itemset_plan": "measuring baskets",
    "pair_counts": "counting pairs",
    "frequent_pairs": "finding frequent pairs",
    "candidate_sets": "looking for larger itemsets",
    "projected_pairs": "looking for larger itemsets",
    "projected_rows": "collecting their orders",
    "numbered_orders": "numbering their orders",
    "pair_blocks": "building bitmaps",
    "frequent_candidates": "counting larger itemsets",
    "grown_sets": "counting larger itemsets",
    "itemsets": "naming itemsets",
    "rules": "deriving rules",
    "segment_rules": "comparing segments",
    "offer_rules": "finding what goes with what",
    "recommendations": "recommending",
    "publish": "publishing tables",
}


def connected(database: str) -> duckdb.DuckDBPyConnection:
    """Open a database to write to, made if it is new."""
    if not database:
        raise custseg_duck.InputError("database must be the name of a file, got none [option]")
    con = custseg_duck.connect(database)
    con.execute("set enable_progress_bar = false")  # there is one for the whole run
    return con


def opened(database: str) -> duckdb.DuckDBPyConnection:
    """Open a database that is there.

    Raises
    ------
    InputError
        If there is none.
    """
    if not Path(database).is_file():
        raise custseg_duck.InputError(
            f"database must be a file that exists, got {database}. "
            f"custseg-duck run SOURCE --database {database} makes it [no-file]"
        )
    return connected(database)


@contextlib.contextmanager
def errors() -> Iterator[None]:
    """Our errors as one line on stderr and exit code 1; an interrupt as exit code 130."""
    try:
        yield
    except (custseg_duck.CustsegError, duckdb.Error) as error:
        if _is_interrupt(error):
            _stop()
        told = message_of(error) if isinstance(error, duckdb.Error) else str(error)
        click.echo(f"Error: {' '.join(told.split())}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "interrupt" not in str(error):
            raise
        _stop()


@contextlib.contextmanager
def progress_bar(quiet: bool) -> Iterator[Callable[[str, float, int], None]]:
    """A bar on stderr while something runs, moved by what ``run`` calls as ``progress``."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description:<30}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=quiet or not console.is_terminal,  # a log would get an empty line of it
        transient=True,
    ) as bar:
        task = bar.add_task("starting")

        def progress(step: str, number: float, n_steps: int) -> None:
            bar.update(task, description=STEP_NAMES[step], completed=number, total=n_steps)

        yield progress


@contextlib.contextmanager
def busy(text: str, *, quiet: bool) -> Iterator[None]:
    """Show on stderr that something goes on, if somebody looks."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield
        return
    with console.status(text):
        yield


@contextlib.contextmanager
def notes(quiet: bool) -> Iterator[None]:
    """Say on stderr what was recognised in the source, and at the end what there is to note."""
    with warnings.catch_warnings(record=True) as caught, _explained(quiet):
        warnings.simplefilter("always", custseg_duck.CustsegWarning)
        yield
    for warning in caught:
        click.echo(f"Note: {warning.message}", err=True)


def say(text: str, *, quiet: bool) -> None:
    """One line on stderr, unless quiet."""
    if not quiet:
        click.echo(text, err=True)


class _Echo(logging.Handler):
    """Says on stderr, beside the progress bar, what was recognised in the source."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(f"Source: {record.getMessage()}", err=True)


@contextlib.contextmanager
def _explained(quiet: bool) -> Iterator[None]:
    """Unless quiet, or verbose so that it is shown anyway."""
    log, echo = logging.getLogger("custseg_duck.source"), _Echo()
    if quiet or log.isEnabledFor(logging.INFO):
        yield
        return
    log.setLevel(logging.INFO)
    log.addHandler(echo)
    try:
        yield
    finally:
        log.removeHandler(echo)
        log.setLevel(logging.NOTSET)


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether it comes of one; a text of somebody else's may hold the word, too."""
    if error is None:
        return False
    return isinstance(error, duckdb.InterruptException) or _is_interrupt(error.__cause__)


def _stop() -> NoReturn:
    click.echo("Interrupted: the database is as it was", err=True)
    sys.exit(130)
