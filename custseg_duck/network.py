"""Where the items and rules of a network are drawn. Needs networkx."""

from collections.abc import Sequence
from typing import NamedTuple

import networkx as nx
import numpy as np

from custseg_duck.udfs.points import Floats
from custseg_duck.udfs.projection import project

Node = tuple[str, str]  # of which kind, "item" or "rule", and its id
Place = tuple[float, float]  # pixels from the left and from the top

COLUMN = 160  # about the width of a part that is one node wide
LINE = 19  # the height of a name
MARGIN = 14
SIDE, DOWN = 90, 48  # pixels of an arrow that leads to the side, and down


class Layout(NamedTuple):
    """Places of all nodes, the room for a name to the right of each, and the height of all."""

    places: dict[Node, Place]
    name_width: float
    height: float


def layout(arrows: Sequence[tuple[Node, Node]], width: float) -> Layout:
    """Lay out each part that hangs together by itself, then one beside the other in rows.

    Arrows lead down rather than up. The same arrows always give the same layout.

    Parameters
    ----------
    arrows : sequence of pairs of nodes
    width : float
        Pixels. A part that is wider is made narrower.

    Returns
    -------
    Layout
        In pixels.
    """
    name_width = width / max(1, width // COLUMN) - MARGIN
    graph = nx.DiGraph()
    graph.add_edges_from(sorted(arrows))
    parts = [sorted(part) for part in nx.weakly_connected_components(graph)]
    parts.sort(key=lambda part: (-len(part), part))
    places: dict[Node, Place] = {}
    left = top = row_height = 0.0
    for part in parts:
        drawn = _draw(graph, part, width, name_width)
        part_width, part_height = drawn[:, 0].max() + name_width, drawn[:, 1].max() + MARGIN
        if left and left + part_width > width + 0.5:
            left, top, row_height = 0.0, top + row_height, 0.0
        for node, (x, y) in zip(part, drawn.tolist(), strict=True):
            places[node] = (round(left + x, 1), round(top + y, 1))
        left, row_height = left + part_width, max(row_height, part_height)
    return Layout(places, name_width, float(top + row_height))


def _draw(graph: nx.DiGraph, part: Sequence[Node], width: float, name_width: float) -> Floats:
    """Places of one part's nodes, of shape (n_nodes, 2), in pixels."""
    ordered = nx.Graph()
    ordered.add_nodes_from(part)
    arrows = sorted(graph.subgraph(part).edges)
    ordered.add_edges_from(arrows)
    found = nx.kamada_kawai_layout(ordered)
    places = project(np.array([found[node] for node in part])).coordinates[:, ::-1]
    steps = dict(zip(part, places, strict=True))
    lengths = [np.hypot(*(steps[a] - steps[b])) for a, b in arrows]
    if sum(steps[b][1] - steps[a][1] for a, b in arrows) < 0:
        places = places * (1, -1)
    places = places / np.mean(lengths) * (SIDE, DOWN)
    places -= places.min(axis=0)
    places[:, 0] *= min(1.0, (width - name_width - MARGIN) / max(places[:, 0].max(), 1.0))
    return _apart(places, name_width) + MARGIN


def _apart(places: Floats, name_width: float) -> Floats:
    """Places moved down where names would lie on each other."""
    moved = places.copy()
    done: list[int] = []
    for node in np.argsort(places[:, 1], kind="stable"):
        for other in done:
            is_beside = abs(moved[node, 0] - moved[other, 0]) >= name_width
            if not is_beside and moved[node, 1] < moved[other, 1] + LINE:
                moved[node, 1] = moved[other, 1] + LINE
        done.append(int(node))
    return moved
