"""Laws of order lines: what is left out, and what is a duplicate."""

from __future__ import annotations

from tests.hard.laws.comparing import (
    NEVER_BOUGHT,
    assert_same,
    law,
    own,
)
from tests.hard.random_shops import Shop


@law
def what_is_left_out_may_as_well_not_be_there(shop: Shop) -> None:
    options = "exclude_items := [({}){}], returns := 'drop'".format(
        shop.fresh("product_id", 7), "::" + shop.types["product_id"]
    )
    if shop.has_dates:
        options += ", since := timestamp '2024-01-03', as_of := timestamp '2024-06-01'"
    table = shop.write("more", "from lines")
    for customer in shop.rows("select customer_id from lines limit 3"):
        if customer["customer_id"] is None:
            continue
        who = f"'{customer['customer_id']}'"
        shop.add(table, customer_id=who, product_id=shop.fresh("product_id", 7))
        shop.add(table, customer_id="null")
        shop.add(table, customer_id=who, order_id="null")
        shop.add(table, customer_id=who, product_id="null")
        for column in ("quantity", "amount"):
            if column in shop.types:
                shop.add(table, customer_id=who, **{column: "-1"})
        if "is_return" in shop.types:
            shop.add(table, customer_id=who, is_return="true")
        if "quantity" in shop.types:
            shop.add(table, customer_id=who, quantity="0", amount="null")
        for time in ("2024-01-02 23:59:59", "2024-06-01 00:00:00", "2024-08-01") * shop.has_dates:
            shop.add(table, customer_id=who, ordered_at=f"timestamp '{time}'")
        if shop.has_dates:
            shop.add(table, customer_id=who, ordered_at="null")
    kept, with_more = (
        shop.rows(f"from custseg.order_lines('{name}', {options})") for name in ("lines", table)
    )
    assert_same(with_more, kept)


@law
def duplicates_that_are_dropped_change_nothing(shop: Shop) -> None:
    table = shop.write("more", "from lines union all from lines union all from lines")
    kept, with_more = (
        shop.rows(f"from custseg.order_lines('{name}', duplicates := 'drop')")
        for name in ("lines", table)
    )
    assert_same(with_more, kept)


@law
def the_kept_lines_are_all_kept_again(shop: Shop) -> None:
    options = shop.rng.choice(
        ["", ", returns := 'drop'", ", duplicates := 'drop'", ", empty_lines := 'keep'"]
    )
    table = shop.write("kept", f"from custseg.order_lines('lines'{options})")
    kept = shop.rows(f"from {table}")
    assert_same(shop.rows(f"from custseg.order_lines('{table}')"), kept)
    report = shop.rows(f"from custseg.line_report('lines'{options})")
    assert sum(row["n_lines"] for row in report) == len(shop.rows("from lines"))
    # the report counts these as left out, since nothing is made of them
    assert len(kept) == sum(
        row["n_lines"] for row in report if row["is_kept"] or row["reason"].endswith(NEVER_BOUGHT)
    )
    if not options:
        assert_same(own(shop.features(table)), own(shop.features()))
