"""Layouts: the same shop in other tables gives the same result, and says how it was read."""

import datetime
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import custseg_duck
from custseg_duck import InputError, MissingColumnError, demo
from custseg_duck.layouts import Table, recognise
from custseg_duck.source import attach
from tests.conftest import QUICK

Rows = list[dict[str, Any]]
Tables = dict[str, pa.Table]

DEPARTMENTS = {1: "produce", 2: "dairy", 3: "bakery"}
AISLES = {10: "fruit", 11: "milk", 12: "cheese", 13: "bread"}
NAMES = {product: f"product {product}" for product in range(1, 13)}
UNKNOWN_PRODUCT = 12  # is bought, but in no table of products


def department(product: int) -> int:
    return 1 + product % 3


def aisle(product: int) -> int:
    return 10 + product % 4


def shop() -> Rows:
    """Order lines of 40 customers, at most one order a day each, of 12 products."""
    choose = random.Random(7)
    rows = []
    for customer in range(1, 41):
        moment = datetime.datetime(2024, 1, 1, 9)
        for number in range(1, 3 + customer % 5):
            gap = choose.randint(1, 30) if number > 1 else None
            moment += datetime.timedelta(days=gap or 0, minutes=choose.randint(0, 300) * (not gap))
            for product in choose.sample(sorted(NAMES), choose.randint(1, 4)):
                quantity, price = choose.randint(1, 5), Decimal(choose.randint(50, 2000)) / 100
                rows.append(
                    {
                        "customer_id": customer,
                        "order_id": customer * 100 + number,
                        "product_id": product,
                        "ordered_at": moment,
                        "quantity": quantity,
                        "unit_price": price,
                        "amount": quantity * price,
                        "order_number": number,
                        "days_since_prior_order": gap,
                    }
                )
    return rows


def described(rows: Rows) -> Rows:
    """With what is known of the products."""
    return [
        row
        | dict.fromkeys(("product_name", "department", "category"))
        | (
            {
                "product_name": NAMES[row["product_id"]],
                "department": DEPARTMENTS[department(row["product_id"])],
                "category": AISLES[aisle(row["product_id"])],
            }
            if row["product_id"] != UNKNOWN_PRODUCT
            else {}
        )
        for row in rows
    ]


def table(rows: Rows, **names: str) -> pa.Table:
    """The rows' columns ``names``, as ``theirs=ours``."""
    return pa.table({theirs: [row[ours] for row in rows] for theirs, ours in names.items()})


def canonical(rows: Rows, *columns: str) -> pa.Table:
    names = ("customer_id", "order_id", "product_id", *columns)
    return table(rows, **{name: name for name in names})


def products(**names: str) -> pa.Table:
    rows = [
        {
            "product_id": product,
            "product_name": name,
            "department": DEPARTMENTS[department(product)],
            "category": AISLES[aisle(product)],
            "department_id": department(product),
            "category_id": aisle(product),
        }
        for product, name in NAMES.items()
        if product != UNKNOWN_PRODUCT
    ]
    return table(rows, **names)


def lookup(labels: dict[int, str], key: str, name: str) -> pa.Table:
    return pa.table({key: list(labels), name: list(labels.values())})


def complete_journey() -> tuple[Tables, pa.Table]:
    rows = shop()
    return {
        "transactions": table(
            rows,
            household_id="customer_id",
            basket_id="order_id",
            product_id="product_id",
            quantity="quantity",
            sales_value="amount",
            transaction_timestamp="ordered_at",
        ),
        "products": products(
            product_id="product_id", department="department", product_category="category"
        ),
        "demographics": pa.table({"household_id": [1], "age": ["45-54"]}),
        "promotions": pa.table({"product_id": [1], "store_id": [1]}),
    }, canonical(described(rows), "quantity", "amount", "ordered_at", "department", "category")


def with_departments() -> tuple[Tables, pa.Table]:
    rows = shop()
    return {
        "sales": canonical(rows, "quantity", "amount", "ordered_at"),
        "articles": products(
            SKU="product_id", Description="product_name", Department_ID="department_id"
        ),
        "groups": lookup(DEPARTMENTS, "DepartmentId", "department name"),
    }, canonical(described(rows), "quantity", "amount", "ordered_at", "product_name", "department")


def instacart() -> tuple[Tables, pa.Table]:
    """With the orders of the set "test", whose lines nobody has."""
    rows = shop()
    last = {row["customer_id"]: row["order_number"] for row in rows}
    is_train = [
        row["customer_id"] % 2 == 0 and row["order_number"] == last[row["customer_id"]]
        for row in rows
    ]
    orders: dict[int, dict[str, Any]] = {row["order_id"]: row for row in rows}
    orders[99_999] = orders[101] | {"order_id": 99_999, "order_number": 9}
    names = {"order_id": "order_id", "product_id": "product_id"}
    names |= {"add_to_cart_order": "quantity", "reordered": "quantity"}
    prior, train = (
        table([row for row, other in zip(rows, is_train, strict=True) if other is part], **names)
        for part in (False, True)
    )
    assert prior.num_rows > train.num_rows > 0
    return {
        "orders": table(
            list(orders.values()),
            order_id="order_id",
            user_id="customer_id",
            eval_set="order_id",
            order_number="order_number",
            order_dow="order_number",
            order_hour_of_day="order_number",
            days_since_prior_order="days_since_prior_order",
        ),
        "order_products__prior": prior,
        "order_products__train": train,
        "products": products(
            product_id="product_id",
            product_name="product_name",
            aisle_id="category_id",
            department_id="department_id",
        ),
        "aisles": lookup(AISLES, "aisle_id", "aisle"),
        "departments": lookup(DEPARTMENTS, "department_id", "department"),
    }, canonical(
        described(rows),
        "order_number",
        "days_since_prior_order",
        "product_name",
        "category",
        "department",
    )


def returned(rows: Rows) -> Rows:
    """With credit notes, one of them of a positive quantity, and a return without one."""
    rows = [row | {"order_id": str(row["order_id"]), "is_return": None} for row in rows]
    for i, quantity, letter in ((3, -1, "C"), (40, 2, "C"), (60, -2, "")):
        row = rows[i] | {"quantity": quantity, "amount": quantity * rows[i]["unit_price"]}
        rows.append(
            row | {"order_id": f"{letter}{row['order_id']}9", "is_return": bool(letter) or None}
        )
    return rows


INVOICE = {
    "InvoiceNo": "order_id",
    "StockCode": "product_id",
    "Description": "product_name",
    "Quantity": "quantity",
    "InvoiceDate": "ordered_at",
    "UnitPrice": "unit_price",
    "CustomerID": "customer_id",
    "Country": "department",
}


def online_retail() -> tuple[Tables, pa.Table]:
    rows = returned(described(shop()))
    columns = ("product_name", "quantity", "ordered_at", "amount", "is_return")
    return {"Online Retail": table(rows, **INVOICE)}, canonical(rows, *columns)


def online_retail_ii() -> tuple[Tables, pa.Table]:
    tables, expected = online_retail()
    renamed = {"InvoiceNo": "Invoice", "UnitPrice": "Price", "CustomerID": "Customer ID"}
    (invoices,) = tables.values()
    names = [renamed.get(name, name) for name in invoices.column_names]
    return {"Year 2010-2011": invoices.rename_columns(names)}, expected


def header_and_detail() -> tuple[Tables, pa.Table]:
    rows = shop()
    orders = {row["order_id"]: row for row in rows}
    return {
        "Orders": table(
            list(orders.values()),
            OrderID="order_id",
            CustomerID="customer_id",
            OrderDate="ordered_at",
            Amount="amount",  # of one of its lines: an order's amount is no line's
        ),
        "Order Details": table(
            rows,
            OrderID="order_id",
            ProductID="product_id",
            UnitPrice="unit_price",
            Quantity="quantity",
        ),
    }, canonical(rows, "quantity", "amount", "ordered_at")


def visits() -> tuple[Tables, pa.Table]:
    rows = shop()
    return {
        "transactions": table(
            rows,
            t_dat="ordered_at",
            customer_id="customer_id",
            article_id="product_id",
            price="amount",
        )
    }, canonical(rows, "amount", "ordered_at")


LAYOUTS = {
    "complete_journey": (
        complete_journey,
        {},
        "order lines of transactions (pyarrow.lib.Table) joined to products (pyarrow.lib.Table) on "
        "product_id; customer_id from household_id, order_id from basket_id, ordered_at from "
        "transaction_timestamp, amount from sales_value, department from products.department, "
        "category from products.product_category; not read: demographics, promotions",
    ),
    "departments": (
        with_departments,
        {},
        "order lines of sales (pyarrow.lib.Table) joined to articles (pyarrow.lib.Table) on "
        "product_id = SKU; department from groups.department name by articles.Department_ID, "
        "product_name from articles.Description",
    ),
    "instacart": (
        instacart,
        {},
        "order lines of order_products__prior (pyarrow.lib.Table) and order_products__train "
        "(pyarrow.lib.Table) joined to orders (pyarrow.lib.Table) on order_id and to products "
        "(pyarrow.lib.Table) on product_id; customer_id from orders.user_id, department from "
        "departments.department by products.department_id, category from aisles.aisle by "
        "products.aisle_id, product_name from products.product_name, order_number from "
        "orders.order_number, days_since_prior_order from orders.days_since_prior_order; "
        "no dates: time is order_number and days_since_prior_order",
    ),
    "online_retail": (
        online_retail,
        {},
        "Online Retail (pyarrow.lib.Table): customer_id from CustomerID, order_id from InvoiceNo, "
        "product_id from StockCode, ordered_at from InvoiceDate, product_name from Description; "
        "amount is Quantity * UnitPrice; InvoiceNo like C536379 is a return",
    ),
    "online_retail_ii": (
        online_retail_ii,
        {},
        "Year 2010-2011 (pyarrow.lib.Table): customer_id from Customer ID, order_id from Invoice, "
        "product_id from StockCode, ordered_at from InvoiceDate, product_name from Description; "
        "amount is Quantity * Price; Invoice like C536379 is a return",
    ),
    "header_and_detail": (
        header_and_detail,
        {},
        "order lines of Order Details (pyarrow.lib.Table) joined to Orders (pyarrow.lib.Table) on "
        "OrderID; customer_id from Orders.CustomerID, order_id from OrderID, "
        "product_id from ProductID, ordered_at from Orders.OrderDate; amount is Quantity * "
        "UnitPrice",
    ),
    "visits": (
        visits,
        {"ordered_at": "t_dat", "amount": "price"},
        "transactions (pyarrow.lib.Table): product_id from article_id; no order id: what a "
        "customer bought on one day is an order",
    ),
}  # fmt: skip


def outcome(con: duckdb.DuckDBPyConnection, source: object, **options: Any) -> dict[str, Any]:
    """All that a run found, without its name."""
    custseg_duck.run(source, con=con, min_support=0.05, **(QUICK | {"k": 3} | options))
    return {
        name: con.execute(
            f"select * exclude (run_name) from custseg.{name} order by all"
        ).fetchall()
        for name in ("customer_features", "segments", "itemsets", "rules", "segment_profiles")
    } | {
        "lines": con.execute(
            "select is_kept, reason, n_lines, amount from custseg.line_counts order by all"
        ).fetchall()
    }


def source_in_words(con: duckdb.DuckDBPyConnection) -> str:
    ((words,),) = con.execute(
        "select source from custseg.runs order by run_id desc limit 1"
    ).fetchall()
    return str(words)


def left_behind(con: duckdb.DuckDBPyConnection) -> list[tuple[str]]:
    return con.execute(
        "select view_name from duckdb_views() where not internal and schema_name <> 'custseg' "
        "union all select table_name from duckdb_tables() where schema_name <> 'custseg'"
    ).fetchall()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_gives_what_the_canonical_lines_give(
    con: duckdb.DuckDBPyConnection, layout: str, caplog: pytest.LogCaptureFixture
) -> None:
    generate, columns, words = LAYOUTS[layout]
    tables, lines = generate()
    expected = outcome(con, lines)
    assert source_in_words(con) == "pyarrow.lib.Table"
    assert len(expected["itemsets"]) > 12
    with caplog.at_level("INFO", "custseg_duck.source"):
        assert outcome(con, tables, columns=columns) == expected
    assert source_in_words(con) == words
    assert caplog.messages == [words]
    assert left_behind(con) == []


@pytest.mark.parametrize(
    ("layout", "suffix"), [*((layout, "csv") for layout in LAYOUTS), ("instacart", "parquet")]
)
def test_a_folder_is_its_files(
    con: duckdb.DuckDBPyConnection, layout: str, suffix: str, tmp_path: Path
) -> None:
    generate, columns, words = LAYOUTS[layout]
    tables, lines = generate()
    folder = tmp_path / "it's a [shop]"
    folder.mkdir()
    (folder / "README.txt").write_text("no table")
    for name, content in tables.items():
        if suffix == "parquet":
            pq.write_table(content, folder / f"{name}.parquet")
        else:
            pyarrow.csv.write_csv(content, folder / f"{name}.csv")
    expected = outcome(con, lines)
    assert outcome(con, str(folder), columns=columns) == expected
    found = source_in_words(con)
    explanation = words.replace(" (pyarrow.lib.Table)", "")
    (name, *others) = tables
    assert found == f"{folder}: " + (
        explanation if others else explanation.removeprefix(f"{name}: ")
    )


def test_the_complete_journeys_files_are_its_order_lines(
    con: duckdb.DuckDBPyConnection, complete_journey: Path
) -> None:
    con.execute(f"attach '{complete_journey}' as expected (read_only)")
    _, columns = attach(con, demo.data_folder(), {"product_name": "product_type"})
    names = [name for name, *_ in con.execute("describe from expected.main.order_lines").fetchall()]
    assert sorted(columns) == sorted(names)
    names[names.index("amount")] = "amount::decimal(18, 4)"
    for one, other in (
        ("temp.main.custseg_run_source", "expected.main.order_lines"),
        ("expected.main.order_lines", "temp.main.custseg_run_source"),
    ):
        assert con.execute(
            f"select count(*) from (select {', '.join(names)} from {one} "
            f"except all select {', '.join(names)} from {other})"
        ).fetchall() == [(0,)]


def test_tables_of_every_kind_stand_beside_each_other(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    tables, lines = instacart()
    con.register("o", tables["orders"])
    con.execute('create table "the orders" as from o; drop view o')
    pq.write_table(tables["order_products__prior"], tmp_path / "prior.parquet")
    source = {
        "orders": "the orders",
        "prior": tmp_path / "prior.parquet",
        "train": tables["order_products__train"].to_pandas(),
        "products": con.from_arrow(tables["products"]),
        "aisles": tables["aisles"],
        "departments": tables["departments"],
    }
    assert outcome(con, source) == outcome(con, lines)
    assert left_behind(con) == [("the orders",)]


def test_one_of_a_mapping_is_a_single_source(con: duckdb.DuckDBPyConnection) -> None:
    lines = canonical(shop(), "amount", "ordered_at")
    expected = outcome(con, lines)
    assert outcome(con, {"lines": lines}) == expected
    assert source_in_words(con) == "lines (pyarrow.lib.Table)"


def test_a_visits_day_is_the_shops(con: duckdb.DuckDBPyConnection) -> None:
    # 23:30 and 00:30 in UTC are one evening in New York, but two days in London
    times = [datetime.datetime(2024, 1, 1, 23, 30), datetime.datetime(2024, 1, 2, 0, 30)]
    lines = pa.table({"user_id": [1, 1], "sku": ["a", "b"], "order date": times})
    for zone, n_orders in ((None, 2), ("Europe/London", 2), ("America/New_York", 1)):
        result = custseg_duck.run(lines, con=con, k=1, **QUICK, time_zone=zone)
        assert result.features.project("n_orders").fetchall() == [(n_orders,)], zone


def test_an_invoices_date_may_be_american_text(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    path = tmp_path / "online_retail.csv"
    path.write_text(
        header + "536365,85123A,HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom\n"
        "C536379,D,Discount,-1,12/31/2010 9:41,2.5,17850,United Kingdom\n"
        "536370,22728,CLOCK,2,12/2/2010 10:03,3.75,12583,France\n"
    )
    result = custseg_duck.run(path, con=con, k=1, **QUICK)
    rows = result.features.project("customer_id, first_order::varchar, monetary").order("all")
    assert rows.fetchall() == [
        (12583, "2010-12-02 10:03:00", 7.5),
        (17850, "2010-12-01 08:26:00", 12.8),
    ]
    assert source_in_words(con).endswith("; InvoiceDate like 12/31/2010 8:26 is month/day/year")
    path.write_text(header + "536365,85123A,HOLDER,6,31/12/2010 8:26,2.55,17850,United Kingdom\n")
    with pytest.raises(
        InputError, match=r"ordered_at must be a timestamp .* got '31/12/2010 8:26'"
    ):
        custseg_duck.run(path, con=con, k=1, **QUICK)


def test_text_is_read_in_a_layout_as_in_one_table(con: duckdb.DuckDBPyConnection) -> None:
    lines = {
        "customer_id": ["a", "b"],
        "order_id": ["1", "2"],
        "product_id": ["x", "y"],
        "ordered_at": ["2024-01-02T00:30:00+02:00", "2024-01-02"],
        "amount": ["5.5", "2"],
        "quantity": ["1", "1"],
        "is_return": ["false", "false"],
    }
    names = pa.table({"sku": ["x", "y"], "description": ["tea", "milk"]})
    one = pa.table(lines | {"product_name": ["tea", "milk"]})
    for zone in (None, "America/New_York"):
        expected = outcome(con, one, k=1, time_zone=zone)
        source = {"lines": pa.table(lines), "products": names}
        assert outcome(con, source, k=1, time_zone=zone) == expected
        heads = pa.table({name: lines[name] for name in ("customer_id", "order_id", "ordered_at")})
        rest = {name: lines[name] for name in lines if name not in ("customer_id", "ordered_at")}
        source = {"orders": heads, "lines": pa.table(rest), "products": names}
        assert outcome(con, source, k=1, time_zone=zone) == expected
    bad = {"lines": pa.table(lines | {"amount": ["5.5", "two"]}), "products": names}
    with pytest.raises(InputError, match=r"amount must be a number .* got 'two'"):
        custseg_duck.run(bad, con=con, k=1, **QUICK)


def test_lines_without_customer_or_day_are_no_visit(con: duckdb.DuckDBPyConnection) -> None:
    day = datetime.date(2024, 1, 1)
    lines = pa.table(
        {"customer_id": [1, None, 1], "product_id": [1, 1, 1], "date": [day, day, None]}
    )
    custseg_duck.run(lines, con=con, k=1, **QUICK)
    assert con.execute(
        "select reason, n_lines from custseg.line_counts order by all"
    ).fetchall() == [
        ("no customer", 1),
        ("no order", 1),
        ("purchase", 1),
    ]


def test_lines_of_unknown_orders_are_counted(con: duckdb.DuckDBPyConnection) -> None:
    source = {
        "orders": pa.table({"order_id": [1], "customer_id": ["ann"]}),
        "lines": pa.table({"order_id": [1, 1, 2], "product_id": [1, 2, 2]}),
    }
    custseg_duck.run(source, con=con, k=1, **QUICK)
    assert con.execute(
        "select reason, n_lines from custseg.line_counts order by all"
    ).fetchall() == [
        ("no customer", 1),
        ("purchase", 2),
    ]


def test_the_lines_own_columns_and_a_mapping_win(con: duckdb.DuckDBPyConnection) -> None:
    source = {
        "lines": pa.table(
            {
                "customer_id": [1], "order_id": [1], "product_id": [1], "department": ["own"],
                "sales_value": [5], "value": [7],
            }
        ),
        "products": pa.table(
            {"product_id": [1], "department": ["theirs"], "description": ["a"], "title": ["b"]}
        ),
    }  # fmt: skip
    result = custseg_duck.run(source, con=con, k=1, **QUICK)
    assert result.features.project("monetary, department_share").fetchall() == [(5, {"own": 1})]
    assert result.itemsets.project("item_names").fetchall() == [(["a"],)]
    columns = {"amount": "value", "product_name": "title", "department": "department"}
    result = custseg_duck.run(source, con=con, k=1, **QUICK, columns=columns)
    assert result.features.project("monetary, department_share").fetchall() == [(7, {"own": 1})]
    assert result.itemsets.project("item_names").fetchall() == [(["b"],)]


def test_hostile_names_are_only_names(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    evil = "x\"'; drop table victim; --"
    con.execute("create table victim as select 1 as a")
    lines = pa.table({evil: [1, 2], "order_id": [1, 2], "product_id": [1, 2]})
    quoted = '"' + evil.replace('"', '""') + '"'
    con.register("custseg_lines", lines)
    con.execute(f"create table {quoted} as from custseg_lines; drop view custseg_lines")
    path = tmp_path / "x'; drop table victim; --[1]*.csv"
    pyarrow.csv.write_csv(pa.table({"product_id": [1, 2], "description": ["a", evil]}), path)
    for source in ({evil: evil, "products": path}, {evil: lines, f"{evil}2": str(path)}):
        result = custseg_duck.run(source, con=con, k=1, **QUICK, columns={"customer_id": evil})
        assert result.itemsets.project("item_names").order("all").fetchall() == [
            (["a"],),
            ([evil],),
        ]
    assert sorted(left_behind(con)) == sorted([("victim",), (evil,)])


LINES = {"customer_id": [1], "order_id": [1], "product_id": [1]}


@pytest.mark.parametrize(
    ("tables", "columns", "message"),
    [
        ({}, {}, "must have at least one table, got an empty mapping"),
        ({"lines": 7}, {}, r"table 'lines' of the source: source must be the name .* got int"),
        ({7: LINES}, {}, "must map names of tables to tables, got the name 7"),
        ({"lines": LINES, "more": "nowhere.csv"}, {}, "table 'more' .* readable, got nowhere.csv"),
        (
            {"sales": {"kunde": [1], "artikel": [1]}, "products": {"sku": [1], "description": [1]}},
            {},
            r"order lines, .* got sales \(kunde, artikel\); products \(sku, desc.*\)\. .*--map",
        ),
        (
            {"a": LINES, "b": LINES},
            {},
            r"one table of order lines, got 2 that may be it: a \(.*\); b \(.*'folder/\*.parquet'",
        ),
        (
            {"lines": LINES, "p": {"sku": [1], "aisle": [1]}, "q": {"sku": [1], "aisle": [1]}},
            {},
            r"one table of products, got 2 that may be it: p \(sku, aisle\); q",
        ),
        (
            {"lines": {"order_id": [1], "product_id": [1]}, "products": {"sku": [1], "aisle": [1]}},
            {},
            "lines must have the columns customer_id, got order_id, product_id",
        ),
        (
            {"lines": {"customer_id": [1], "product_id": [1]}, "x": {"y": [1]}},
            {},
            "lines must have the columns order_id, got customer_id, product_id",
        ),
        (
            {"lines": {"user_id": [1], "household_id": [1], "basket_id": [1], "sku": [1]}},
            {},
            "customer_id must be one column of lines, got 2 that may be it: user_id, household_id. "
            r"Say which: columns=\{'customer_id': 'user_id'\} \(--map customer_id=user_id\)",
        ),
        (
            {"lines": LINES, "products": {"sku": [1, 2, 2, 3, 3, None, None], "aisle": [1] * 7}},
            {},
            "products must have each sku once to be joined on it, got 2 of them more than "
            "once, such as 2",
        ),
        (
            {
                "lines": {"order_id": [1], "product_id": [1]},
                "heads": {"OrderID": [1, 1], "user_id": [1, 2]},
            },
            {},
            "heads must have each OrderID once to be joined on it, got 1 of them more than once",
        ),
        (
            {"lines": LINES, "products": {"product_id": ["1"], "aisle": ["a"]}},
            {},
            "products.product_id must be of the type of lines.product_id to be joined on it, "
            "got VARCHAR against BIGINT",
        ),
        (
            {"lines": LINES, "products": {"product_id": [1], "aisle": ["a"]}},
            {"amount": "price"},
            r"must map to columns of the source's tables, got price; there are lines \(cust",
        ),
        ({"lines": LINES, "x": {"y": [1]}}, {"price": "y"}, "columns must map names among"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_refused(
    con: duckdb.DuckDBPyConnection,
    tables: dict[Any, Any],
    columns: dict[str, str],
    message: str,
) -> None:
    source = {
        name: pa.table(value) if isinstance(value, dict) else value
        for name, value in tables.items()
    }
    with pytest.raises(InputError, match=message):
        custseg_duck.run(source, con=con, k=1, **QUICK, columns=columns)
    assert left_behind(con) == []
    assert custseg_duck.run(pa.table(LINES), con=con, k=1, **QUICK).segments.fetchall()


def test_what_was_unclear_is_clear_once_it_is_mapped(con: duckdb.DuckDBPyConnection) -> None:
    lines = pa.table({"user_id": [1], "household_id": [2], "basket_id": [1], "sku": [1]})
    result = custseg_duck.run(lines, con=con, k=1, **QUICK, columns={"customer_id": "household_id"})
    assert result.segments.project("customer_id").fetchall() == [(2,)]
    with pytest.raises(MissingColumnError) as caught:
        custseg_duck.run(lines.drop_columns(["sku"]), con=con, columns={"customer_id": "user_id"})
    assert caught.value.missing == ("product_id",)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), "must be a folder with Parquet or CSV files, got"),
        (("notes.txt", ".hidden.csv"), "must be a folder with Parquet or CSV files, got"),
        (("a.csv", "a.tsv.gz"), "one file of each name, got a.csv and a.tsv.gz"),
    ],
)
def test_a_folder_without_a_shop_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, names: tuple[str, ...], message: str
) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=message):
        custseg_duck.run(tmp_path, con=con)


def test_a_table_comes_before_a_folder_of_its_name(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    con.execute("create table shop as select 1 as customer_id, 1 as order_id, 1 as product_id")
    assert custseg_duck.run("shop", con=con, k=1, **QUICK).segments.fetchall()
    con.execute("drop table shop")
    with pytest.raises(InputError, match="must be a folder with"):
        custseg_duck.run("shop", con=con, k=1, **QUICK)


@pytest.mark.parametrize(
    "columns",
    [
        ("customer_id", "order_id", "product_id", "order", "price", "description"),
        ("CUSTOMER_ID", "order_id", "product_id", "invoice", "user_id", "basket_id"),
    ],
)
def test_canonical_names_need_no_recognition(columns: tuple[str, ...]) -> None:
    layout = recognise([Table("lines", "lines", dict.fromkeys(columns, "BIGINT"), "lines")], {})
    assert layout.is_plain
    assert [layout.lines[0].chosen[ours] for ours in layout.columns][:3] == list(columns[:3])


def test_the_command_says_once_how_it_read_a_folder(tmp_path: Path) -> None:
    tables, _ = instacart()
    for name, content in tables.items():
        pyarrow.csv.write_csv(content, tmp_path / f"{name}.csv")

    def command(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "custseg_duck.cli", *options[:-1], "run", str(tmp_path), "-k",
             "2", "-d", str(tmp_path / "shop.duckdb"), options[-1]],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    said = "joined to orders on order_id and to products on product_id"
    shown = command("--min-support=0.05")
    assert (shown.returncode, shown.stderr.count(said)) == (0, 1)
    assert shown.stderr.startswith(f"Source: {tmp_path}: order lines of order_products__prior and")
    quiet = command("--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    verbose = command("--verbose", "--min-support=0.05")
    assert (verbose.returncode, verbose.stderr.count(said)) == (0, 1)
