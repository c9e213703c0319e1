"""The tables that the command shows: where their rows come from, and how each column looks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from rich.markup import escape

Row = Mapping[str, Any]

N_TRAITS = 3
N_RULES = 10
N_SEGMENT_RULES = 3
N_MOVES = 10


class Column(NamedTuple):
    """A column to show: of what it shows, and how."""

    header: str
    show: Callable[[Row], str]
    is_text: bool = False


class Section(NamedTuple):
    """A table to show: sql/<statement>.sql with these parameters.

    name : in JSON; needs : a table of custseg, without which there is no such section;
    always : whether it is shown without rows
    """

    name: str
    title: str
    statement: str
    columns: Sequence[Column]
    needs: str
    parameters: Mapping[str, Any] = {}
    always: bool = True


def count(key: str) -> Callable[[Row], str]:
    """Whole numbers; nothing for NULL."""
    return lambda row: "" if row[key] is None else f"{row[key]:,}"


def share(key: str) -> Callable[[Row], str]:
    """Shares in percent."""
    return lambda row: "" if row[key] is None else f"{row[key]:.1%}"


def number(key: str, places: int) -> Callable[[Row], str]:
    """Numbers with as many decimal places."""
    return lambda row: "" if row[key] is None else f"{row[key]:,.{places}f}"


def text(key: str) -> Callable[[Row], str]:
    """Texts as they are: nothing in them is markup."""
    return lambda row: "" if row[key] is None else escape(str(row[key]))


def number_or(key: str, word: str) -> Callable[[Row], str]:
    """Whole numbers; a word for NULL."""
    return lambda row: word if row[key] is None else str(row[key])


def _what_it_is(row: Row) -> str:
    traits = (
        f"{'+' if one['z_score'] > 0 else '-'} {one['words']} {one['value']} ({one['population']})"
        for one in row["traits"]
    )
    return "\n".join([f"[bold]{escape(row['label'] or '')}[/]", *map(escape, traits)])


def items(ids: str, names: str) -> Callable[[Row], str]:
    """Items by their names, and ids."""

    def show(row: Row) -> str:
        labels = row[names] or [None] * len(row[ids])
        return escape(
            ", ".join(
                f"{name.strip()} ({item})" if name else str(item)
                for item, name in zip(row[ids], labels, strict=True)
            )
        )

    return show


_BUYS = (
    Column("who buys", items("antecedents", "antecedent_names"), is_text=True),
    Column("also buys", items("consequents", "consequent_names"), is_text=True),
)

# What is shown after a run, in this order
RUN = (
    Section(
        "segments",
        "Segments",
        "report/segments",
        (
            Column("segment", count("segment")),
            Column("customers", count("n_customers")),
            Column("share", share("customer_share")),
            Column("revenue", share("revenue_share")),
            Column("label, and what sets it apart: value (average)", _what_it_is, is_text=True),
        ),
        "segment_summary",
        {"n": N_TRAITS},
    ),
    Section(
        "migration",
        "Who moved, since the run before",
        "display/migration",
        (
            Column("from", number_or("from_segment", "new")),
            Column("to", number_or("to_segment", "gone")),
            Column("customers", count("n_customers")),
            Column("share of from", share("share")),
        ),
        "segment_history",
        {"n": N_MOVES},
        always=False,
    ),
    Section(
        "drift",
        "What drifted, since the model before was fitted",
        "display/drift",
        (
            Column("feature", text("feature"), is_text=True),
            Column("stability index", number("psi", 2)),
            Column("drift", text("level")),
        ),
        "feature_drift",
        {"n": N_MOVES},
        always=False,
    ),
    Section(
        "rules",
        "Bought together: rules to act on, by lift",
        "report/rules",
        (
            *_BUYS,
            Column("orders", count("support_count")),
            Column("confidence", share("confidence")),
            Column("lift", number("lift", 1)),
        ),
        "rules",
        {"n": N_RULES},
    ),
    Section(
        "segment_rules",
        "Bought together in a segment, more than elsewhere",
        "report/segment_rules",
        (
            Column("segment", count("segment")),
            *_BUYS,
            Column("confidence", share("confidence")),
            Column("elsewhere", share("rest_confidence")),
            Column("lift", number("lift", 1)),
            Column("elsewhere", number("rest_lift", 1)),
        ),
        "segment_rules",
        {"n": N_SEGMENT_RULES},
        always=False,
    ),
    Section(
        "line_counts",
        "Order lines",
        "display/line_counts",
        (
            Column("", lambda row: "kept" if row["is_kept"] else "left out", is_text=True),
            Column("reason", text("reason"), is_text=True),
            Column("lines", count("n_lines")),
            Column("amount", number("amount", 2)),
        ),
        "runs",
    ),
)

# What a run would do
PREVIEW = (
    RUN[-1],
    Section(
        "customers",
        "A run would be of",
        "display/preview_customers",
        (
            Column("customers", count("n_customers")),
            Column("orders", count("n_orders")),
            Column("products", count("n_products")),
            Column("lines", count("n_lines")),
            Column("features", count("n_features")),
            Column("bytes of vectors", count("fit_bytes")),
        ),
        "",
    ),
    Section(
        "features",
        "It would cluster by",
        "display/preview_features",
        (
            Column("feature", text("feature"), is_text=True),
            Column("department", text("department"), is_text=True),
            Column("taken as", text("transform")),
        ),
        "",
    ),
    Section(
        "itemset_plan",
        "It would mine",
        "display/preview_itemsets",
        (
            Column("orders", count("n_orders")),
            Column("frequent in", count("min_orders")),
            Column("items", count("n_items")),
            Column("lines of these", count("n_rows")),
            Column("largest order", count("largest_basket")),
            Column("pairs", count("n_pairs")),
            Column("counting", text("method")),
        ),
        "",
    ),
)

MODELS = Section(
    "models",
    "Models",
    "display/models",
    (
        Column("name", text("name"), is_text=True),
        Column("version", count("version")),
        Column("algorithm", text("algorithm")),
        Column("k", count("k")),
        Column("customers", count("n_customers")),
        Column("silhouette", number("silhouette", 3)),
        Column("created", lambda row: f"{row['created_at']:%Y-%m-%d}"),
    ),
    "models",
)

EXPLANATION = Section(
    "explanation",
    "Customer {customer_id} is in segment {segment} ({label})",
    "display/explanation",
    (
        Column("why", text("reason"), is_text=True),
        Column("what would change it", text("change"), is_text=True),
    ),
    "customer_features",
)
