"""A report in a few sentences, made of its numbers."""

from collections.abc import Iterator

from custseg_duck.reading import Row
from custseg_duck.reporting.facts import Facts
from custseg_duck.reporting.words import both, count, share, times


def in_short(facts: Facts) -> list[str]:
    """Three or four sentences, most important first; fewer where there is less to say."""
    return [*_on_segments(facts), *_on_rules(facts), *_on_moves(facts)]


def _called(row: Row) -> str:
    label = f"“{row['label']}” " if row["label"] else ""
    return f"{label}(segment {row['segment']})"


def _on_segments(facts: Facts) -> Iterator[str]:
    if len(facts.segments) == 1:
        yield "All customers are in one segment."
        return
    largest = max(facts.segments, key=lambda row: row["n_customers"])
    yield (
        f"The largest of {len(facts.segments)} segments is {_called(largest)}: "
        f"{count(largest['n_customers'])} of {count(facts.run['n_customers'])} customers, "
        f"{share(largest['customer_share'])}."
    )
    if facts.has_revenue:
        best = max(
            (row for row in facts.segments if row["n_customers"]),
            key=lambda row: (row["revenue_share"] or 0) / row["customer_share"],
        )
        yield (
            f"Most revenue for its size comes from {_called(best)}: "
            f"{share(best['customer_share'])} of the customers, "
            f"{share(best['revenue_share'])} of the revenue."
        )


def _on_rules(facts: Facts) -> Iterator[str]:
    found = facts.with_items(facts.rows("rules", "rules", n=1), "antecedent", "consequent")
    for rule in found:
        yield (
            f"What goes together most: of the orders with {both(rule['antecedents'])}, "
            f"{share(rule['confidence'])} also have {both(rule['consequents'])}, "
            f"{times(rule['lift'])} times as often as in all orders."
        )


def _on_moves(facts: Facts) -> Iterator[str]:
    rows = facts.rows("migration", "segment_history")
    if not rows:
        return
    stayed_or_moved = [row for row in rows if None not in (row["from_segment"], row["to_segment"])]
    n_both = sum(row["n_customers"] for row in stayed_or_moved)
    moved = [row for row in stayed_or_moved if row["from_segment"] != row["to_segment"]]
    n_moved = sum(row["n_customers"] for row in moved)
    n_new = sum(row["n_customers"] for row in rows if row["from_segment"] is None)
    n_gone = sum(row["n_customers"] for row in rows if row["to_segment"] is None)
    others = [f"{count(n)} are {word}" for n, word in ((n_new, "new"), (n_gone, "gone")) if n]
    yield (
        f"Since the run before, {count(n_moved)} of {count(n_both)} customers "
        f"({share(n_moved / n_both if n_both else 0)}) have changed their segment"
        f"{''.join(f'; {one}' for one in others)}."
    )
