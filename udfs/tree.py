"""A small decision tree that says, nearly, which segment a customer is in.

scikit-learn grows it by the Gini index on at most ``SAMPLE_ROWS`` rows, of which it sees the
ranks of the values instead of the values: a tree does not mind, nothing is lost to its 32-bit
numbers, and every threshold is placed here, in the gap that the split leaves. How much of the
tree is kept is decided on all rows, as are the segments of its leaves. All of this is counting:
the order of the rows does not matter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np

from custseg_duck.udfs import tree_text
from custseg_duck.udfs.points import Floats, Integers, sort_rows, whole_number
from custseg_duck.udfs.tree_text import Bounds, Column, Path

SAMPLE_ROWS = 50_000
MAX_DEPTH = 10
TOLERANCE = 0.02  # so much of the fidelity is given up for fewer leaves


@dataclass(frozen=True, eq=False)
class Node:
    """Some of the rows: a leaf, or split in two.

    counts : ndarray of shape (n_segments,), how many rows of each
    left : the rows up to ``threshold`` of column ``feature``; right : the others
    """

    counts: Integers
    feature: int = -1
    threshold: Decimal = Decimal(0)
    left: "Node | None" = None
    right: "Node | None" = None

    @property
    def segment(self) -> int:
        """The segment that most of the rows are in; of equals the first."""
        return int(self.counts.argmax())

    @property
    def children(self) -> "tuple[Node, ...]":
        """Left and right, or nothing."""
        return (self.left, self.right) if self.left and self.right else ()

    def nodes(self) -> "Iterator[Node]":
        """It and all below."""
        yield self
        for child in self.children:
            yield from child.nodes()

    def leaves(self) -> "list[Node]":
        """Those below that are not split."""
        return [node for node in self.nodes() if not node.children]

    def depth(self) -> int:
        """The most splits that a row passes."""
        return max((1 + child.depth() for child in self.children), default=0)


def surrogate_tree(
    points: Floats,
    labels: Integers,
    columns: Sequence[dict[str, Any]],
    *,
    max_depth: int = 4,
    max_leaves: int | None = None,
) -> dict[str, Any]:
    """Find a short rule for segments, and write it out.

    Parameters
    ----------
    points : ndarray of shape (n_rows, n_features), float64
        Raw values, finite; NaN where unknown.
    labels : ndarray of shape (n_rows,), int64
        The segment of each row.
    columns : sequence of dict
        What the values are: name, department (None, or the key of the map ``name``) and type
        (in SQL) of each feature.
    max_depth : int
        1 to 10: how many conditions a customer may have to meet.
    max_leaves : int, optional
        At least 1. Default: two for each segment, and two more.

    Returns
    -------
    dict
        case_expression (in SQL); fidelity (the share of rows on which it agrees); baseline
        (the share of the largest segment); n_leaves, depth, n_customers; segments: a list
        of dict, in their order: segment, condition (in SQL), description (in English),
        n_customers (that the condition selects), precision (the share of these that are of
        the segment; None of none), recall (the share of the segment that is selected).

    Raises
    ------
    ValueError
        If there is no row, a value is infinite, or the arguments do not fit together.

    Notes
    -----
    Breiman, Friedman, Olshen & Stone (1984) for the tree. Of all subtrees the one with the
    fewest leaves is kept whose fidelity is within 0.02 of the best one's; then, where there
    are leaves to spare, splits are put back that give a segment its first leaf. A segment
    that is nowhere in the tree the most frequent one has none.
    """
    max_depth = whole_number(max_depth, "max_depth", 1, MAX_DEPTH)
    _checked(points, columns)
    segments, codes = np.unique(labels, return_inverse=True)
    if max_leaves is None:
        max_leaves = 2 * len(segments) + 2
    max_leaves = whole_number(max_leaves, "max_leaves", 1, 2**MAX_DEPTH + 2)
    described = [
        tree_text.describe(column, values) for column, values in zip(columns, points.T, strict=True)
    ]
    # the segment is a column as well: rows that are the same in all are interchangeable
    rows = np.column_stack([_filled(points, described), codes])
    sort_rows(rows)
    full = grow(rows[:, :-1], rows[:, -1].astype(np.int64), len(segments), max_depth)
    tree = cut(full, with_missing_segments(full, prune(full, max_leaves), max_leaves))
    return _written(tree, segments, described)


def _checked(points: Floats, columns: Sequence[dict[str, Any]]) -> None:
    n_rows, n_features = points.shape
    if n_rows == 0 or n_features == 0:
        raise ValueError(
            f"features must have at least one row and one value, got {n_rows} x "
            f"{n_features} [no-rows]"
        )
    if len(columns) != n_features:
        raise ValueError(
            f"columns must be one per feature, got {len(columns)} for {n_features} "
            "features [vector-length]"
        )
    if np.isinf(points).any():
        raise ValueError(f"features must be finite, got {points[np.isinf(points)][0]} [not-finite]")


def _filled(points: Floats, columns: Sequence[Column]) -> Floats:
    """The values as SQL sees them: unknown ones by what stands for them."""
    fills = [float(column.fill or 0) for column in columns]
    return np.where(np.isnan(points), fills, points)


def grow(points: Floats, codes: Integers, n_segments: int, max_depth: int) -> Node:
    """The whole tree.

    Parameters
    ----------
    points : ndarray of shape (n_rows, n_features), float64
        Without NaN. The first ``SAMPLE_ROWS`` rows are those it is grown on.
    codes : ndarray of shape (n_rows,), int64
        0 to n_segments - 1.
    """
    from sklearn.tree import DecisionTreeClassifier

    n_sampled = min(len(points), SAMPLE_ROWS)
    ranks = np.empty((n_sampled, points.shape[1]), dtype=np.float32)
    for rank, values in zip(ranks.T, points[:n_sampled].T, strict=True):
        rank[:] = np.unique(values, return_inverse=True)[1]
    classifier = DecisionTreeClassifier(max_depth=max_depth, random_state=0)
    found = classifier.fit(ranks, codes[:n_sampled]).tree_

    def node(i: int, rows: Integers) -> Node:
        counts = np.bincount(codes[rows], minlength=n_segments)
        feature = int(found.feature[i])
        if feature < 0:
            return Node(counts)
        values = points[rows, feature]
        sampled = rows[rows < n_sampled]
        is_low = ranks[sampled, feature] <= found.threshold[i]
        threshold = tree_text.roundest(
            float(points[sampled[is_low], feature].max()),
            float(points[sampled[~is_low], feature].min()),
        )
        goes_left = values <= float(threshold)
        return Node(
            counts,
            feature,
            threshold,
            node(found.children_left[i], rows[goes_left]),
            node(found.children_right[i], rows[~goes_left]),
        )

    return node(0, np.arange(len(points)))


def prune(full: Node, max_leaves: int) -> frozenset[Node]:
    """The nodes that are split in the smallest subtree that is nearly as good as the best."""
    options = _subtrees(full, max_leaves)
    best = max(n_correct for n_correct, _ in options)
    allowed = TOLERANCE * int(full.counts.sum())
    return next(frozenset(split) for n_correct, split in options if best - n_correct <= allowed)


def _subtrees(node: Node, max_leaves: int) -> list[tuple[int, tuple[Node, ...]]]:
    """The best subtree of 1, 2, ... leaves: rows it gets right, and the nodes it splits."""
    options: list[tuple[int, tuple[Node, ...]]] = [(int(node.counts.max()), ())]
    if not node.children or max_leaves == 1:
        return options
    left, right = (_subtrees(child, max_leaves - 1) for child in node.children)
    for n_leaves in range(2, min(max_leaves, len(left) + len(right)) + 1):
        pairs = [
            (left[n_left - 1], right[n_leaves - n_left - 1])
            for n_left in range(max(1, n_leaves - len(right)), min(len(left), n_leaves - 1) + 1)
        ]
        some, others = max(pairs, key=lambda pair: pair[0][0] + pair[1][0])
        options.append((some[0] + others[0], (node, *some[1], *others[1])))
    return options


def with_missing_segments(full: Node, split: frozenset[Node], max_leaves: int) -> frozenset[Node]:
    """Also the nodes to split so that a segment without a leaf has one, while leaves last."""
    while True:
        tree = cut(full, split)
        found = {leaf.segment for leaf in tree.leaves()}
        choices: list[tuple[tuple[int, ...], frozenset[Node]]] = []
        for path in _paths(full):
            if path[-1].segment not in found:
                more = split.union(path[:-1])
                leaves = cut(full, more).leaves()
                n_found = len({leaf.segment for leaf in leaves})
                if n_found > len(found) and len(leaves) <= max_leaves:
                    n_correct = sum(int(leaf.counts.max()) for leaf in leaves)
                    choices.append(((-n_found, len(leaves), -n_correct, len(choices)), more))
        if not choices:
            return split
        split = min(choices, key=lambda choice: choice[0])[1]


def _paths(node: Node) -> Iterator[tuple[Node, ...]]:
    """To each node of the tree, those above it and itself."""
    yield (node,)
    for child in node.children:
        for path in _paths(child):
            yield node, *path


def cut(node: Node, split: frozenset[Node]) -> Node:
    """The tree that is split in these nodes only, and nowhere into twice the same segment."""
    if node not in split or not node.children:
        return Node(node.counts)
    left, right = (cut(child, split) for child in node.children)
    if not left.children and not right.children and left.segment == right.segment:
        return Node(node.counts)
    return replace(node, left=left, right=right)


def leaves_within(tree: Node, path: Path) -> Iterator[tuple[Node, Path]]:
    """The leaves, each with the bounds that it is within."""
    if not tree.left or not tree.right:
        yield tree, path
        return
    yield from leaves_within(tree.left, _narrowed(path, tree, is_left=True))
    yield from leaves_within(tree.right, _narrowed(path, tree, is_left=False))


def leaves_in_turn(tree: Node, path: Path) -> Iterator[tuple[Path, int]]:
    """The leaves as a list in which the first one that holds decides.

    The side with fewer leaves comes first, so that what follows, most of the tree, need not
    say that it is on the other side.
    """
    if not tree.left or not tree.right:
        yield path, tree.segment
        return
    sides = [(tree.left, True), (tree.right, False)]
    (first, is_left), (second, _) = sorted(sides, key=lambda side: len(side[0].leaves()))
    yield from leaves_in_turn(first, _narrowed(path, tree, is_left=is_left))
    yield from leaves_in_turn(second, path)


def _narrowed(path: Path, node: Node, *, is_left: bool) -> Path:
    bounds = path.get(node.feature, Bounds())
    side = {"high": node.threshold} if is_left else {"low": node.threshold}
    return {**path, node.feature: replace(bounds, **side)}


def _written(tree: Node, segments: Integers, columns: Sequence[Column]) -> dict[str, Any]:
    n_rows = int(tree.counts.sum())
    leaves = list(leaves_within(tree, {}))
    steps = [(path, int(segments[code])) for path, code in leaves_in_turn(tree, {})]
    return {
        "case_expression": tree_text.case_expression(steps, columns),
        "fidelity": sum(int(leaf.counts.max()) for leaf, _ in leaves) / n_rows,
        "baseline": int(tree.counts.max()) / n_rows,
        "n_leaves": len(leaves),
        "depth": tree.depth(),
        "n_customers": n_rows,
        "segments": [
            _segment(code, int(segment), leaves, columns) for code, segment in enumerate(segments)
        ],
    }


def _segment(
    code: int, segment: int, leaves: list[tuple[Node, Path]], columns: Sequence[Column]
) -> dict[str, Any]:
    own = [(leaf, path) for leaf, path in leaves if leaf.segment == code]
    paths = [path for _, path in own]
    n_selected = sum(int(leaf.counts.sum()) for leaf, _ in own)
    n_right = sum(int(leaf.counts[code]) for leaf, _ in own)
    return {
        "segment": segment,
        "condition": tree_text.condition(paths, columns),
        "description": tree_text.description(paths, columns),
        "n_customers": n_selected,
        "precision": n_right / n_selected if n_selected else None,
        "recall": n_right / sum(int(leaf.counts[code]) for leaf, _ in leaves),
    }
