"""A small decision tree that says in SQL and in words which customers are in which segment.

It is fitted to the segments, not to what made them: a surrogate (Craven & Shavlik, 1996), and as
good as its fidelity says.
"""

import math
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from custseg_duck.udfs.points import Floats, Integers, sort_rows

MAX_DEPTH = 12
FIDELITY_TO_SPARE = 0.02  # what a smaller tree may cost
LEAST_DEPARTMENT = 0.01  # of the average customer's purchases

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
# Words that are no column names in one database or another, so that quotes are never too few
_RESERVED = {
    "all", "and", "any", "as", "asc", "both", "by", "case", "cast", "check", "column", "create",
    "cross", "current", "default", "delete", "desc", "distinct", "drop", "else", "end", "except",
    "exists", "false", "fetch", "for", "from", "full", "group", "having", "in", "index", "inner",
    "insert", "into", "is", "join", "lambda", "leading", "left", "like", "limit", "natural", "not",
    "null", "offset", "on", "or", "order", "outer", "primary", "references", "right", "row",
    "rows", "select", "set", "some", "table", "then", "to", "trailing", "true", "union", "unique",
    "update", "user", "using", "values", "when", "where", "window", "with",
}  # fmt: skip


class Feature(NamedTuple):
    """A column that a tree may ask for.

    feature : its name; department : NULL but for department_share; in_words : as people call it
    """

    feature: str
    department: str | None
    is_boolean: bool
    in_words: str

    def expression(self, fill: float | None) -> str:
        """The column in SQL; ``fill`` in the place of NULL, if it has any."""
        name = self.feature
        column = name if _is_plain(name) else '"' + name.replace('"', '""') + '"'
        if self.department is not None:
            text = self.department.replace("'", "''")
            return f"coalesce({column}['{text}'], 0)"
        if self.is_boolean:
            column = f"cast({column} as integer)"
        return column if fill is None else f"coalesce({column}, {number(fill)})"


@dataclass
class Node:
    """A question, ``value of feature <= threshold``, or a leaf.

    rows : those of the points that come here; segment : the most frequent of them
    """

    rows: Integers
    segment: int
    n_right: int  # how many of the rows are of that segment
    feature: int = -1
    threshold: float = 0.0
    yes: "Node | None" = None
    no: "Node | None" = None


class Bound(NamedTuple):
    """What a path asks of one feature: above ``low`` and at most ``high``."""

    low: float | None
    high: float | None


def decision_tree(
    points: Floats, segments: Integers, features: list[Feature], *, max_depth: int = 4
) -> dict[str, Any]:
    """Fit a tree of few leaves.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features), float64
        Raw values, NaN where unknown.
    segments : ndarray of shape (n_customers,), int64
    features : list of Feature
        What the columns are.
    max_depth : int
        The most questions to a customer, 1 to 12.

    Returns
    -------
    dict
        case_expression, fidelity and baseline (0 to 1), n_leaves, depth, n_customers and, per
        segment, rules.

    Raises
    ------
    ValueError
        If there is no customer or no feature, a value is infinite, or max_depth is out of range.
    """
    if not 1 <= max_depth <= MAX_DEPTH:
        raise ValueError(f"max_depth must be between 1 and {MAX_DEPTH}, got {max_depth}")
    if points.size == 0:
        raise ValueError("features must have a customer in a segment and a column, got none")
    if np.isinf(points).any():
        raise ValueError("features must be finite, got inf")
    known = [j for j in range(points.shape[1]) if _is_of_use(points[:, j], features[j])]
    rows = np.column_stack([points[:, known], segments])
    fills = [_fill(rows[:, j]) for j in range(len(known))]
    for j, fill in enumerate(fills):
        if fill is not None:
            rows[np.isnan(rows[:, j]), j] = fill
    sort_rows(rows)
    points, segments = rows[:, :-1], rows[:, -1].astype(np.int64)
    k = len(np.unique(segments))
    tree = _grown(points, segments, max_depth, max_leaves=2 * k + 2)
    _prune(tree, len(points))
    names = [features[j] for j in known]
    return _described(tree, segments, names, fills)


def _is_of_use(column: Floats, feature: Feature) -> bool:
    if np.isnan(column).all():
        return False
    return feature.department is None or float(np.sort(np.nan_to_num(column)).mean()) >= (
        LEAST_DEPARTMENT
    )


def _fill(column: Floats) -> float | None:
    """The median, where there are unknown values."""
    return float(np.nanmedian(column)) if np.isnan(column).any() else None


def _grown(points: Floats, segments: Integers, max_depth: int, max_leaves: int) -> Node:
    """The tree of scikit-learn, its thresholds as round as the data allow."""
    every = np.arange(len(points))
    if points.shape[1] == 0:
        return _leaf(every, segments)
    from sklearn.tree import DecisionTreeClassifier

    # by rank, which single precision holds exactly
    ranks = np.column_stack(
        [np.unique(column, return_inverse=True)[1] for column in points.T]
    ).astype(np.float32)
    classifier = DecisionTreeClassifier(
        max_depth=max_depth, max_leaf_nodes=max_leaves, random_state=0
    )
    fitted = classifier.fit(ranks, segments).tree_

    def node(i: int, rows: Integers) -> Node:
        found = _leaf(rows, segments)
        feature = int(fitted.feature[i])
        if feature < 0:
            return found
        is_yes = ranks[rows, feature] <= fitted.threshold[i]
        values = points[rows, feature]
        found.feature = feature
        found.threshold = roundest(float(values[is_yes].max()), float(values[~is_yes].min()))
        found.yes = node(int(fitted.children_left[i]), rows[is_yes])
        found.no = node(int(fitted.children_right[i]), rows[~is_yes])
        return found

    return node(0, every)


def _leaf(rows: Integers, segments: Integers) -> Node:
    counts = np.bincount(segments[rows])
    return Node(rows, int(counts.argmax()), int(counts.max()))


def _prune(tree: Node, n_rows: int) -> None:
    """Take back questions that change little, the least useful first, but for a segment's last."""
    budget = FIDELITY_TO_SPARE * n_rows
    while True:
        leaves_of: dict[int, int] = defaultdict(int)
        for leaf, _ in _leaves(tree):
            leaves_of[leaf.segment] += 1
        candidates: list[tuple[int, int, Node]] = []
        for found in _questions(tree):
            yes, no = found.yes, found.no
            if yes is None or no is None or yes.yes is not None or no.yes is not None:
                continue
            cost = yes.n_right + no.n_right - found.n_right
            lost = {yes.segment, no.segment} - {found.segment}
            if cost <= budget and all(leaves_of[segment] > 1 for segment in lost):
                candidates.append((cost, len(candidates), found))
        if not candidates:
            return
        cost, _, found = min(candidates, key=lambda one: one[:2])
        budget -= cost
        found.yes = found.no = None


def _questions(node: Node) -> list[Node]:
    if node.yes is None or node.no is None:
        return []
    return [node, *_questions(node.yes), *_questions(node.no)]


def _leaves(
    node: Node, path: tuple[tuple[int, float, bool], ...] = ()
) -> list[tuple[Node, tuple[tuple[int, float, bool], ...]]]:
    """The leaves from left to right, each with the answers that lead there."""
    if node.yes is None or node.no is None:
        return [(node, path)]
    question = (node.feature, node.threshold)
    return [
        *_leaves(node.yes, (*path, (*question, True))),
        *_leaves(node.no, (*path, (*question, False))),
    ]


def _described(
    tree: Node, segments: Integers, features: list[Feature], fills: list[float | None]
) -> dict[str, Any]:
    expressions = [f.expression(fill) for f, fill in zip(features, fills, strict=True)]
    leaves = _leaves(tree)
    sizes = np.bincount(segments)
    paths: dict[int, list[dict[int, Bound]]] = defaultdict(list)
    n_of: dict[int, int] = defaultdict(int)
    n_right: dict[int, int] = defaultdict(int)
    for leaf, path in leaves:
        paths[leaf.segment].append(_bounds(path))
        n_of[leaf.segment] += len(leaf.rows)
        n_right[leaf.segment] += leaf.n_right
    return {
        "case_expression": _case(tree, expressions),
        "fidelity": sum(n_right.values()) / len(segments),
        "baseline": float(sizes.max() / len(segments)),
        "n_leaves": len(leaves),
        "depth": max(len(path) for _, path in leaves),
        "n_customers": len(segments),
        "rules": [
            {
                "segment": segment,
                "condition": _condition(paths[segment], expressions),
                "description": _in_words(paths[segment], features),
                "n_customers": n_of[segment],
                "precision": n_right[segment] / n_of[segment] if n_of[segment] else None,
                "recall": n_right[segment] / int(sizes[segment]),
            }
            for segment in np.flatnonzero(sizes).tolist()
        ],
    }


def _case(node: Node, expressions: list[str]) -> str:
    if node.yes is None or node.no is None:
        return f"case when true then {node.segment} end"
    return "case\n" + _branches(node, expressions, 1) + "end"


def _branches(node: Node, expressions: list[str], depth: int) -> str:
    """The lines of a CASE; what is asked if the answer is no goes on in the same one."""
    assert node.yes is not None and node.no is not None  # noqa: S101, PT018
    indent = "    " * depth
    question = f"{expressions[node.feature]} <= {number(node.threshold)}"
    if node.yes.yes is None:
        lines = f"{indent}when {question} then {node.yes.segment}\n"
    else:
        lines = (
            f"{indent}when {question} then case\n"
            f"{_branches(node.yes, expressions, depth + 1)}{indent}end\n"
        )
    if node.no.yes is None:
        return f"{lines}{indent}else {node.no.segment}\n"
    return lines + _branches(node.no, expressions, depth)


def _bounds(path: tuple[tuple[int, float, bool], ...]) -> dict[int, Bound]:
    """All answers about one feature as one interval."""
    bounds: dict[int, Bound] = {}
    for feature, threshold, is_yes in path:
        low, high = bounds.get(feature, Bound(None, None))
        if is_yes:
            high = threshold if high is None else min(high, threshold)
        else:
            low = threshold if low is None else max(low, threshold)
        bounds[feature] = Bound(low, high)
    return bounds


def _condition(paths: list[dict[int, Bound]], expressions: list[str]) -> str:
    if not paths:
        return "false"
    texts = []
    for path in paths:
        parts = []
        for feature, (low, high) in path.items():
            if low is not None:
                parts.append(f"{expressions[feature]} > {number(low)}")
            if high is not None:
                parts.append(f"{expressions[feature]} <= {number(high)}")
        texts.append(" and ".join(parts) or "true")
    return texts[0] if len(texts) == 1 else " or ".join(f"({text})" for text in texts)


def _in_words(paths: list[dict[int, Bound]], features: list[Feature]) -> str:
    if not paths:
        return "nobody by these rules: too few, or too much like another segment"
    texts = []
    for path in paths:
        parts = []
        for j, (low, high) in path.items():
            name = features[j].in_words
            is_share = features[j].feature.endswith("share")
            if low is not None and high is not None:
                parts.append(f"{name} above {_short(low, is_share)} up to {_short(high, is_share)}")
            elif low is not None:
                parts.append(f"{name} above {_short(low, is_share)}")
            elif high is not None:
                parts.append(f"{name} at most {_short(high, is_share)}")
        texts.append(" and ".join(parts) or "everybody")
    return "; or ".join(texts)


def _short(value: float, is_share: bool) -> str:
    if is_share:
        return f"{100 * value:.4g}%"
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:,.6g}"  # noqa: PLR2004


def _is_plain(name: str) -> bool:
    return bool(_PLAIN.fullmatch(name)) and name not in _RESERVED


def number(value: float) -> str:
    """A number in SQL that reads back as the same one."""
    if value == round(value) and abs(value) < 1e15:  # noqa: PLR2004
        return str(int(value))
    return repr(value)


def roundest(low: float, high: float) -> float:
    """The number of fewest digits from ``low`` on and below ``high``; of several the middle one."""
    if low <= 0 < high:
        return 0.0
    middle = low + (high - low) / 2
    largest = max(abs(low), abs(high))
    for exponent in range(math.floor(math.log10(largest)) + 1, -320, -1):
        step = 10.0**exponent
        if step == 0 or step < largest * 1e-17:
            break
        multiple = middle / step
        for whole in (round(multiple), math.floor(multiple), math.ceil(multiple)):
            value = float(f"{whole}e{exponent}")
            if low <= value < high:
                return value
    return low
