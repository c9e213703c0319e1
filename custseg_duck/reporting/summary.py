"""A report in a few sentences, made of its numbers."""

from collections.abc import Iterable, Iterator

from markupsafe import Markup

from custseg_duck.reading import Row
from custseg_duck.reporting.facts import Facts
from custseg_duck.reporting.words import count, share, times


def in_short(facts: Facts) -> list[Markup]:
    """Three or four sentences, most important first; fewer where there is less to say."""
    return [*_on_segments(facts), *_on_rules(facts), *_on_moves(facts)]


def _isolated(name: str) -> Markup:
    """A name, which may run from right to left, within a sentence."""
    return Markup("<bdi>{}</bdi>").format(name)


def _all(names: Iterable[str]) -> Markup:
    return Markup(" and ").join(_isolated(name) for name in names)


def _called(facts: Facts, row: Row) -> Markup:
    number = Markup("segment {}").format(row["segment"])
    label = facts.labels[row["segment"]]
    return Markup("“{}” ({})").format(_isolated(label), number) if label else number


def _on_segments(facts: Facts) -> Iterator[Markup]:
    if len(facts.segments) == 1:
        yield Markup("All customers are in one segment.")
        return
    largest = max(facts.segments, key=lambda row: row["n_customers"])
    yield Markup("The largest of {} segments is {}: {} of {} customers, {}.").format(
        len(facts.segments),
        _called(facts, largest),
        count(largest["n_customers"]),
        count(facts.run["n_customers"]),
        share(largest["customer_share"]),
    )
    if facts.has_revenue:
        best = max(
            (row for row in facts.segments if row["n_customers"]),
            key=lambda row: (row["revenue_share"] or 0) / row["customer_share"],
        )
        yield Markup(
            "Most revenue for its size comes from {}: {} of the customers, {} of the revenue."
        ).format(_called(facts, best), share(best["customer_share"]), share(best["revenue_share"]))


def _on_rules(facts: Facts) -> Iterator[Markup]:
    found = facts.with_items(facts.rows("rules", "rules", n=1), "antecedent", "consequent")
    for rule in found:
        yield Markup(
            "What goes together most: of the orders with {}, {} also have {}, {} times as often "
            "as in all orders."
        ).format(
            _all(rule["antecedents"]),
            share(rule["confidence"]),
            _all(rule["consequents"]),
            times(rule["lift"]),
        )


def _on_moves(facts: Facts) -> Iterator[Markup]:
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
    yield Markup(  # noqa: S704 - of numbers alone
        f"Since the run before, {count(n_moved)} of {count(n_both)} customers "
        f"({share(n_moved / n_both if n_both else 0)}) have changed their segment"
        f"{''.join(f'; {one}' for one in others)}."
    )
