"""The command custseg-duck. Needs the extra: pip install 'custseg_duck[cli]'."""

import contextlib
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import duckdb

import custseg_duck
from custseg_duck import mining
from custseg_duck.result import RunResult

try:
    import click
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from custseg_duck import display
except ImportError as error:  # pragma: no cover
    sys.exit(f"custseg-duck needs {error.name}: pip install 'custseg_duck[cli]'")

console = Console(stderr=True)

STEP_NAMES = {
    "lines": "reading the order lines",
    "line_report": "counting what was left out",
    "fingerprint": "comparing with the run before",
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


class _Mapping(click.ParamType[tuple[str, Any]]):
    """``customer_id=household_id``, ``monetary=2``."""

    def __init__(self, example: str, kind: Callable[[str], Any] = str) -> None:
        self.name, self.kind = example, kind

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, Any]:
        ours, equals, theirs = value.partition("=")
        if not equals or not ours or not theirs:
            self.fail(f"must be like {self.name}, got {value}", param, ctx)
        try:
            return ours, self.kind(theirs)
        except ValueError:
            self.fail(f"must be like {self.name}, got {value}", param, ctx)


class _WordOrCount(click.ParamType[Any]):
    """A whole number, or a word with a meaning."""

    def __init__(self, word: str, meaning: str | None) -> None:
        self.word, self.meaning = word, meaning
        self.name = f"N|{word}"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if value is None or isinstance(value, int):
            return value
        if value.lower() == self.word:
            return self.meaning
        try:
            return int(value)
        except ValueError:
            self.fail(f"must be a whole number or {self.word}, got {value}", param, ctx)


NO_LIMIT = _WordOrCount("none", None)


MINING_OPTIONS = (
    click.option("--min-support", type=float, help="Share of orders, in (0, 1].  [default: 0.01]"),
    click.option("--min-count", type=int, help="The same as a number of orders, instead."),
    click.option(
        "--max-length",
        type=NO_LIMIT,
        metavar="N|none",
        default="3",
        show_default=True,
        help="Longest itemset.",
    ),
    click.option(
        "--max-pairs", type=int, help="Refuse to count more pairs of items in all orders."
    ),
    click.option("--max-candidates", type=int, help="Most itemsets of one length to count."),
    click.option(
        "--on-limit",
        type=click.Choice(["error", "truncate"]),
        default="error",
        show_default=True,
        help="Beyond --max-candidates: stop, or leave longer itemsets uncounted.",
    ),
)


def _mining_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(MINING_OPTIONS):
        command = option(command)
    return command


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Without the limits that are not given."""
    return {
        name: value
        for name, value in options.items()
        if value is not None or name not in ("max_pairs", "max_candidates")
    }


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(custseg_duck.__version__, prog_name="custseg-duck")
@click.option("-v", "--verbose", is_flag=True, help="Show every SQL statement.")
def main(verbose: bool) -> None:
    """Customer segmentation inside DuckDB."""
    if verbose:
        logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, format="%(message)s")


@main.command()
@click.argument("source", required=False)
@click.option(
    "--database", "-d", required=True, metavar="FILE", help="DuckDB file to write to; made if new."
)
@click.option("--name", default="default", show_default=True, help="Name of the run.")
@click.option(
    "--map",
    "mappings",
    multiple=True,
    type=_Mapping("customer_id=household_id"),
    metavar="CANONICAL=YOURS",
    help="Column of another name; repeatable.",
)
@click.option(
    "--algorithm", type=click.Choice(["kmeans", "gmm"]), default="kmeans", show_default=True
)
@click.option(
    "--covariance-type",
    type=click.Choice(["full", "tied", "diag", "spherical"]),
    default="full",
    show_default=True,
    help="Of a mixture (gmm).",
)
@click.option(
    "-k",
    "k",
    type=_WordOrCount("auto", "auto"),
    metavar="N|auto",
    default="8",
    show_default=True,
    help="Number of segments.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--include", multiple=True, metavar="FEATURE", help="Cluster by these; repeatable.")
@click.option(
    "--exclude", multiple=True, metavar="FEATURE", help="Do not cluster by these; repeatable."
)
@click.option(
    "--features",
    metavar="RELATION",
    help="Table or file with the customers' own features, to cluster by instead.",
)
@click.option(
    "--weight",
    "weights",
    multiple=True,
    type=_Mapping("monetary=2", float),
    metavar="FEATURE=NUMBER",
    help="How much further a feature's differences count; repeatable.",
)
@click.option(
    "--transform",
    "transforms",
    multiple=True,
    type=_Mapping("monetary=log"),
    metavar="FEATURE=log|identity",
    help="How a feature's values are taken; repeatable.",
)
@_mining_options
@click.option("--item", default="product_id", show_default=True, help="Column of the items.")
@click.option("--min-confidence", type=float, default=0.1, show_default=True)
@click.option(
    "--max-antecedents", type=NO_LIMIT, metavar="N|none", default="none", show_default=True
)
@click.option("--max-consequents", type=NO_LIMIT, metavar="N|none", default="1", show_default=True)
@click.option(
    "--decision-rules/--no-decision-rules",
    default=True,
    show_default=True,
    help="The segments as SQL conditions.",
)
@click.option(
    "--segment-rules/--no-segment-rules",
    default=True,
    show_default=True,
    help="Rules within each segment.",
)
@click.option(
    "--n-recommendations",
    type=int,
    default=10,
    show_default=True,
    help="Most offers of each kind to a customer; 0 for none.",
)
@click.option("--since", metavar="TIME", help="Only lines from then on.")
@click.option("--as-of", metavar="TIME", help="Only lines before then.")
@click.option(
    "--exclude-item",
    "exclude_items",
    multiple=True,
    metavar="PRODUCT",
    help="Leave out a product; repeatable.",
)
@click.option("--returns", type=click.Choice(["net", "drop"]), default="net", show_default=True)
@click.option(
    "--duplicates", type=click.Choice(["keep", "drop"]), default="keep", show_default=True
)
@click.option(
    "--empty-lines", type=click.Choice(["drop", "keep"]), default="drop", show_default=True
)
@click.option("--time-zone", metavar="ZONE", help="The shop's zone, if its times are in UTC.")
@click.option("--max-fit-bytes", type=int, help="Refuse if the vectors would take more memory.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
def run(source: str | None, database: str, mappings: Any, quiet: bool, **options: Any) -> None:
    """Segment the customers of SOURCE, order lines in a table of the database or in a file.

    SOURCE is a Parquet or CSV file, or a folder of them (orders, products, ...), or a table.

    \b
    Examples:
      custseg-duck run orders.parquet -d shop.duckdb --map customer_id=household_id
      custseg-duck run order_lines -d shop.duckdb -k auto --min-support 0.001
      custseg-duck run instacart/ -d shop.duckdb
    """  # noqa: D301
    for several in ("include", "exclude", "exclude_items"):
        options[several] = list(options[several]) or None
    for pairs in ("weights", "transforms"):
        options[pairs] = dict(options[pairs]) or None
    run_and_show(source, database, quiet=quiet, columns=dict(mappings), **_given(options))


DATABASE = click.option(
    "--database", "-d", default="shop.duckdb", show_default=True, metavar="FILE"
)
NAME = click.option("--name", default="default", show_default=True, help="Name of the run.")


@main.command()
@click.argument("source", required=False)
@DATABASE
@NAME
@click.option(
    "--fit",
    type=click.Choice(["warm", "matched", "frozen"]),
    default="warm",
    show_default=True,
    help="Go on from the model; fit anew and match; or keep the model and only assign.",
)
@click.option("--since", metavar="TIME", help="Only lines from then on.")
@click.option("--as-of", metavar="TIME", help="Only lines before then.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
def refresh(
    source: str | None, database: str, name: str, fit: Any, quiet: bool, **given: Any
) -> None:
    """Run again what was run before, on what the shop holds now: segments keep their numbers.

    Reads the same SOURCE with the same options, unless others are given. If nothing has changed,
    nothing is done.

    \b
    Example:
      custseg-duck refresh -d shop.duckdb --as-of 2024-07-01
    """  # noqa: D301
    changes = {option: value for option, value in given.items() if value is not None}

    def go_on(con: duckdb.DuckDBPyConnection, progress: Any) -> RunResult:
        return custseg_duck.refresh(
            source, con=con, name=name, fit=fit, progress=progress, **changes
        )

    _show_result(database, quiet, go_on)


@main.command()
@click.argument("customer_id")
@DATABASE
@NAME
@click.option("-n", "n", type=int, default=8, show_default=True, help="Most features to show.")
def explain(customer_id: str, database: str, name: str, n: int) -> None:
    """Say why a customer is in its segment, and what would move it to another."""
    with _errors(), _connect(database) as con:
        display.show_explanation(con, customer_id, name, n, Console())


@main.command()
@click.argument("segments", nargs=-1)
@DATABASE
@NAME
@click.option("--to", "path", required=True, metavar="FILE", help="Ends in .csv or .parquet.")
def targets(segments: tuple[str, ...], database: str, name: str, path: str) -> None:
    """Write the customers of SEGMENTS, labels or numbers, with their features to a file.

    \b
    Example:
      custseg-duck targets "high spend, big baskets" 3 --to campaign.csv
    """  # noqa: D301
    with _errors(), _connect(database) as con:
        n_rows = custseg_duck.export_targets(con, path, segments=segments or None, name=name)
    click.echo(f"{n_rows:,} customers written to {path}", err=True)


@main.group()
def models() -> None:
    """List, export, import or drop stored models."""


@models.command("list")
@DATABASE
def list_models(database: str) -> None:
    """List the stored models, with what is known of how they were made."""
    with _errors(), _connect(database) as con:
        display.show_models(con, Console())


@models.command("export")
@click.argument("path", metavar="FILE")
@DATABASE
@NAME
@click.option("--version", type=int, help="By default the latest.")
def export_model(path: str, database: str, name: str, version: int | None) -> None:
    """Write a model to FILE, which ends in .parquet or .json."""
    with _errors(), _connect(database) as con:
        custseg_duck.export_model(con, path, name=name, version=version)


@models.command("import")
@click.argument("path", metavar="FILE")
@DATABASE
@click.option("--name", help="To store it under; by default the one that it had.")
def import_model(path: str, database: str, name: str | None) -> None:
    """Read a model from FILE, and refuse it if it was changed or damaged."""
    with _errors(), _connect(database) as con:
        stored, version = custseg_duck.import_model(con, path, name=name)
    click.echo(f"stored as {stored} version {version}", err=True)


@models.command("drop")
@click.argument("name")
@DATABASE
@click.option("--version", type=int, help="By default all of them.")
def drop_model(name: str, database: str, version: int | None) -> None:
    """Delete a model, or one version of it; segments made with it stay."""
    with _errors(), _connect(database) as con:
        n_dropped = custseg_duck.drop_model(con, name=name, version=version)
    click.echo(f"{n_dropped} dropped", err=True)


@main.group()
def sql() -> None:
    """Print the SQL of a step, to run in any DuckDB client."""


@sql.command()
@click.argument("source")
@click.option("--into", default="itemsets", show_default=True, help="Table to make or replace.")
@_mining_options
@click.option("--item", default="product_id", show_default=True, help="Column of the items.")
def itemsets(source: str, into: str, **options: Any) -> None:
    """Print the script that mines SOURCE, a table or a file with order_id and the items.

    The database must have the macros of custseg_duck, as every run leaves them. One statement,
    "from custseg.frequent_itemsets(...)", gives the same rows; the script is quicker on large data.

    \b
    Example:
      custseg-duck sql itemsets order_lines --min-support 0.001 | duckdb shop.duckdb
    """  # noqa: D301
    with _errors():
        click.echo(mining.script(source, into=into, **_given(options)), nl=False)


@main.command()
@click.option(
    "--database",
    "-d",
    default="shop.duckdb",
    show_default=True,
    metavar="FILE",
    help="DuckDB file to write to; made if new.",
)
def demo(database: str) -> None:
    """Segment a real shop: the Complete Journey, 1.47 million order lines of 2,469 households."""
    from custseg_duck import demo as complete_journey

    with _errors(), _connect(database) as con:
        complete_journey.make_order_lines(con)
    result_options = complete_journey.OPTIONS
    run_and_show("order_lines", database, quiet=False, **result_options)
    click.echo(complete_journey.QUERIES.format(database=database))


def run_and_show(source: str | None, database: str, *, quiet: bool, **options: Any) -> None:
    """Run with a progress bar, then print what came of it."""
    _show_result(
        database,
        quiet,
        lambda con, progress: custseg_duck.run(source, con=con, progress=progress, **options),
    )


def _show_result(
    database: str, quiet: bool, work: Callable[[duckdb.DuckDBPyConnection, Any], RunResult]
) -> None:
    with _errors(), _connect(database) as con:
        with warnings.catch_warnings(record=True) as caught, _explained(quiet):
            warnings.simplefilter("always", custseg_duck.CustsegWarning)
            with Progress(
                TextColumn("{task.description:<30}"),
                BarColumn(),
                TimeElapsedColumn(),
                console=console,
                disable=quiet,
                transient=True,
            ) as bar:
                task = bar.add_task("starting")

                def progress(step: str, number: float, n_steps: int) -> None:
                    bar.update(task, description=STEP_NAMES[step], completed=number, total=n_steps)

                result = work(con, progress)
        for warning in caught:
            click.echo(f"Note: {warning.message}", err=True)
        if quiet:
            return
        if result.is_unchanged:
            click.echo("Nothing has changed since the last run", err=True)
        display.show(result, Console())


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


def _connect(database: str) -> duckdb.DuckDBPyConnection:
    con = custseg_duck.connect(database)
    con.execute("set enable_progress_bar = false")  # there is one for the whole run
    return con


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    """Our errors as one line on stderr and exit code 1; an interrupt as exit code 130."""
    try:
        yield
    except custseg_duck.CustsegError as error:
        if "INTERRUPT" in str(error):
            _stop()
        click.echo(f"Error: {' '.join(str(error).split())}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "interrupt" not in str(error):
            raise
        _stop()


def _stop() -> NoReturn:
    click.echo("Interrupted: the database is as it was", err=True)
    sys.exit(130)


if __name__ == "__main__":
    main()
