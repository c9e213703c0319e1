"""The sections of a report, in the order of ``SECTIONS``: what each one shows, and when."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from custseg_duck import colours, plot
from custseg_duck.reporting.facts import Facts, grouped
from custseg_duck.reporting.notes import changed_options

# What a section's template is given; or one sentence, why there is no more; or None, no section
Content = Mapping[str, Any] | str | None


N_PREFERENCES = 3
N_RULES = 12
N_ARROWS = 20
N_SEGMENT_RULES = 3
N_OFFERS = 8
N_EXAMPLES = 3
N_DRIFTED = 10
N_POINTS = 1000
MANY_SEGMENTS = 6  # beyond it tables have their numbers alone


class Section(NamedTuple):
    """A section: templates/<name>.html, given what ``content`` finds."""

    name: str
    title: str
    content: Callable[[Facts], Content]


def segments(facts: Facts) -> Content:
    """A card for each segment."""
    preferences = grouped(
        facts.rows("preferences", "segment_preferences", n=N_PREFERENCES), "segment"
    )
    rules = {
        row["segment"]: row
        for row in facts.rows("decision_rules", "decision_trees")
        if row["precision"] is not None
    }
    shares = [
        row[key] or 0 for row in facts.segments for key in ("customer_share", "revenue_share")
    ]
    cards = [
        row
        | {
            "colour": colours.of_segment(row["segment"])[0],
            "preferences": _by_kind(preferences.get(row["segment"], [])),
            "rule": rules.get(row["segment"]) if len(facts.segments) > 1 else None,
        }
        for row in facts.segments
    ]
    return {"cards": cards, "largest_share": max(shares, default=1) or 1}


def _by_kind(preferences: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Products, and of departments and categories those that say more."""
    kinds = grouped(preferences, "kind")
    wanted = {
        "groups": kinds.get("category") or kinds.get("department"),
        "items": kinds.get("item"),
    }
    return {kind: found for kind, found in wanted.items() if found}


def heat_map(facts: Facts) -> Content:
    """A table of z-scores: features by segment."""
    if len(facts.segments) == 1:
        return "All customers are in one segment, so nothing sets it apart."
    rows = facts.rows("heat_map", "centroids")
    limit = max((abs(row["z_score"]) for row in rows), default=0)
    features = grouped(
        [row | {"colour": colours.diverging(row["z_score"], limit)} for row in rows], "words"
    )
    numbers = list(dict.fromkeys(row["segment"] for row in rows))
    return {
        "features": features,
        "numbers": sorted(numbers),
        "with_labels": len(numbers) <= MANY_SEGMENTS,
    }


def size(facts: Facts) -> Content:
    """Shares of customers against shares of revenue, and RFM segments."""
    if not facts.has_lines or len(facts.segments) == 1:
        return None
    if not facts.has_revenue:
        return "The order lines have no amounts, so there is no revenue to compare with."
    return {"figure": facts.figures(plot.revenue, facts.con, name=facts.name)}


def rfm(facts: Facts) -> Content:
    """How many customers each RFM segment holds."""
    rows = facts.rows("rfm", "rfm_segments")
    return {"rows": rows} if len(rows) > 1 else None


def choice_of_k(facts: Facts) -> Content:
    """What spoke for this number of segments."""
    n_segments = facts.run["n_segments"]
    rows = facts.rows("choice_of_k", "k_candidates")
    if not rows:
        origin = (
            "was given"
            if facts.run["fit"] in ("new", "matched", None)
            else "is that of the run before"
        )
        return f"The number of segments, {n_segments}, {origin}."
    return {
        "figure": facts.figures(plot.choice_of_k, facts.con, name=facts.name),
        "rows": rows,
        "has_best": any(row["is_recommended"] for row in rows),
    }


def projection(facts: Facts) -> Content:
    """A picture of the customers, where the model is still there."""
    if facts.run["n_customers"] == 1 or not facts.rows("vector_features", "models"):
        return None
    figure = facts.figures(plot.projection, facts.con, name=facts.name, n=N_POINTS, wide=760)
    return {"figure": figure}


def rules(facts: Facts) -> Content:
    """What is bought together."""
    if not facts.has_lines:
        return None
    found = facts.rows("rules", "rules", n=N_RULES)
    if not found:
        return (
            "Nothing was found that is bought together in enough orders, significantly more often "
            "than by chance."
        )
    return {
        "rows": facts.with_items(found, "antecedent", "consequent"),
        "figure": facts.figures(plot.rule_network, facts.con, name=facts.name, n=N_ARROWS),
    }


def segment_rules(facts: Facts) -> Content:
    """What is bought together within a segment, more than elsewhere."""
    found = facts.rows("segment_rules", "segment_rules", n=N_SEGMENT_RULES)
    rows = facts.with_items(found, "antecedent", "consequent")
    return {"segments": grouped(rows, "segment")} if rows else None


def offers(facts: Facts) -> Content:
    """What is offered most, and to a few customers."""
    found = facts.rows("offers", "recommendations", n=N_OFFERS)
    if not found:
        return None
    examples = facts.rows("offer_examples", "recommendations", n=N_EXAMPLES, n_customers=N_EXAMPLES)
    return {
        "kinds": grouped(facts.with_items(found, "item", "antecedent"), "kind"),
        "examples": grouped(facts.with_items(examples, "item", "antecedent"), "customer_id"),
    }


def migration(facts: Facts) -> Content:
    """Who moved since the run before; which segments and features are not what they were."""
    found = facts.rows("migration", "segment_history")
    if not found:
        return None
    cells = {
        (row["from_segment"], row["to_segment"]): row
        | {"colour": colours.sequential(row["share"] or 0, 1)}
        for row in found
    }
    drift = facts.rows("drift", "feature_drift")
    return {
        "cells": cells,
        "before": _numbers_then_none({before for before, _ in cells}),
        "after": _numbers_then_none({after for _, after in cells}),
        "unclear": facts.rows("segment_matches", "segment_matches"),
        "drifted": [row for row in drift if row["level"] in ("moderate", "large")][:N_DRIFTED],
        "n_drifted": sum(row["level"] in ("moderate", "large") for row in drift),
        "n_features": len(drift),
    }


def _numbers_then_none(found: set[int | None]) -> list[int | None]:
    return sorted(found, key=lambda one: (one is None, one or 0))


def notes(facts: Facts) -> Content:
    """What was read, what was left out, and how the run was made."""
    return {
        "lines": facts.rows("lines", "runs"),
        "options": changed_options(facts.run["options"]),
        "notes": facts.run["notes"] or [],
        "versions": facts.run["versions"],
    }


def glossary(facts: Facts) -> Content:
    """What the terms mean, of those that the report has."""
    return {
        "has_lines": facts.has_lines,
        "has_choice": bool(facts.rows("choice_of_k", "k_candidates")),
        "has_drift": bool(facts.rows("drift", "feature_drift")),
    }


SECTIONS = (
    Section("segments", "The segments", segments),
    Section("heat_map", "What sets them apart", heat_map),
    Section("size", "Size against revenue", size),
    Section("rfm", "By recency, frequency and spend", rfm),
    Section("choice_of_k", "How many segments", choice_of_k),
    Section("projection", "Where the customers stand", projection),
    Section("rules", "Bought together", rules),
    Section("segment_rules", "Bought together in one segment", segment_rules),
    Section("offers", "What to offer", offers),
    Section("migration", "Who moved", migration),
    Section("notes", "About the data", notes),
    Section("glossary", "What the terms mean", glossary),
)
