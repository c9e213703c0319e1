"""What must not change a bit: the order of rows, time zones, names."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from typing import Any

from tests.hard.laws.comparing import (
    assert_same,
    law,
)
from tests.hard.random_shops import Shop


@law
def order_of_rows_threads_and_layout_of_the_file_change_no_bit(shop: Shop) -> None:
    threads, layout = shop.rng.choice([1, 3, 4]), shop.rng.choice(["table", "file", "parquet"])
    in_disorder = f"from lines order by hash(rowid, {shop.seed})"
    shop.con.execute(f"set threads = {threads}")
    try:
        with tempfile.TemporaryDirectory() as folder:
            if layout == "parquet":
                lines = f"{folder}/lines.parquet"
                shop.con.execute(
                    f"copy ({in_disorder}) to '{lines}' (format parquet, row_group_size 7)"
                )
            elif layout == "file":  # with holes, where rows were deleted
                lines = "elsewhere.main.lines"
                shop.con.execute(
                    f"attach '{folder}/lines.duckdb' as elsewhere (row_group_size 2048); "
                    f"create table {lines} as {in_disorder}; insert into {lines} from lines; "
                    f"delete from {lines} where rowid < (select count(*) from lines)"
                )
            else:
                lines = shop.write("shuffled", in_disorder)
            with shop.made_of(lines) as made:
                assert_same(made, shop.made, f"{layout}, {threads} threads")
    finally:
        shop.con.execute("detach database if exists elsewhere; set threads = 2")


@law
def the_sessions_time_zone_changes_no_bit(shop: Shop) -> None:
    zone = shop.rng.choice(["Asia/Tokyo", "America/New_York", "Pacific/Chatham", "Africa/Cairo"])
    time = "ordered_at::timestamp at time zone 'UTC' as ordered_at" if shop.has_dates else ""
    shop.write("zoned", f"select * replace ({time}) from lines" if time else "from lines")
    shop.con.execute(f"set timezone = '{zone}'")
    try:
        assert_same(shop.features(), shop.by_key("from features", "customer_id"), zone)
        with shop.made_of("zoned") as made:
            assert_same(made, shop.made, f"times with a zone in {zone}")
    finally:
        shop.con.execute("set timezone = 'UTC'")


@law
def other_names_of_customers_orders_and_products_change_no_number(shop: Shop) -> None:
    for name in ("customer", "order", "product"):
        shop.write(
            f"{name}_names",
            f"select distinct {name}_id as old, md5({name}_id::varchar || {shop.seed}) as new "
            f"from lines where {name}_id is not null",
        )
    renamed = shop.write(
        "renamed",
        "select lines.* replace (c.new as customer_id, o.new as order_id, p.new as product_id) "
        "from lines left join customer_names as c on c.old = customer_id "
        "left join order_names as o on o.old = order_id "
        "left join product_names as p on p.old = product_id",
    )
    old = {
        name: dict(shop.con.execute(f"select new, old from {name}_names").fetchall())
        for name in ("customer", "order", "product")
    }
    before = tables_of(shop, {})
    with shop.made_of(renamed) as made:
        after = tables_of(shop, old)
    for table, rows in before.items():
        assert_same(after[table], rows, table)
    assert_same(made["models"], shop.made["models"], "models")


def tables_of(shop: Shop, old: Mapping[str, Mapping[Any, Any]]) -> dict[str, Any]:
    """What was made, by ids and items under their old names, without what names decide: numbers
    of rows, and which of equal rules speaks for an offer.
    """

    def named(kind: str, value: Any) -> Any:
        names = old.get(kind, {})
        if isinstance(value, list):
            return frozenset(names.get(one, one) for one in value)
        return names.get(value, value)

    by_name = {
        "features": (("customer_id",), ()),
        "segments": (("customer_id",), ()),
        "segment_summary": (("segment",), ()),
        "segment_profiles": (("segment", "feature", "department"), ()),
        "itemsets": (("items",), ("itemset_id", "item_names")),
        "rules": (("antecedents", "consequents"), NAMED),
        "segment_rules": (
            ("segment", "antecedents", "consequents"),
            # an order of several customers counts as the first one's
            (*NAMED, *(("n_customers", "effective_customers") if shop.shares_orders else ())),
        ),
        "recommendations": (("customer_id", "item_id"), (*NAMED, *CHOSEN)),
    }
    if shop.has_dates:
        by_name["sequences"] = (("antecedent", "consequent"), NAMED)
    found: dict[str, Any] = {}
    for table, (keys, left_out) in by_name.items():
        rows = {}
        for row in shop.rows(f"from {table}"):
            key = tuple(
                named("customer" if name == "customer_id" else "product", row.pop(name))
                if name not in ("segment", "feature", "department")
                else row.pop(name)
                for name in keys
            )
            rows[key] = {name: value for name, value in row.items() if name not in left_out}
        found[table] = rows
    for row in found["recommendations"].values():
        row["score"] = float(f"{row['score']:.12g}")  # evidence is added up in the order of rules
    return found


NAMED = (
    "rule_id", "antecedent_names", "consequent_names", "antecedent_name", "consequent_name",
    "item_name",
)  # fmt: skip
CHOSEN = ("rank", "antecedents", "confidence", "lift")
