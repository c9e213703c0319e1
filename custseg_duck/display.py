"""A run as tables on a terminal."""

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from custseg_duck import catalog
from custseg_duck.errors import InputError
from custseg_duck.result import RunResult
from custseg_duck.tables import exists as has_table

N_TRAITS = 3
N_RULES = 10
N_SEGMENT_RULES = 3
N_MOVES = 10


def show(result: RunResult, console: Console) -> None:
    """Print segments with what sets them apart, the top rules, and what was left out."""
    console.print(segments_table(result))
    for about in (migration_table(result), drift_table(result)):
        if about.row_count:
            console.print(about)
    console.print(rules_table(result))
    contrasts = segment_rules_table(result)
    if contrasts.row_count:
        console.print(contrasts)
    console.print(lines_table(result))


def segments_table(result: RunResult) -> Table:
    """One row per segment: size, revenue, label and the features that set it apart."""
    table = Table(title="Segments", title_justify="left", show_lines=True)
    for header in ("segment", "customers", "share", "revenue"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("label, and what sets it apart: value (average)")
    traits = traits_of(result)
    labels = dict(result.labels.project("segment, label").fetchall())
    rows = result.summary.project("segment, n_customers, customer_share, revenue_share")
    for segment, n_customers, customer_share, revenue_share in rows.order("segment").fetchall():
        table.add_row(
            str(segment),
            f"{n_customers:,}",
            f"{customer_share:.1%}",
            "" if revenue_share is None else f"{revenue_share:.1%}",
            "\n".join(
                [f"[bold]{escape(labels.get(segment) or '')}[/]"]
                + [escape(trait) for trait in traits.get(segment, [])]
            ),
        )
    return table


def traits_of(result: RunResult) -> dict[int, list[str]]:
    """Per segment, the few features furthest from all customers', in standard deviations."""
    rows = (
        result.con.execute(
            catalog.statement("display/traits"), {"run_name": result.name, "n": N_TRAITS}
        )
    ).fetchall()
    return dict(rows)


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


def migration_table(result: RunResult) -> Table:
    """Who moved in the latest refresh; no row if there was none."""
    table = Table(title="Who moved, since the run before", title_justify="left")
    for header in ("from", "to", "customers", "share of from"):
        table.add_column(header, justify="right", no_wrap=True)
    rows = result.migration.filter("from_segment is distinct from to_segment").project(
        "from_segment, to_segment, n_customers, share"
    )
    for origin, destination, n_customers, share in rows.limit(N_MOVES).fetchall():
        table.add_row(
            "new" if origin is None else str(origin),
            "gone" if destination is None else str(destination),
            f"{n_customers:,}",
            "" if share is None else f"{share:.1%}",
        )
    return table


def drift_table(result: RunResult) -> Table:
    """What has drifted since the model before was fitted; no row if nothing has."""
    table = Table(title="What drifted, since the model before was fitted", title_justify="left")
    table.add_column("feature")
    for header in ("stability index", "drift"):
        table.add_column(header, justify="right", no_wrap=True)
    if not has_table(result.con, "feature_drift"):
        return table
    rows = result.drift.filter("level in ('moderate', 'large', 'missing')").project(
        "coalesce(department, feature), psi, level"
    )
    for feature, psi, level in rows.limit(N_MOVES).fetchall():
        table.add_row(escape(feature), "" if psi is None else f"{psi:.2f}", level)
    return table


def show_explanation(
    con: duckdb.DuckDBPyConnection, customer_id: str, name: str, n: int, console: Console
) -> None:
    """Print why a customer is in its segment.

    Raises
    ------
    InputError
        If there is no such customer.
    """
    rows = con.execute(
        catalog.statement("display/explanation"),
        {"customer_id": customer_id, "run_name": name, "n": n},
    ).fetchall()
    if not rows:
        raise InputError(f"customer_id must be of the run {name!r}, got {customer_id}")
    segment, label = rows[0][:2]
    table = Table(
        title=f"Customer {customer_id} is in segment {segment} ({label})", title_justify="left"
    )
    table.add_column("why")
    table.add_column("what would change it")
    for *_, reason, change in rows:
        table.add_row(escape(reason), escape(change or ""))
    console.print(table)


def show_models(con: duckdb.DuckDBPyConnection, console: Console) -> None:
    """Print the stored models."""
    table = Table(title="Models", title_justify="left")
    table.add_column("name", no_wrap=True)
    for header in ("version", "algorithm", "k", "customers", "silhouette", "created"):
        table.add_column(header, justify="right", no_wrap=True)
    if has_table(con, "models"):
        rows = con.execute(
            "select name, version, model.algorithm, len(model.components), n_customers, "
            "metrics.silhouette, strftime(created_at, '%Y-%m-%d') "
            "from custseg.models order by name, version"
        ).fetchall()
        for name, version, algorithm, k, n_customers, silhouette, created_at in rows:
            table.add_row(
                escape(name),
                str(version),
                algorithm,
                str(k),
                f"{n_customers:,}",
                "" if silhouette is None else f"{silhouette:.3f}",
                created_at,
            )
    console.print(table)


def _items(items: list[str], names: list[str | None] | None) -> str:
    labels = names or [None] * len(items)
    return ", ".join(
        f"{name.strip()} ({item})" if name else item
        for item, name in zip(items, labels, strict=True)
    )
