"""Types and groups of options that commands share."""

from collections.abc import Callable
from typing import Any

import click


class Mapping(click.ParamType[tuple[str, Any]]):
    """``customer_id=household_id``, ``monetary=2``."""

    def __init__(self, example: str, kind: Callable[[str], Any] = str) -> None:
        self.name, self.kind = example, kind

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, Any]:
        """The two sides, the right one as what it must be."""
        ours, equals, theirs = value.partition("=")
        if not equals or not ours or not theirs:
            self.fail(f"must be like {self.name}, got {value}", param, ctx)
        try:
            return ours, self.kind(theirs)
        except ValueError:
            self.fail(f"must be like {self.name}, got {value}", param, ctx)


class WordOrCount(click.ParamType[Any]):
    """A whole number, or a word with a meaning."""

    def __init__(self, word: str, meaning: str | None) -> None:
        self.word, self.meaning = word, meaning
        self.name = f"N|{word}"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """The number, or what the word means."""
        if value is None or isinstance(value, int):
            return value
        if value.lower() == self.word:
            return self.meaning
        try:
            return int(value)
        except ValueError:
            self.fail(f"must be a whole number or {self.word}, got {value}", param, ctx)


NO_LIMIT = WordOrCount("none", None)

DATABASE = click.option(
    "--database", "-d", default="shop.duckdb", show_default=True, metavar="FILE",
    help="DuckDB file with the results.",
)  # fmt: skip
NAME = click.option("--name", default="default", show_default=True, help="Name of the run.")
QUIET = click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
FORMAT = click.option(
    "--format", "style", type=click.Choice(["table", "json", "csv"]), default="table",
    show_default=True, help="csv has the first table alone.",
)  # fmt: skip
MAP = click.option(
    "--map", "mappings", multiple=True, type=Mapping("customer_id=household_id"),
    metavar="CANONICAL=YOURS", help="Column of another name; repeatable.",
)  # fmt: skip
ITEM = click.option("--item", default="product_id", show_default=True, help="Column of the items.")

MINING = (
    click.option("--min-support", type=float, help="Share of orders, in (0, 1].  [default: 0.01]"),
    click.option("--min-count", type=int, help="The same as a number of orders, instead."),
    click.option(
        "--max-length", type=NO_LIMIT, metavar="N|none", default="3", show_default=True,
        help="Longest itemset.",
    ),
    click.option(
        "--max-pairs", type=int, help="Refuse to count more pairs of items in all orders."
    ),
    click.option("--max-candidates", type=int, help="Most itemsets of one length to count."),
    click.option(
        "--on-limit", type=click.Choice(["error", "truncate"]), default="error",
        show_default=True,
        help="Beyond --max-candidates: stop, or leave longer itemsets uncounted.",
    ),
)  # fmt: skip

# What every run takes, as custseg_duck.run has it
RUN = (
    MAP,
    click.option(
        "--algorithm", type=click.Choice(["kmeans", "gmm"]), default="kmeans", show_default=True,
        help="K-Means, or a Gaussian mixture.",
    ),
    click.option(
        "--covariance-type", type=click.Choice(["full", "tied", "diag", "spherical"]),
        default="full", show_default=True, help="Of a mixture (gmm).",
    ),
    click.option(
        "-k", "k", type=WordOrCount("auto", "auto"), metavar="N|auto", default="8",
        show_default=True, help="Number of segments.",
    ),
    click.option("--seed", type=int, default=0, show_default=True),
    click.option(
        "--include", multiple=True, metavar="FEATURE", help="Cluster by these; repeatable."
    ),
    click.option(
        "--exclude", multiple=True, metavar="FEATURE", help="Do not cluster by these; repeatable."
    ),
    click.option(
        "--features", metavar="RELATION",
        help="Table or file with the customers' own features, to cluster by instead.",
    ),
    click.option(
        "--weight", "weights", multiple=True, type=Mapping("monetary=2", float),
        metavar="FEATURE=NUMBER", help="How much more its differences count; repeatable.",
    ),
    click.option(
        "--transform", "transforms", multiple=True, type=Mapping("monetary=log"),
        metavar="FEATURE=log|identity", help="How a feature's values are taken; repeatable.",
    ),
    *MINING,
    ITEM,
    click.option(
        "--min-confidence", type=float, default=0.1, show_default=True, help="Of a rule, in [0, 1]."
    ),
    click.option(
        "--max-antecedents", type=NO_LIMIT, metavar="N|none", default="none", show_default=True,
        help="Most items on a rule's left side.",
    ),
    click.option(
        "--max-consequents", type=NO_LIMIT, metavar="N|none", default="1", show_default=True,
        help="Most items on a rule's right side.",
    ),
    click.option(
        "--decision-rules/--no-decision-rules", default=True, show_default=True,
        help="The segments as SQL conditions.",
    ),
    click.option(
        "--segment-rules/--no-segment-rules", default=True, show_default=True,
        help="Rules within each segment.",
    ),
    click.option(
        "--n-recommendations", type=int, default=10, show_default=True,
        help="Most offers of each kind to a customer; 0 for none.",
    ),
    click.option("--since", metavar="TIME", help="Only lines from then on."),
    click.option("--as-of", metavar="TIME", help="Only lines before then."),
    click.option(
        "--exclude-item", "exclude_items", multiple=True, metavar="PRODUCT",
        help="Leave out a product; repeatable.",
    ),
    click.option(
        "--returns", type=click.Choice(["net", "drop"]), default="net", show_default=True,
        help="Returns lower the spend, or are left out.",
    ),
    click.option(
        "--duplicates", type=click.Choice(["keep", "drop"]), default="keep", show_default=True,
        help="Lines alike in every column.",
    ),
    click.option(
        "--empty-lines", type=click.Choice(["drop", "keep"]), default="drop", show_default=True,
        help="Lines of quantity 0 and no amount.",
    ),
    click.option("--time-zone", metavar="ZONE", help="The shop's zone, if its times are in UTC."),
    click.option("--max-fit-bytes", type=int, help="Refuse if the vectors would take more memory."),
)  # fmt: skip


def examples(*lines: str) -> str:
    """What ``click`` prints below the options, line by line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def added(options: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    """A decorator that gives a command these options, in their order."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def as_python(options: dict[str, Any]) -> dict[str, Any]:
    """Options of ``run`` as ``custseg_duck.run`` takes them; those not given are left out."""
    taken = {
        name: value
        for name, value in options.items()
        if value is not None or name not in ("max_pairs", "max_candidates")
    }
    for several in taken.keys() & {"include", "exclude", "exclude_items"}:
        taken[several] = list(taken[several]) or None
    for pairs in taken.keys() & {"weights", "transforms"}:
        taken[pairs] = dict(taken[pairs]) or None
    if "mappings" in taken:
        taken["columns"] = dict(taken.pop("mappings"))
    return taken
