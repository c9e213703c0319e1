"""Where the items and rules of a network are drawn. Needs networkx."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import networkx as nx
import numpy as np

from custseg_duck.udfs.points import Floats
from custseg_duck.udfs.projection import project

Node = tuple[str, str]  # of which kind, "item" or "rule", and its id
Place = tuple[float, float]  # pixels from the left and from the top

COLUMN = 150  # about the width of a part that is one node wide
LINE = 19  # the height of a name
MARGIN = 14
SIDE, DOWN = 90, 48  # pixels of an arrow that leads to the side, and down


class Layout(NamedTuple):
    """Where all nodes are and on which side of them their names, in pixels.

    sides : "right", "left", "above" or "below"; name_width : the room for a name; height : of all
    """

    places: dict[Node, Place]
    sides: dict[Node, str]
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
    """
    found = Layout({}, {}, width / max(1, width // COLUMN) - MARGIN, 0.0)
    graph = nx.DiGraph()
    graph.add_edges_from(sorted(arrows))
    parts = [sorted(part) for part in nx.weakly_connected_components(graph)]
    parts.sort(key=lambda part: (-len(part), part))
    left = top = row_height = 0.0
    for part in parts:
        drawn, sides = _draw(graph, part, width, found.name_width)
        part_width = float(drawn[:, 0].max()) + found.name_width
        if left and left + part_width > width + 0.5:
            left, top, row_height = 0.0, top + row_height, 0.0
        for node, (x, y) in zip(part, drawn.tolist(), strict=True):
            found.places[node] = (round(left + x, 1), round(top + y, 1))
        found.sides.update(sides)
        left += part_width
        row_height = max(row_height, float(drawn[:, 1].max()) + MARGIN)
    return found._replace(height=top + row_height)


def _draw(
    graph: nx.DiGraph, part: Sequence[Node], width: float, name_width: float
) -> tuple[Floats, dict[Node, str]]:
    """Places of one part's nodes, of shape (n_nodes, 2), and the sides of their names."""
    arrows = tuple(sorted(graph.subgraph(part).edges))
    shape = _shape(tuple(part), arrows)
    places = (shape - shape.min(axis=0)) * (SIDE, DOWN)
    if places[:, 0].max() < SIDE / 4:
        places[:, 0] = 0.0  # an upright line
    leftmost = _at_the_left(dict(zip(part, places, strict=True)), arrows)
    has_room = width >= 3 * name_width
    margin = name_width if leftmost and has_room else 0.0
    room = width - name_width - MARGIN - margin
    places[:, 0] *= min(1.0, room / max(places[:, 0].max(), 1.0))
    places[:, 0] += margin
    sides = dict.fromkeys(part, "right")
    for node, slope in leftmost.items():
        sides[node] = "left" if has_room else "above" if slope >= 0 else "below"
    return _apart(places, name_width) + MARGIN, sides


def _at_the_left(
    places: Mapping[Node, Floats], arrows: Sequence[tuple[Node, Node]]
) -> dict[Node, float]:
    """Nodes all of whose arrows go to the right, where they would cross the name, and how far down.

    In pixels: their ends are so much below the node, all together.
    """
    found = dict.fromkeys(places, 0.0)
    for first, last in arrows:
        for node, other in ((first, last), (last, first)):
            right, down = places[other] - places[node]
            if right < SIDE / 4:
                found.pop(node, None)
            elif node in found:
                found[node] += float(down)
    return found


@lru_cache(maxsize=256)
def _shape(part: tuple[Node, ...], arrows: tuple[tuple[Node, Node], ...]) -> Floats:
    """Places of one part's nodes: higher than wide, an arrow of length 1 on average."""
    graph = nx.Graph()
    graph.add_nodes_from(part)
    graph.add_edges_from(arrows)
    found = nx.kamada_kawai_layout(graph)
    places = project(np.array([found[node] for node in part])).coordinates[:, ::-1]
    steps = dict(zip(part, places, strict=True))
    lengths = [np.hypot(*(steps[last] - steps[first])) for first, last in arrows]
    is_upside_down = sum(steps[last][1] - steps[first][1] for first, last in arrows) < 0
    shape: Floats = places * (1, -1 if is_upside_down else 1) / np.mean(lengths)
    return shape


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
