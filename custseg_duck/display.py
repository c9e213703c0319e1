"""A run as tables on a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from custseg_duck import catalog
from custseg_duck.result import RunResult
from custseg_duck.source import exists as has_table

N_TRAITS = 3
N_RULES = 10
N_SEGMENT_RULES = 3


def show(result: RunResult, console: Console) -> None:
    """Print segments with what sets them apart, the top rules, and what was left out."""
    console.print(segments_table(result))
    console.print(rules_table(result))
    contrasts = segment_rules_table(result)
    if contrasts.row_count:
        console.print(contrasts)
    console.print(lines_table(result))


def segments_table(result: RunResult) -> Table:
    """One row per segment: size, revenue and the features that set it apart."""
    table = Table(title="Segments", title_justify="left", show_lines=True)
    for header in ("segment", "customers", "share", "revenue share"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("what sets it apart: value (of all)")
    traits = traits_of(result)
    rows = result.summary.project("segment, n_customers, customer_share, revenue_share")
    for segment, n_customers, customer_share, revenue_share in rows.order("segment").fetchall():
        table.add_row(
            str(segment),
            f"{n_customers:,}",
            f"{customer_share:.1%}",
            "" if revenue_share is None else f"{revenue_share:.1%}",
            escape("\n".join(traits.get(segment, ["nothing much"]))),
        )
    return table


def traits_of(result: RunResult) -> dict[int, list[str]]:
    """Per segment, the few features furthest from all customers', in standard deviations."""
    rows = (
        result.centroids.filter("abs(z_score) >= 0.3")
        .project("segment, coalesce(department, feature), value, population_mean, z_score")
        .order("segment, abs(z_score) desc")
        .fetchall()
    )
    traits: dict[int, list[str]] = {}
    for segment, name, value, typical, z_score in rows:
        found = traits.setdefault(segment, [])
        if len(found) < N_TRAITS:
            sign = "+" if z_score > 0 else "-"
            found.append(f"{sign} {name} {_number(value)} ({_number(typical)})")
    return traits


def rules_table(result: RunResult) -> Table:
    """The rules to act on of the highest lift."""
    table = Table(title="Bought together: rules to act on, by lift", title_justify="left")
    table.add_column("who buys")
    table.add_column("also buys")
    for header in ("orders", "confidence", "lift"):
        table.add_column(header, justify="right", no_wrap=True)
    rows = result.con.execute(
        catalog.statement("display/top_rules"), {"run_name": result.name, "n": N_RULES}
    )
    for left, left_names, right, right_names, count, confidence, lift in rows.fetchall():
        table.add_row(
            escape(_items(left, left_names)),
            escape(_items(right, right_names)),
            f"{count:,}",
            f"{confidence:.1%}",
            f"{lift:.1f}",
        )
    return table


def segment_rules_table(result: RunResult) -> Table:
    """What the customers of each segment buy together more than others do; no row if none do."""
    table = Table(title="Bought together in a segment, more than elsewhere", title_justify="left")
    table.add_column("segment", justify="right")
    table.add_column("who buys")
    table.add_column("also buys")
    for header in ("confidence", "elsewhere", "lift", "elsewhere"):
        table.add_column(header, justify="right", no_wrap=True)
    if not has_table(result.con, "segment_rules"):
        return table
    rows = result.con.execute(
        catalog.statement("display/top_segment_rules"),
        {"run_name": result.name, "n": N_SEGMENT_RULES},
    )
    for segment, left, left_names, right, right_names, *numbers in rows.fetchall():
        confidence, rest_confidence, lift, rest_lift = numbers
        table.add_row(
            str(segment),
            escape(_items(left, left_names)),
            escape(_items(right, right_names)),
            f"{confidence:.1%}",
            f"{rest_confidence:.1%}",
            f"{lift:.1f}",
            "" if rest_lift is None else f"{rest_lift:.1f}",
        )
    return table


def lines_table(result: RunResult) -> Table:
    """What became of the source's lines."""
    table = Table(title="Order lines", title_justify="left")
    table.add_column("")
    table.add_column("reason")
    for header in ("lines", "amount"):
        table.add_column(header, justify="right", no_wrap=True)
    rows = result.line_counts.project("is_kept, reason, n_lines, amount")
    for is_kept, reason, n_lines, amount in rows.fetchall():
        table.add_row(
            "kept" if is_kept else "left out",
            escape(reason),
            f"{n_lines:,}",
            "" if amount is None else f"{amount:,.2f}",
        )
    return table


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}"  # noqa: PLR2004


def _items(items: list[str], names: list[str | None] | None) -> str:
    labels = names or [None] * len(items)
    return ", ".join(
        f"{name.strip()} ({item})" if name else item
        for item, name in zip(items, labels, strict=True)
    )
