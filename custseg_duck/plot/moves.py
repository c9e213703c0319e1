"""Who moved from which segment to which."""

import altair as alt
import duckdb

from custseg_duck import colours
from custseg_duck.errors import InputError
from custseg_duck.plot.axes import (
    WIDTH,
    chart_of,
    in_order,
    layers,
    segment_or,
    title_of,
)
from custseg_duck.reading import rows_of, run_of

NEW, GONE = "new", "gone"


def migration(
    con: duckdb.DuckDBPyConnection, *, name: str = "default", width: int = WIDTH
) -> alt.LayerChart:
    """Who moved since the run before: a cell per segment of then and of now.

    Parameters
    ----------
    con : DuckDBPyConnection
        With two runs, the latter a refresh.
    name : str
        The run's name.
    width : int
        Pixels.

    Raises
    ------
    InputError
        If there is no run of this name, or it does not go on from another.
    """
    run_of(con, name)
    found = rows_of(con, "migration", "segment_history", run_name=name)
    if not found:
        raise InputError(
            f"the run {name!r} must go on from one before to show who moved, got a first one. "
            "custseg_duck.refresh(con=con) makes the next [no-result]"
        )
    rows = [
        {
            **row,
            "before": segment_or(row["from_segment"], NEW),
            "after": segment_or(row["to_segment"], GONE),
        }
        for row in found
    ]
    base = chart_of(rows, ("before", "after", "n_customers", "share")).encode(
        x=alt.X(
            "after:O",
            sort=in_order(row["after"] for row in rows),
            axis=alt.Axis(orient="top", labelAngle=0, title="segment now"),
        ),
        y=alt.Y("before:O", sort=in_order(row["before"] for row in rows), title="segment before"),
        tooltip=[
            alt.Tooltip("before:O"),
            alt.Tooltip("after:O", title="now"),
            alt.Tooltip("n_customers:Q", title="customers", format=","),
            alt.Tooltip("share:Q", title="share of those before", format=".1%"),
        ],
    )
    scale = alt.Scale(domain=[0, 1], range=[colours.MIDDLE, colours.MUCH], interpolate="rgb")
    cells = base.mark_rect(stroke=colours.RULE).encode(
        color=alt.condition(
            "datum.share == null",
            alt.value(colours.MIDDLE),
            alt.Color("share:Q", scale=scale, legend=None),
        )
    )
    numbers = base.mark_text(color=colours.INK).encode(text=alt.Text("n_customers:Q", format=","))
    n_rows = len({row["before"] for row in rows})
    return layers(
        cells,
        numbers,
        width=width,
        height=34 * n_rows,
        title=title_of("Who moved", "customers; the bluer, the larger a part of those before"),
        description="Customers by their segment in the run before and now.",
    )
