"""A year of a real grocer, from order lines to who should get which offer.

marimo edit examples/story.py, or marimo export html examples/story.py -o story.html
"""

import marimo

app = marimo.App(width="medium", app_title="A grocer's customers")


@app.cell
def _():
    import marimo as mo

    import custseg_duck
    from custseg_duck import demo

    con = custseg_duck.connect()
    demo.make_order_lines(con)
    return con, custseg_duck, demo, mo


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    # A grocer's customers

    The *Complete Journey*: 1.47 million order lines of 2,469 households in 2017. All
    that follows happens inside of DuckDB, in the database `con`; this notebook only shows it.
    """)


@app.cell
def _(con, mo):
    mo.sql(
        """
        select count(*) as lines, count(distinct customer_id) as customers,
            count(distinct order_id) as orders, count(distinct product_id) as products,
            min(ordered_at)::date as first, max(ordered_at)::date as last,
            sum(amount)::bigint as revenue
        from order_lines
        """,
        engine=con,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## What customers are like

    A feature is a column of one table, one row per household. Nothing is fitted yet: this is
    plain SQL, in macros.
    """)


@app.cell
def _(con, mo):
    mo.sql(
        """
        select rfm_label, count(*) as households, round(avg(recency_days), 1) as days_since,
            round(avg(frequency), 1) as orders, round(avg(monetary)) as spend
        from custseg.rfm('order_lines') group by all order by spend desc
        """,
        engine=con,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Segments

    The first half of the year: six segments, numbered by size, each with a suggested name.
    """)


@app.cell
def _(con, custseg_duck, demo):
    first = custseg_duck.run("order_lines", con=con, as_of="2017-07-01", **demo.OPTIONS)
    return (first,)


@app.cell
def _(first, mo):
    mo.sql(
        """
        select segment, label, n_customers, round(100 * customer_share) as "% of customers",
            round(100 * revenue_share) as "% of revenue"
        from custseg.segment_summary join custseg.segment_labels using (run_name, segment)
        order by segment
        """,
        engine=first.con,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    What sets them apart, as a sentence that a colleague can check. `precision`: how many of those
    whom the sentence describes are in the segment. `recall`: how many of the segment it describes.
    """)


@app.cell
def _(first, mo):
    mo.sql(
        """
        select segment, description, round(precision, 2) as precision, round(recall, 2) as recall
        from custseg.decision_rules order by segment
        """,
        engine=first.con,
    )


@app.cell
def _(first, mo):
    mo.sql(
        """
        select segment, string_agg(coalesce(name, value), ', ' order by preference_rank) as prefers
        from custseg.segment_preferences
        where kind = 'category' and preference_rank <= 4
        group by segment order by segment
        """,
        engine=first.con,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Why is household 1 in its segment, and what would move it?
    """)


@app.cell
def _(first, mo):
    mo.sql(
        "select reason, change from custseg.explain(1) limit 4",
        engine=first.con,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## What is bought together

    Rules that are significant, that no simpler rule matches, and of which every part is needed.
    """)


@app.cell
def _(first, mo):
    mo.sql(
        """
        select antecedent_names as "who buys", consequent_names as "also buys",
            support_count as orders,
 round(100 * confidence) as "in % of orders", round(lift, 1) as "times as often"
        from custseg.top_rules order by rule_id limit 8
        """,
        engine=first.con,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    What could be offered to household 1, and because of what?
    """)


@app.cell
def _(first, mo):
    mo.sql(
        """
        select kind, rank, item_name, antecedent_names as because_of,
            round(confidence, 2) as confidence
        from custseg.recommendations where customer_id = 1
        order by kind, rank limit 6
        """,
        engine=first.con,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Half a year later

    A refresh goes on from the same segments: number 3 stays number 3, labels stay, and it
    says who moved.
    """)


@app.cell
def _(con, custseg_duck, first):
    later = custseg_duck.refresh(con=con, name=first.name, as_of="2018-01-01")
    return (later,)


@app.cell
def _(later, mo):
    mo.sql(
        """
        select from_segment, to_segment, n_customers, round(100 * share) as "% of from"
        from custseg.migrations where from_segment <> to_segment
        order by n_customers desc limit 6
        """,
        engine=later.con,
    )


@app.cell
def _(later, mo):
    mo.sql(
        """
        select coalesce(department, feature) as feature, round(psi, 2) as psi, level
        from custseg.feature_drift order by psi desc limit 5
        """,
        engine=later.con,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Features that only ever grow (orders, spend, the number of products) have moved; rates have
    not. The segments mean what they meant.

    All of it is in tables now: `from custseg.help()` lists them, and
    `custseg_duck.export(con, "shop.duckdb")` writes them to a file.
    """)


if __name__ == "__main__":
    app.run()
