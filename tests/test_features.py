"""The features against plain Python on random shops, by hand on small ones, and bit by bit."""

from __future__ import annotations  # see test_itemsets

import math
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import oracles
import pyarrow as pa
import pytest

import custseg_duck

NEW_YEAR = datetime(2024, 1, 1)  # a Monday
IDS = ("customer_id", "order_id", "product_id")
HEADERS = {
    "rfm": "customer_id recency_days frequency monetary r_score f_score m_score rfm_cell rfm_label",
    "purchase_frequency": "customer_id n_orders first_order last_order tenure_days mean_gap_days "
    "median_gap_days stddev_gap_days orders_per_30d mean_basket_size reorder_share",
    "product_diversity": "customer_id n_products n_departments entropy effective_n hhi "
    "repeat_share",
    "department_preferences": "customer_id department n_items item_share preference_index "
    "department_rank",
    "timing": "customer_id monday_share tuesday_share wednesday_share thursday_share friday_share "
    "saturday_share sunday_share weekend_share night_share morning_share afternoon_share "
    "evening_share",
}

# --- random shops --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared() -> Iterator[duckdb.DuckDBPyConnection]:
    """One database for the tests that are many; each replaces the table ``lines``."""
    with custseg_duck.connect() as connection:
        yield connection


@dataclass
class Shop:
    """Order lines as the oracle reads them, and the SQL types of their columns."""

    lines: list[oracles.Line]
    types: dict[str, str]
    as_of: datetime | None = None
    n_bins: int = 5

    def load(self, con: duckdb.DuckDBPyConnection) -> None:
        """Write the lines into the table ``lines``."""
        columns = {
            name: pa.array(
                [None if line[name] is None else str(line[name]) for line in self.lines],
                pa.string(),
            )
            for name in self.types
        }
        con.register("incoming", pa.table(columns))
        casts = ", ".join(f"{name}::{kind} as {name}" for name, kind in self.types.items())
        con.execute(f"create or replace table lines as select {casts} from incoming")
        con.unregister("incoming")

    def options(self) -> str:
        """``as_of`` as the macros take it."""
        return f", as_of := timestamp '{self.as_of}'" if self.as_of else ""


def random_shop(seed: int) -> Shop:
    """A shop whose columns, ids, gaps in the data and habits the seed decides."""
    rng = random.Random(seed)
    types = _random_types(rng, dated=seed % 8 != 7)
    lines = _random_lines(rng, n_customers=1 if seed % 10 == 0 else rng.randint(1, 60))
    # the last order has a purchase: from which day to count otherwise is a test of its own
    latest = max((line["ordered_at"] for line in lines if line["ordered_at"]), default=NEW_YEAR)
    last = {"customer_id": 0, "order_id": -1, "product_id": 0, "ordered_at": latest}
    lines.append(
        last | {"quantity": 1, "amount": Decimal(1), "department": None, "is_return": None}
    )
    rng.shuffle(lines)
    as_of = None
    if "ordered_at" in types and rng.random() < 0.3:
        as_of = NEW_YEAR + timedelta(minutes=rng.randrange(1, (latest - NEW_YEAR).days * 1440 + 2))
    return Shop([_typed(line, types) for line in lines], types, as_of, rng.randint(2, 9))


def _random_types(rng: random.Random, *, dated: bool) -> dict[str, str]:
    """Columns and their types; a shop need not have more than ids."""
    types = {name: rng.choice(["integer", "varchar", "uuid"]) for name in IDS}
    optional = {
        "ordered_at": (dated, ["timestamp", "timestamp", "timestamp", "date", "varchar"]),
        "quantity": (rng.random() < 0.85, ["integer", "decimal(10, 2)", "double"]),
        "amount": (rng.random() < 0.85, ["decimal(10, 2)", "double", "varchar"]),
        "department": (rng.random() < 0.75, ["varchar"]),
        "is_return": (rng.random() < 0.2, ["boolean"]),
    }
    return types | {name: rng.choice(kinds) for name, (has, kinds) in optional.items() if has}


def _random_lines(rng: random.Random, n_customers: int) -> list[dict[str, Any]]:
    """Lines with whole numbers as ids, of customers who come back after days or at once."""
    flaws = {
        "return": rng.choice([0, 0.1, 0.3]),
        "empty": rng.choice([0, 0.05]),
        "unpriced": rng.choice([0, 0, 0.1, 0.6]),
        "undated": rng.choice([0, 0, 0.05]),
        "incomplete": rng.choice([0, 0.03]),
        "duplicate": rng.choice([0, 0.1]),
    }
    same_day = rng.choice([0.05, 0.5, 1])
    shared_order_ids = rng.random() < 0.3  # each customer's orders count from 1
    span, n_products = rng.choice([1, 20, 400]), rng.choice([1, 4, 20])
    names = [None, *(f"department {letter}" for letter in "abcde")]
    departments = [rng.choice(names) for _ in range(n_products)]
    lines: list[dict[str, Any]] = []
    n_orders = 0
    for customer in range(n_customers):
        day = rng.randrange(span)
        for visit in range(1 + min(int(rng.expovariate(0.3)), 15)):
            n_orders += 1
            day += 0 if rng.random() < same_day else rng.randint(0, 30)
            time = NEW_YEAR + timedelta(days=day, minutes=rng.randrange(24 * 60))
            for _ in range(rng.randint(1, 6)):
                product = rng.randrange(n_products)
                line = {
                    "customer_id": customer,
                    "order_id": visit if shared_order_ids else n_orders,
                    "product_id": product,
                    "ordered_at": time,
                    "quantity": rng.randint(1, 3),
                    "amount": Decimal(rng.randint(0, 3000)) / 100,
                    "department": departments[product],
                    "is_return": None,
                }
                _spoil(line, flaws, rng)
                lines += [line] * (2 if rng.random() < flaws["duplicate"] else 1)
    return lines


def _spoil(line: dict[str, Any], flaws: dict[str, float], rng: random.Random) -> None:
    """Make a line one of those that real shops have, sometimes."""
    if rng.random() < 0.3:
        line["ordered_at"] += timedelta(minutes=rng.randrange(600))  # the order goes on for hours
    if rng.random() < flaws["unpriced"]:
        line["amount"] = None
    if rng.random() < flaws["return"]:
        which = rng.choice(["both", "quantity", "amount", "flag"])
        if which in ("both", "quantity"):
            line["quantity"] *= -1
        if which in ("both", "amount") and line["amount"] is not None:
            line["amount"] *= -1
        if which == "flag":
            line["is_return"] = rng.choice([True, False])
    if rng.random() < flaws["empty"]:
        line["quantity"] = rng.choice([0, 0, None])
        line["amount"] = rng.choice([None, Decimal(0)])
    if rng.random() < flaws["undated"]:
        line["ordered_at"] = None
    if rng.random() < flaws["incomplete"]:
        line[rng.choice(IDS)] = None


def _typed(line: dict[str, Any], types: dict[str, str]) -> dict[str, Any]:
    """The line with the shop's columns only, and its values as their types hold them."""
    typed = {name: line[name] for name in types}
    for name in IDS:
        if typed[name] is not None and types[name] == "varchar":
            typed[name] = f"id {typed[name]}"
        if typed[name] is not None and types[name] == "uuid":
            typed[name] = uuid.UUID(int=typed[name] % 2**128)
    if types.get("ordered_at") == "date" and typed["ordered_at"] is not None:
        typed["ordered_at"] = oracles.midnight(typed["ordered_at"])
    return typed


def table(con: duckdb.DuckDBPyConnection, query: str, n_keys: int = 1) -> dict[Any, dict[str, Any]]:
    """The rows of a query by their first columns."""
    relation = con.sql(query)
    rows = relation.fetchall()
    found = {}
    for row in rows:
        key = row[0] if n_keys == 1 else row[:n_keys]
        found[key] = dict(zip(relation.columns[n_keys:], row[n_keys:], strict=True))
    assert len(found) == len(rows)
    return found


def assert_same(got: dict[Any, oracles.Row], expected: dict[Any, oracles.Row]) -> None:
    """Equal rows, columns and values; floats within 1e-9."""
    assert set(got) == set(expected)
    for key, row in expected.items():
        assert list(got[key]) == list(row)
        for column, value in row.items():
            assert equal(got[key][column], value), (key, column, got[key][column], value)


def equal(got: Any, expected: Any) -> bool:
    if isinstance(expected, float) and isinstance(got, float):
        return math.isclose(got, expected, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(expected, dict) and isinstance(got, dict):
        return list(got) == list(expected) and all(map(equal, got.values(), expected.values()))
    return type(got) is type(expected) and got == expected


def without_unknown_rates(
    got: dict[Any, oracles.Row], expected: dict[Any, oracles.Row]
) -> Iterator[dict[Any, oracles.Row]]:
    """Both without orders_per_30d where the tenure is unknown, which has a test of its own."""
    unknown = {key for key, row in expected.items() if row["tenure_days"] is None}
    for rows in (got, expected):
        yield {
            key: {
                column: value
                for column, value in row.items()
                if column != "orders_per_30d" or key not in unknown
            }
            for key, row in rows.items()
        }


@pytest.mark.parametrize("seed", range(40))
def test_every_feature_of_a_random_shop_is_what_plain_python_says(
    shared: duckdb.DuckDBPyConnection, seed: int
) -> None:
    shop = random_shop(seed)
    shop.load(shared)
    lines, as_of, options = shop.lines, shop.as_of, shop.options()
    assert_same(
        table(shared, f"from custseg.rfm('lines'{options}, n_bins := {shop.n_bins})"),
        oracles.rfm(lines, as_of, shop.n_bins),
    )
    assert_same(
        *without_unknown_rates(
            table(shared, f"from custseg.purchase_frequency('lines'{options})"),
            oracles.purchase_frequency(lines, as_of),
        )
    )
    assert_same(
        table(shared, f"from custseg.product_diversity('lines'{options})"),
        oracles.product_diversity(lines, as_of),
    )
    assert_same(
        table(shared, f"from custseg.department_preferences('lines'{options})", n_keys=2),
        oracles.department_preferences(lines, as_of),
    )
    assert_same(
        table(shared, f"from custseg.timing('lines'{options})"), oracles.timing(lines, as_of)
    )
    assert_same(
        *without_unknown_rates(
            table(shared, f"from custseg.customer_features('lines'{options})"),
            oracles.customer_features(lines, as_of),
        )
    )
    got_orders = table(shared, f"from custseg.orders('lines'{options})", n_keys=2)
    assert {
        key: (row["ordered_at"], row["n_items"], row["amount"]) for key, row in got_orders.items()
    } == {
        (order.customer_id, order.order_id): (order.ordered_at, len(order.purchases), order.amount)
        for order in oracles.orders(lines, as_of)
    }


@pytest.mark.parametrize("seed", range(3))
def test_a_shop_without_dates_is_counted_by_its_days_since_the_prior_order(
    shared: duckdb.DuckDBPyConnection, seed: int
) -> None:
    rng = random.Random(seed)
    lines = [
        {
            "customer_id": customer,
            "order_id": customer * 100 + visit,
            "product_id": rng.randrange(10),
            "order_number": visit,
            "days_since_prior_order": days,
        }
        for customer in range(1, 40)
        for visit in range(1, rng.randint(2, 12))
        for days in [rng.randint(0, 30) if visit > 1 else None]
        for _ in range(rng.randint(1, 4))
    ]
    rng.shuffle(lines)
    shop = Shop(
        lines,
        dict.fromkeys(("customer_id", "order_id", "product_id", "order_number"), "integer")
        | {"days_since_prior_order": "double"},
    )
    shop.load(shared)
    assert_same(
        *without_unknown_rates(
            table(shared, "from custseg.purchase_frequency('lines')"),
            oracles.purchase_frequency(lines),
        )
    )


@pytest.mark.parametrize("macro", HEADERS)
def test_a_macro_gives_the_columns_of_its_header(
    shared: duckdb.DuckDBPyConnection, macro: str
) -> None:
    shared.execute(
        "create or replace table lines (customer_id integer, order_id integer, product_id integer)"
    )
    relation = shared.sql(f"from custseg.{macro}('lines')")
    assert relation.columns == HEADERS[macro].split()
    assert relation.fetchall() == []


@pytest.mark.parametrize("as_of", ["date '2024-01-05'", "'2024-01-05'", "timestamp '2024-01-05'"])
def test_as_of_may_be_a_date_a_text_or_a_timestamp_and_is_not_part_of_the_past(
    shared: duckdb.DuckDBPyConnection, as_of: str
) -> None:
    write_lines(shared, [(1, 1, 10, "2024-01-04 23:59:59"), (1, 2, 10, "2024-01-05 00:00:00")])
    query = f"select frequency, recency_days from custseg.rfm('lines', as_of := {as_of})"
    assert shared.sql(query).fetchall() == [(1, 1)]


# --- by hand -------------------------------------------------------------------------------------


def write_lines(con: duckdb.DuckDBPyConnection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write (customer, order, product, time, amount, department, quantity) as ``lines``.

    The last three may be left out: 1, 'food', 1.
    """
    con.execute(
        "create or replace table lines (customer_id integer, order_id integer, product_id integer, "
        "ordered_at timestamp, amount decimal(10, 2), department varchar, quantity integer)"
    )
    defaults = (1, "food", 1)
    con.executemany(
        "insert into lines values (?, ?, ?, ?, ?, ?, ?)",
        [row + defaults[len(row) - 4 :] for row in rows],
    )


def test_orders_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    write_lines(
        con,
        [
            (1, 1, 10, "2024-01-01 10:00", 5),
            (1, 1, 11, "2024-01-01 09:00", -2, "food", -1),
            (1, 2, 10, "2024-01-02 10:00", -5, "food", -1),
            (2, 1, 10, "2024-01-03 10:00", None),
        ],
    )
    # order 1 of customer 1: a return at 9, its one purchase at 10, 5 - 2 = 3; order 2 is a return
    # alone; order 1 of customer 2 is another order
    query = (
        "select customer_id, order_id, ordered_at, n_items, amount "
        "from custseg.orders('lines') order by all"
    )
    assert con.sql(query).fetchall() == [
        (1, 1, datetime(2024, 1, 1, 10), 1, Decimal(3)),
        (1, 2, datetime(2024, 1, 2, 10), 0, Decimal(-5)),
        (2, 1, datetime(2024, 1, 3, 10), 1, None),
    ]


def test_rfm_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    write_lines(
        con,
        [
            (1, 1, 10, "2024-01-01 10:00", 10),
            (2, 2, 10, "2024-01-05 10:00", 10),
            (2, 3, 10, "2024-01-09 10:00", 30),
            (2, 3, 10, "2024-01-09 10:00", -5, "food", -1),
            (3, 4, 10, "2024-01-09 23:00", 20),
            (4, 5, 10, "2024-01-10 23:59", 99),
            (4, 6, 10, "2024-01-10 10:00", 1),
            (4, 7, 10, "2024-01-10 10:00", 0),
            (5, 8, 10, "2024-01-10 10:00", -1, "food", -1),  # never bought: no row
        ],
    )
    # the day after the last order is 2024-01-11: recencies 10, 2, 2, 1.
    # r: customers with a larger recency 0, 1, 1, 3 of 4: 1 + floor(5 * (0, .25, .25, .75))
    #    = 1, 2, 2, 4
    # f: 1, 2, 1, 3 orders, with fewer 0, 2, 0, 3: 1 + floor(5 * (0, .5, 0, .75)) = 1, 3, 1, 4
    # m: 10, 35, 20, 100, with less 0, 2, 1, 3: 1, 3, 2, 4
    assert con.sql("from custseg.rfm('lines') order by all").fetchall() == [
        (1, 10, 1, 10.0, 1, 1, 1, "111", "hibernating"),
        (2, 2, 2, 35.0, 2, 3, 3, "233", "at risk"),
        (3, 2, 1, 20.0, 2, 1, 2, "212", "hibernating"),
        (4, 1, 3, 100.0, 4, 4, 4, "444", "loyal"),
    ]


@pytest.mark.parametrize("n_bins", range(2, 10))
def test_every_field_of_the_grid_has_its_label(
    shared: duckdb.DuckDBPyConnection, n_bins: int
) -> None:
    # n_bins ** 2 customers: one for each pair of scores
    lines = [
        (f * n_bins + r, ((f * n_bins + r) * n_bins) + visit, 10, f"2024-01-0{r + 1} 10:00")
        for r in range(n_bins)
        for f in range(n_bins)
        for visit in range(f + 1)
    ]
    write_lines(shared, lines)
    query = f"select r_score, f_score, rfm_label from custseg.rfm('lines', n_bins := {n_bins})"
    scores = range(1, n_bins + 1)
    assert sorted(shared.sql(query).fetchall()) == [
        (r, f, oracles.label(r, f, n_bins)) for r in scores for f in scores
    ]


def test_purchase_frequency_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    write_lines(
        con,
        [
            (1, 1, 10, "2024-01-01 23:00"),
            (1, 2, 10, "2024-01-02 01:00"),
            (1, 2, 11, "2024-01-02 01:00"),
            (1, 3, 12, "2024-01-02 20:00"),
            (1, 4, 10, "2024-02-29 10:00"),
            (1, 4, 10, "2024-02-29 10:00"),
            (1, 5, 10, "2024-02-10 10:00", -1, "food", -1),  # a return is not an order
            (2, 6, 10, "2024-02-20 10:00"),
        ],
    )
    # as_of is 2024-03-01. Customer 1: 31 + 29 days from January 1; gaps 1 (two hours, but over
    # midnight), 0 and 58 (29 to January 31 and 29): mean 59 / 3, median 1, squared differences from
    # the mean (3136 + 3481 + 13225) / 9 = 19842 / 9, by 2: 9921 / 9; 4 * 30 / 60 = 2 orders; 6
    # lines in 4 orders; 3 of 6 are first purchases.
    # Customer 2: 10 days, which count as 30.
    got = con.sql("from custseg.purchase_frequency('lines') order by all").fetchall()
    one, four = datetime(2024, 1, 1, 23), datetime(2024, 2, 29, 10)
    six = datetime(2024, 2, 20, 10)
    assert got == [
        (1, 4, one, four, 60, *map(pytest.approx, (59 / 3, 1, math.sqrt(9921) / 3, 2, 1.5, 0.5))),
        (2, 1, six, six, 10, None, None, None, 1.0, 1.0, 0.0),
    ]


def test_product_diversity_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    write_lines(
        con,
        [
            (1, 1, 10, "2024-01-01", 1, "food"),
            (1, 2, 10, "2024-01-02", 1, "food"),
            (1, 3, 11, "2024-01-03", 1, None),
            (1, 3, 12, "2024-01-03", 1, "toys"),
            (1, 4, 13, "2024-01-03", -1, "tools", -1),  # returned, not bought
            (2, 5, 10, "2024-01-03", 1, None),
        ],
    )
    # shares 1/2, 1/4, 1/4: entropy ln(2)/2 + 2 ln(4)/4 = 1.5 ln 2; effective 2^1.5;
    # hhi 1/4 + 2/16 = 3/8; one of three products was bought again
    got = con.sql("from custseg.product_diversity('lines') order by all").fetchall()
    expected = (1.5 * math.log(2), 2**1.5, 3 / 8, 1 / 3)
    assert got == [
        (1, 3, 2, *map(pytest.approx, expected)),
        (2, 1, None, 0.0, 1.0, 1.0, 0.0),
    ]


def test_department_preferences_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    write_lines(
        con,
        [
            (1, 1, 10, "2024-01-01", 1, "food"),
            (1, 1, 10, "2024-01-01", 1, "food"),
            (1, 1, 11, "2024-01-01", 1, "food"),
            (1, 1, 12, "2024-01-01", 1, "toys"),
            (1, 1, 13, "2024-01-01", 1, None),
            (1, 1, 12, "2024-01-01", -1, "toys", -1),
            (2, 2, 12, "2024-01-01", 1, "toys"),
            (2, 2, 14, "2024-01-01", 1, "shoes"),
            (3, 3, 13, "2024-01-01", 1, None),
        ],
    )
    # lines with a department: 6, food 3/6, toys 2/6, shoes 1/6.
    # Customer 1: food 3/4 (index 3/4 / 1/2 = 1.5), toys 1/4 (1/4 / 1/3 = .75).
    # Customer 2: shoes 1/2 (3), toys 1/2 (1.5); a tie, by name
    got = con.sql("from custseg.department_preferences('lines') order by 1, 6").fetchall()
    assert got == [
        (1, "food", 3, 0.75, pytest.approx(1.5), 1),
        (1, "toys", 1, 0.25, pytest.approx(0.75), 2),
        (2, "shoes", 1, 0.5, pytest.approx(3), 1),
        (2, "toys", 1, 0.5, pytest.approx(1.5), 2),
    ]


def test_timing_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    write_lines(
        con,
        [
            (1, 1, 10, "2024-01-01 00:00:00"),  # Monday night
            (1, 2, 10, "2024-01-01 05:59:59"),  # Monday night
            (1, 3, 10, "2024-01-06 06:00:00"),  # Saturday morning
            (1, 3, 11, "2024-01-06 13:00:00"),  # the same order
            (1, 4, 10, "2024-01-07 12:00:00"),  # Sunday afternoon
            (1, 5, 10, "2024-01-10 18:00:00"),  # Wednesday evening
            (1, 6, 10, "2024-01-11 18:00:00", -1, "food", -1),  # Thursday, a return alone
        ],
    )
    # of 5 orders: Monday 2, Wednesday, Saturday and Sunday 1; night 2, the others 1
    assert con.sql("from custseg.timing('lines')").fetchall() == [
        (1, 0.4, 0.0, 0.2, 0.0, 0.0, 0.2, 0.2, 0.4, 0.4, 0.2, 0.2, 0.2)
    ]


def test_customer_features_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    write_lines(
        con,
        [
            (1, 1, 10, "2024-01-01 10:00", 10, "food"),
            (1, 2, 10, "2024-01-02 10:00", -4, "food", -1),
            (1, 3, 11, "2024-01-03 10:00", 6, "toys"),
            (1, 3, 12, "2024-01-03 10:00", 3, "toys"),
        ],
    )
    # 10 - 4 + 6 + 3 = 15 in 2 orders with a purchase; toys 2 of 3 lines, food 1
    query = (
        "select monetary, frequency, n_orders, mean_order_value, n_products, department_share, "
        "map_keys(department_share) from custseg.customer_features('lines')"
    )
    shares = {"toys": pytest.approx(2 / 3), "food": pytest.approx(1 / 3)}
    assert con.sql(query).fetchall() == [(15.0, 2, 2, 7.5, 3, shares, ["toys", "food"])]


# --- where the columns of one row must agree -----------------------------------------------------


def test_recency_and_tenure_are_counted_from_the_same_day(con: duckdb.DuckDBPyConnection) -> None:
    write_lines(
        con,
        [
            (1, 1, 10, "2024-01-01 10:00"),
            (1, 2, 10, "2024-01-10 10:00", -1, "food", -1),  # the shop's last order is a return
        ],
    )
    query = "select recency_days - tenure_days from custseg.customer_features('lines')"
    assert con.sql(query).fetchall() == [(0,)]  # one purchase: its age both ways


def test_first_order_and_timing_read_the_same_time_of_an_order(
    con: duckdb.DuckDBPyConnection,
) -> None:
    write_lines(
        con,
        [
            (1, 1, 10, "2024-01-01 10:00", -1, "food", -1),  # Monday, a return
            (1, 1, 11, "2024-01-03 10:00"),  # Wednesday, a purchase of the same order
        ],
    )
    query = (
        "select dayname(first_order) = if(monday_share = 1, 'Monday', 'Wednesday') "
        "from custseg.customer_features('lines')"
    )
    assert con.sql(query).fetchall() == [(True,)]


def test_without_a_tenure_there_is_no_number_of_orders_in_30_days(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute(
        "create table lines as select * from (values (1, 1, 10), (1, 2, 10), (1, 3, 10)) "
        "as lines (customer_id, order_id, product_id)"
    )
    query = "select tenure_days, orders_per_30d from custseg.purchase_frequency('lines')"
    assert con.sql(query).fetchall() == [(None, None)]


def test_a_shops_own_count_of_days_skips_an_order_of_returns_like_dates_do(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute(
        "create table lines as select * from (values (1, 1, 10, 1, null, 1), "
        "(1, 2, 10, 2, 7, -1), (1, 3, 10, 3, 30, 1)) "
        "as lines (customer_id, order_id, product_id, order_number, days_since_prior_order, "
        "quantity)"
    )
    query = "select n_orders, mean_gap_days from custseg.purchase_frequency('lines')"
    assert con.sql(query).fetchall() == [(2, 37.0)]  # 7 + 30 days from purchase to purchase


def test_two_orders_have_one_gap_whatever_came_before_them(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute(
        "create table lines as select * from (values (1, 5, 10, 5, 6), (1, 6, 10, 6, 8)) "
        "as lines (customer_id, order_id, product_id, order_number, days_since_prior_order)"
    )
    query = (
        "select n_orders, mean_gap_days, stddev_gap_days from custseg.purchase_frequency('lines')"
    )
    assert con.sql(query).fetchall() == [(2, 8.0, None)]


def test_half_days_since_the_prior_order_are_not_rounded(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "create table lines as select * from (values (1, 1, 10, 1, null), (1, 2, 10, 2, 3.5)) "
        "as lines (customer_id, order_id, product_id, order_number, days_since_prior_order)"
    )
    query = "select mean_gap_days from custseg.purchase_frequency('lines')"
    assert con.sql(query).fetchall() == [(3.5,)]


@pytest.mark.parametrize("session", ["UTC", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize(("shop", "hour"), [("null", 23), ("'Asia/Tokyo'", 8)])
def test_a_moment_with_a_time_zone_does_not_depend_on_the_sessions(
    shared: duckdb.DuckDBPyConnection, session: str, shop: str, hour: int
) -> None:
    shared.execute(
        "create or replace table lines as select 1 as customer_id, 1 as order_id, 10 as "
        "product_id, timestamptz '2024-01-01 23:30:00+00' as ordered_at"
    )
    shared.execute(f"set timezone = '{session}'")
    query = f"select hour(ordered_at) from custseg.order_lines('lines', time_zone := {shop})"
    try:
        assert shared.sql(query).fetchall() == [(hour,)]
    finally:
        shared.execute("reset timezone")


# --- the same bits -------------------------------------------------------------------------------

N_LINES = 150_000  # more than a row group, so that threads have something to share
N_CUSTOMERS = 1_000


def bits(con: duckdb.DuckDBPyConnection, relation: str, original: str = "customer_id") -> list[str]:
    """The features by original customer, every float with all its digits."""
    query = (
        f"select {original} as original, * exclude (customer_id) "
        f"from custseg.customer_features('{relation}') order by original"
    )
    return [repr(row) for row in con.sql(query).fetchall()]


def test_order_of_lines_names_of_customers_and_threads_do_not_change_a_bit(
    con: duckdb.DuckDBPyConnection,
) -> None:
    con.execute(f"""
        create table lines as
        select
            (hash(line, 'customer') % {N_CUSTOMERS})::integer as customer_id,
            (line // 4)::integer as order_id,
            (hash(line, 'product') % 500)::integer as product_id,
            timestamp '2024-01-01' + interval (hash(line // 4, 'time') % 500000) minute
                as ordered_at,
            if(hash(line, 'return') % 20 = 0, -1, 1) as quantity,
            quantity * (hash(line, 'amount') % 100000)::double / 1000 as amount,
            'department ' || hash(line, 'product') % 7 as department,
        from range({N_LINES}) as lines (line)
    """)
    con.execute("create table shuffled as from lines order by hash(rowid)")
    con.execute(
        "create table renamed as "
        f"select * replace ('c' || ({N_CUSTOMERS} - customer_id) as customer_id) from lines"
    )
    con.execute("set threads = 1")
    expected = bits(con, "lines")
    assert len(expected) == N_CUSTOMERS
    for threads in (2, 4):
        con.execute(f"set threads = {threads}")
        assert bits(con, "lines") == expected
    assert bits(con, "shuffled") == expected
    assert bits(con, "renamed", f"{N_CUSTOMERS} - customer_id[2:]::integer") == expected


def test_a_return_is_no_duplicate_of_a_purchase(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "create table lines as select * from (values (1, 1, 1, 2, true), (1, 1, 1, 2, false), "
        "(1, 1, 1, 2, true)) as lines (customer_id, order_id, product_id, quantity, is_return)"
    )
    for lines in (
        "lines",
        "(from lines order by is_return)",
        "(from lines order by not is_return)",
    ):
        con.execute(f"create or replace temp view ordered as from {lines}")
        assert con.execute(
            "select is_return, count(*) from custseg.order_lines('ordered', duplicates := 'drop') "
            "group by all order by all"
        ).fetchall() == [(False, 1), (True, 1)]
