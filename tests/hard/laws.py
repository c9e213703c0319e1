"""Right by construction: relations between the answers for a shop and for one made from it.

No oracle says what an answer should be; each law says how two answers hang together, as SQLancer
does for databases. Every law is a function that is named as a sentence and takes a random shop.
"""

from __future__ import annotations

import math
import tempfile
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import duckdb

import custseg_duck
from tests.conftest import QUICK
from tests.hard.figure import Figure
from tests.hard.random_shops import LATE, Row, Rows, Shop, open_shop

PROMISED = 100  # shops
BROKEN = "broken laws"

# The features that depend on other customers, and why; all others may not
RELATIVE = {
    "r_score": "a rank among all customers",
    "f_score": "a rank among all customers",
    "m_score": "a rank among all customers",
    "rfm_cell": "made of the ranks",
    "rfm_label": "made of the ranks",
    "night_share": "NULL where no order of the shop has a time of day",
    "morning_share": "NULL where no order of the shop has a time of day",
    "afternoon_share": "NULL where no order of the shop has a time of day",
    "evening_share": "NULL where no order of the shop has a time of day",
}
# and without as_of, which the laws give, the days to the shop's last order: recency_days,
# tenure_days and orders_per_30d

Law = Callable[[Shop], None]
LAWS: list[Law] = []


def law(function: Law) -> Law:
    """Let a function be tried on every shop."""
    LAWS.append(function)
    return function


def tried(n: int, *, seed: int) -> Figure:
    """All laws on ``n`` shops, of which ``seed`` is the first."""
    figure = Figure(must_be_zero=(BROKEN,))
    figure.counts["shops"] = n
    figure.counts["laws"] = len(LAWS)
    figure.counts["laws tried on a shop"] = 0
    for number in range(seed, seed + n):
        # one database a shop, since one holds one type of id
        with custseg_duck.connect(threads=2) as con, warnings.catch_warnings():
            warnings.simplefilter("ignore", custseg_duck.CustsegWarning)
            try:
                shop = open_shop(con, number)
            except duckdb.Error as error:
                figure.failed(BROKEN, f"seed {number}: no shop: {error}")
                continue
            for one in LAWS:
                try_law(figure, one, shop)
    return figure


def try_law(figure: Figure, one: Law, shop: Shop) -> None:
    """Count a law, and what breaks it."""
    figure.counts["laws tried on a shop"] += 1
    try:
        one(shop)
    except Exception as error:
        reason = str(error) or type(error).__name__
        figure.failed(BROKEN, f"seed {shop.seed}: {one.__name__}: {reason[:500]}")


# --- comparing -----------------------------------------------------------------------------------


def assert_same(found: Any, expected: Any, what: str = "") -> None:
    """Equal to the last bit, or the first difference."""
    if found == expected:
        return
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        for key in [*expected, *(key for key in found if key not in expected)]:
            if key not in found or key not in expected or found[key] != expected[key]:
                assert_same(found.get(key), expected.get(key), f"{what} {key}")
    if isinstance(found, list) and isinstance(expected, list):
        assert len(found) == len(expected), f"{what}: {len(found)} rows, not {len(expected)}"
        for one, other in zip(found, expected, strict=True):
            assert one == other, f"{what}: {one} is not {other}"
    raise AssertionError(f"{what}: {found} is not {expected}")


def assert_close(found: Any, expected: Any, what: str = "") -> None:
    """Equal but for the last digits of floats."""
    if isinstance(found, dict) and isinstance(expected, dict):
        assert set(found) == set(expected), f"{what}: {set(found) ^ set(expected)} are in one only"
        for key, value in expected.items():
            assert_close(found[key], value, f"{what} {key}")
    elif isinstance(expected, float) and isinstance(found, float):
        # by the square root of what is subtracted, which is up to 1: 1e-16 may become 1e-8
        assert math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12) or found == expected, (
            f"{what}: {found!r} is not {expected!r}"
        )
    else:
        assert found == expected, f"{what}: {found!r} is not {expected!r}"


def without(rows: Mapping[Any, Row], columns: Iterable[str]) -> dict[Any, Row]:
    """The rows without some columns."""
    left_out = set(columns)
    return {
        key: {name: value for name, value in row.items() if name not in left_out}
        for key, row in rows.items()
    }


def own(features: Mapping[Any, Row]) -> dict[Any, Row]:
    """The features that do not depend on other customers."""
    return without(features, RELATIVE)


# --- features ------------------------------------------------------------------------------------


@law
def a_stranger_changes_no_feature_of_anybody_else(shop: Shop) -> None:
    table = shop.write("more", "from lines")
    for order in range(shop.rng.randint(1, 4)):
        for product in range(shop.rng.randint(1, 3)):
            ids = {name: shop.fresh(f"{name}_id", i) for name, i in
                   (("order", order), ("product", product))}  # fmt: skip
            shop.add(table, order_id=ids["order"], product_id=ids["product"])
    before, after = shop.features(), shop.features(table)
    assert len(after) == len(before) + 1
    kept = {customer: row for customer, row in after.items() if customer in before}
    # the stranger came at midnight, so that hours are known as before
    hours = [name for name in RELATIVE if name.endswith("_share")]
    relative = [name for name in RELATIVE if name not in hours]
    assert_same(without(kept, relative), without(before, relative))


@law
def the_features_of_parts_of_the_customers_are_those_of_the_whole(shop: Shop) -> None:
    together: dict[Any, Row] = {}
    for part in range(2):
        rest = f"hash(customer_id::varchar, {shop.seed}) % 2 = {part}"
        together |= shop.features(shop.write("part", f"from lines where {rest}"))
    assert_same(own(together), own(shop.features()))


@law
def counts_and_sums_of_parts_of_the_lines_add_up_to_those_of_the_whole(shop: Shop) -> None:
    counted = {
        "custseg.orders": (("customer_id", "order_id"), ("n_items", "amount")),
        "custseg.product_counts": (("customer_id", "product_id"), ("n_lines",)),
        "custseg.department_counts": (("customer_id", "department"), ("n_items",)),
        "custseg.line_report": (("reason",), ("n_lines", "amount")),
    }

    def of(macro: str, table: str) -> dict[Any, Counter[str]]:
        keys, sums = counted[macro]
        added: dict[Any, Counter[str]] = defaultdict(Counter)
        for row in shop.rows(f"from {macro}('{table}')"):
            # whether the customer has a purchase is seen in the whole alone
            key = tuple(str(row[name]).removesuffix(NEVER_BOUGHT) for name in keys)
            added[key].update({name: row[name] for name in sums if row[name] is not None})
        return added

    # by time where there is one, so that some orders are in both
    place = "ordered_at::timestamp < timestamp '2024-01-20'" if shop.has_dates else "false"
    place = f"coalesce({place}, hash(order_id::varchar) % 2 = 0)"
    for macro in counted:
        together: dict[Any, Counter[str]] = defaultdict(Counter)
        for part in (place, f"not {place}"):
            for key, sums in of(macro, shop.write("part", f"from lines where {part}")).items():
                together[key].update(sums)
        assert_same(dict(together), dict(of(macro, "lines")), macro)


NEVER_BOUGHT = " by a customer without a purchase"


@law
def the_orders_of_a_customer_are_what_its_features_count(shop: Shop) -> None:
    spent: dict[Any, Any] = defaultdict(list)
    bought: dict[Any, list[int]] = defaultdict(list)
    for (customer, _), row in shop.by_key(
        f"from custseg.orders('lines', as_of := {shop.as_of})", "customer_id", "order_id"
    ).items():
        bought[customer].append(row["n_items"])
        if row["amount"] is not None:
            spent[customer].append(row["amount"])
    features = shop.features()
    assert set(features) == {customer for customer in bought if any(bought[customer])}
    for customer, row in features.items():
        n_orders = sum(n > 0 for n in bought[customer])
        amount = float(sum(spent[customer], Decimal(0))) if spent[customer] else None
        assert (row["n_orders"], row["monetary"]) == (n_orders, amount), customer
        assert row["mean_basket_size"] == sum(bought[customer]) / n_orders, customer
        if row["department_share"]:
            assert math.isclose(sum(row["department_share"].values()), 1, rel_tol=1e-12)
        days = [value for name, value in row.items() if name in WEEKDAYS and value is not None]
        assert not days or math.isclose(sum(days), 1, rel_tol=1e-12), customer


WEEKDAYS = {
    f"{day}day_share" for day in ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")
}  # fmt: skip


@law
def a_later_as_of_is_so_many_days_more(shop: Shop) -> None:
    if not shop.has_dates:
        return
    days = shop.rng.randint(1, 500)
    later = shop.features(as_of=f"{LATE} + interval {days} day")
    for customer, row in shop.features().items():
        moved = dict(row)
        for name in ("recency_days", "tenure_days"):
            moved[name] += days
        moved["orders_per_30d"] = row["n_orders"] * 30 / max(moved["tenure_days"], 30)
        assert_same(later[customer], moved, f"{customer}")


@law
def weeks_later_all_is_the_same(shop: Shop) -> None:
    if not shop.has_dates:
        return
    weeks = f"interval {7 * shop.rng.randint(1, 200)} day"
    table = shop.write(
        "moved", f"select * replace (ordered_at::timestamp + {weeks} as ordered_at) from lines"
    )
    moved = shop.features(table, as_of=f"{shop.as_of} + {weeks}")
    dates = ("first_order", "last_order")
    assert_same(without(moved, dates), without(shop.features(), dates))


@law
def scores_rise_with_what_they_score(shop: Shop) -> None:
    n_bins = shop.rng.randint(2, 9)
    rows = list(shop.rows(
        f"from custseg.rfm('lines', as_of := {shop.as_of}, n_bins := {n_bins})"
    ))  # fmt: skip
    for value, score, sign in (
        ("recency_days", "r_score", -1), ("frequency", "f_score", 1), ("monetary", "m_score", 1),
    ):  # fmt: skip
        pairs = sorted({
            (sign * row[value], row[score]) for row in rows if row[value] is not None
        })  # fmt: skip
        assert len(pairs) == len({key for key, _ in pairs}), f"equal {value}, unequal {score}"
        scores = [one for _, one in pairs]
        assert scores == sorted(scores), f"{score} falls"
        assert all(1 <= one <= n_bins for one in scores)
        assert all((row[score] is None) == (row[value] is None) for row in rows)


@law
def who_spends_more_scores_no_less(shop: Shop) -> None:
    before = shop.features()
    customer = shop.rng.choice(sorted(before, key=repr))
    table = shop.write("more", "from lines")
    text = str(customer).replace("'", "''")
    shop.add(table, customer_id=f"'{text}'", amount="1000000", ordered_at="timestamp '2025-12-31'")
    after = shop.features(table)
    for score in ("r_score", "f_score", "m_score"):
        if before[customer][score] is not None:
            assert after[customer][score] >= before[customer][score], f"{customer} {score}"
        for other in before:
            if other != customer and before[other][score] is not None:
                assert after[other][score] <= before[other][score], f"{other} {score}"


@law
def amounts_of_twice_the_size_are_twice_the_spend_and_the_same_segments(shop: Shop) -> None:
    if "amount" not in shop.types:
        return
    factor = shop.rng.choice([2, 4, 3, 7])
    table = shop.write(
        "scaled",
        f"select * replace (({factor} * amount::decimal(18, 4))::decimal(18, 4) as amount) "
        "from lines",
    )
    scaled = shop.features(table)
    money = ("monetary", "mean_order_value")
    assert_same(without(scaled, money), without(shop.features(), money))
    for customer, row in shop.features().items():
        for name in money:
            expected = None if row[name] is None else factor * row[name]
            assert_close(scaled[customer][name], expected, f"{customer} {name}")
    if factor in (2, 4):  # no bit is lost
        with shop.made_of(table) as made:
            for name in ("segments", "itemsets", "rules", "segment_rules", "sequences"):
                assert_same(made.get(name), shop.made.get(name), name)


# --- order lines ---------------------------------------------------------------------------------


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


# --- the same to the last bit --------------------------------------------------------------------


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


# --- itemsets and rules --------------------------------------------------------------------------


def itemsets(shop: Shop, options: str, lines: str = "lines") -> dict[Any, Row]:
    """Frequent itemsets by their items."""
    return shop.by_key(f"from custseg.frequent_itemsets('{lines}', {options})", "items")


def counts(found: Mapping[Any, Row]) -> dict[Any, int]:
    return {items: row["support_count"] for items, row in found.items()}


@law
def every_part_of_a_frequent_set_is_frequent_and_no_rarer(shop: Shop) -> None:
    found = counts(itemsets(shop, f"min_count := {shop.min_count}, max_length := 4"))
    for items, count in found.items():
        for item in items if len(items) > 1 else ():
            assert found.get(items - {item}, -1) >= count, f"{set(items)} without {item}"
        assert count >= shop.min_count


@law
def a_higher_support_or_a_shorter_length_leaves_exactly_what_reaches_it(shop: Shop) -> None:
    every = counts(itemsets(shop, "min_count := 1, max_length := 3"))
    most = max(every.values(), default=1)
    least, longest = shop.rng.randint(1, most), shop.rng.randint(1, 3)
    found = itemsets(shop, f"min_count := {least}, max_length := {longest}")
    assert_same(counts(found), {
        items: count for items, count in every.items() if count >= least and len(items) <= longest
    })  # fmt: skip
    n_orders = max((row["n_orders"] for row in found.values()), default=0)
    if n_orders:
        share = found and least / n_orders
        by_share = itemsets(shop, f"min_support := {share!r}, max_length := {longest}")
        assert_same(by_share, found, f"min_support {share!r}")


@law
def counts_of_itemsets_of_parts_of_the_orders_add_up(shop: Shop) -> None:
    together: Counter[Any] = Counter()
    for part in range(3):
        orders = f"hash(order_id::varchar, {shop.seed}) % 3 = {part}"
        table = shop.write("part", f"from lines where {orders}")
        together.update(counts(itemsets(shop, "min_count := 1, max_length := 2", table)))
    assert_same(dict(together), counts(itemsets(shop, "min_count := 1, max_length := 2")))


@law
def every_order_again_keeps_shares_and_doubles_counts(shop: Shop) -> None:
    shop.write(
        "doubled",
        "select * replace ('a' || order_id::varchar as order_id) from lines union all "
        "select * replace ('b' || order_id::varchar as order_id) from lines",
    )
    twice = 2 * shop.min_count
    shop.write("double_sets", f"from custseg.frequent_itemsets('doubled', min_count := {twice})")
    once, both = (shop.by_key(f"from {name}", "items") for name in ("itemsets", "double_sets"))
    assert set(both) == set(once)
    counted = ("support_count", "n_orders")
    assert_same(without(both, (*counted, "itemset_id")), without(once, (*counted, "itemset_id")))
    for items, row in once.items():
        assert [both[items][name] for name in counted] == [2 * row[name] for name in counted]
    before, after = (rules_of(shop, name) for name in ("itemsets", "double_sets"))
    assert set(after) == set(before)
    for sides, row in before.items():
        for name in OF_SHARES:
            assert after[sides][name] == row[name], f"{sides} {name}"
        assert after[sides]["p_value"] <= row["p_value"] or row["lift"] < 1, sides


OF_SHARES = (
    "antecedent_support", "consequent_support", "support", "confidence", "lift", "jaccard",
    "kulczynski", "all_confidence", "imbalance", "representativity", "added_value", "is_redundant",
    "n_tests",
)  # fmt: skip


def rules_of(shop: Shop, itemset_table: str, options: str = "") -> dict[Any, Row]:
    return shop.by_key(
        f"from custseg.association_rules('{itemset_table}', min_confidence := 0, "
        f"max_consequents := null{options})",
        "antecedents", "consequents",
    )  # fmt: skip


@law
def a_rule_the_other_way_round_has_the_same_association(shop: Shop) -> None:
    rules = rules_of(shop, "itemsets")
    for (left, right), row in rules.items():
        back = rules[right, left]
        for name in ASSOCIATIONS:
            assert_close(back[name], row[name], f"{set(left)} => {set(right)} {name}")
        assert back["antecedent_support"] == row["consequent_support"]
        confidence = back["support"] / back["antecedent_support"]
        assert_close(back["confidence"], confidence, "confidence")


ASSOCIATIONS = (
    "support", "support_count", "lift", "leverage", "jaccard", "cosine", "kulczynski",
    "all_confidence", "imbalance", "phi", "chi_square", "yules_q", "odds_ratio", "hyper_lift",
    "p_value", "n_tests", "p_value_bonferroni", "p_value_bh",
)  # fmt: skip


@law
def measures_are_in_their_ranges_and_agree_on_the_direction(shop: Shop) -> None:
    for sides, row in rules_of(shop, "itemsets").items():
        for name in ("support", "confidence", "jaccard", "cosine", "kulczynski", "all_confidence",
                     "imbalance", "p_value", "p_value_bh", "p_value_bonferroni"):  # fmt: skip
            assert 0 <= row[name] <= 1 + 1e-12, f"{sides} {name} {row[name]}"
        for name in ("zhangs_metric", "certainty", "phi", "yules_q"):
            assert row[name] is None or abs(row[name]) <= 1 + 1e-12, f"{sides} {name} {row[name]}"
        assert row["confidence_low"] <= row["confidence"] <= row["confidence_high"], sides
        rounded = 1 - 1e-12
        assert row["p_value"] * rounded <= row["p_value_bh"], sides
        assert row["p_value_bh"] * rounded <= row["p_value_bonferroni"], sides
        if abs(row["lift"] - 1) > 1e-9:
            up = row["lift"] > 1
            for name in ("leverage", "added_value", "zhangs_metric", "certainty", "phi"):
                value = row[name]
                assert value is None or (value > 0) == up, f"{sides} {name} {value}"
            assert (row["conviction"] > 1) == up, f"{sides} conviction {row['conviction']}"


@law
def rules_of_one_item_are_those_of_all_that_hold_it(shop: Shop) -> None:
    singles = [row["items"] for row in shop.rows("from itemsets") if row["length"] == 1]
    if not singles:
        return
    (item,) = shop.rng.choice(singles)
    text, kind = str(item).replace("'", "''"), shop.types["product_id"]
    options = f"require_consequents := ['{text}'::{kind}]"
    direct = shop.by_key(
        f"from custseg.mine_rules('lines', min_count := {shop.min_count}, min_confidence := 0, "
        f"{options})", "antecedents", "consequents",
    )  # fmt: skip
    shop.write(
        "wanted", f"from custseg.association_rules('itemsets', min_confidence := 0, {options})"
    )
    indirect = shop.by_key("from wanted", "antecedents", "consequents")
    # straight from the lines, an item of enough lines in too few orders is a hypothesis too
    assert all(row["n_tests"] >= indirect[sides]["n_tests"] for sides, row in direct.items())
    adjusted = ("n_tests", "p_value_bonferroni", "p_value_bh") if shop.has_repeated_items else ()
    assert_same(without(direct, adjusted), without(indirect, adjusted))
    every = rules_of(shop, "itemsets")
    chosen = {sides for sides in every if sides[1] == {item}}
    assert set(direct) == chosen
    for sides, row in direct.items():
        for name in ("support_count", "lift", "p_value", "improvement", "improvement_p_value"):
            assert row[name] == every[sides][name], f"{sides} {name}"


@law
def the_rules_of_a_segment_of_everybody_are_the_rules_of_the_shop(shop: Shop) -> None:
    # an order without a customer is nobody's
    known = shop.write("known", "from lines where customer_id is not null and order_id is not null")
    shop.write("everybody", "select distinct customer_id, 3 as segment from known")
    shop.write("sets", f"from custseg.frequent_itemsets('{known}', min_count := "
               f"{shop.min_count}, max_length := 2)")  # fmt: skip
    whole = shop.by_key(
        "from custseg.association_rules('sets', min_confidence := 0)", "antecedents", "consequents"
    )
    found = shop.by_key(
        f"from custseg.segment_rules('{known}', 'everybody', min_count := {shop.min_count}, "
        "min_confidence := 0)", "antecedents", "consequents",
    )  # fmt: skip
    assert set(found) == set(whole)
    for sides, row in found.items():
        assert row["segment"] == 3
        assert row["rest_orders"] == 0
        assert row["contrast_p_value"] is None
        for name in ("antecedent_support", "consequent_support", "support", "support_count",
                     "confidence", "lift", "p_value", "n_tests", "p_value_bh"):  # fmt: skip
            assert_close(row[name], whole[sides][name], f"{sides} {name}")


@law
def the_rules_of_a_segment_are_those_of_a_shop_of_its_customers(shop: Shop) -> None:
    whole = shop.by_key("from segment_rules", "segment", "antecedents", "consequents")
    for segment in range(shop.k):
        part = shop.write(
            "part", "select lines.* from lines inner join segments using (customer_id) "
            f"where segment = {segment}"
        )  # fmt: skip
        shop.write("its", f"from custseg.frequent_itemsets('{part}', min_count := "
                   f"{shop.min_count}, max_length := 2)")  # fmt: skip
        own_rules = shop.by_key("from custseg.association_rules('its')", "antecedents",
                                "consequents")  # fmt: skip
        assert {key[1:] for key in whole if key[0] == segment} == set(own_rules)
        for sides, row in own_rules.items():
            for name in ("support_count", "confidence", "lift", "p_value", "p_value_bh"):
                assert_close(whole[(segment, *sides)][name], row[name], f"{sides} {name}")


@law
def offers_depend_on_the_rules_and_the_own_lines_alone(shop: Shop) -> None:
    table = shop.write("more", "from lines")
    for order in range(2):
        shop.add(table, order_id=shop.fresh("order_id", order))
    offers = (
        f"from custseg.recommendations('{{}}', 'offering_rules', n := {shop.rng.randint(1, 9)})"
    )
    before = shop.rows(offers.format("lines"))
    assert_same(shop.rows(offers.format(table)), before)
    bought = {
        (row["customer_id"], row["product_id"])
        for row in shop.rows("select distinct customer_id, product_id from lines")
    }
    purchased = {
        (row["customer_id"], row["item_id"])
        for row in shop.rows("from custseg.customer_purchases('lines')")
    }
    offered = {(row["customer_id"], row["item_id"]) for row in before}
    assert purchased <= bought
    assert not offered & purchased


# --- segments ------------------------------------------------------------------------------------


@law
def customers_of_the_fit_score_into_their_segments(shop: Shop) -> None:
    by_vector = shop.by_key(
        "select customer_id, custseg.assign(model, v.features) as segment, "
        "custseg.distances(model, v.features) as distances "
        "from custseg.feature_vectors('features') as v cross join models", "customer_id",
    )  # fmt: skip
    scored = {row["customer_id"]: row["segment"] for row in shop.rows("from segments")}
    ((model,),) = shop.con.execute("select model from models").fetchall()
    assert {customer: row["segment"] for customer, row in by_vector.items()} == scored
    for customer, row in by_vector.items():
        nearest = row["distances"].index(min(row["distances"]))
        assert row["segment"] == nearest, customer
    sizes = Counter(scored.values())
    assert [one["n"] for one in model["components"]] == [sizes[i] for i in range(shop.k)]
    assert [sizes[i] for i in range(shop.k)] == sorted(sizes.values(), reverse=True)
    assert shop.con.execute("select custseg.check_model(model) from models").fetchall() == [("ok",)]


@law
def a_centre_is_of_its_own_segment(shop: Shop) -> None:
    found = shop.con.execute(
        "select i - 1, custseg.assign(model, model.components[i].center), "
        "custseg.distances(model, model.components[i].center)[i] "
        "from models cross join range(1, len(model.components) + 1) as numbers (i)"
    ).fetchall()
    assert all(segment == number for number, segment, _ in found), found
    assert all(distance == 0 for _, _, distance in found), found
    matches = "unnest(custseg.match_segments(model, model), recursive := true)"
    for row in shop.rows(f"select {matches} from models"):
        assert (row["segment"], row["distance"]) == (row["previous_segment"], 0), row


@law
def a_mixtures_segment_is_the_most_probable_one(shop: Shop) -> None:
    kind = shop.rng.choice(["full", "tied", "diag", "spherical"])
    shop.write(
        "mixtures",
        f"select 'mix' as name, custseg.gmm_fit(features, k := {shop.k}, covariance_type := "
        f"'{kind}', transform := transform) as model from custseg.feature_vectors('features')",
    )
    rows = shop.rows(
        "select custseg.assign(model, v.features) as segment, "
        "custseg.probabilities(model, v.features) as shares, "
        "custseg.log_densities(model, v.features) as densities, model.log_likelihood as likelihood "
        "from custseg.feature_vectors('features') as v cross join mixtures"
    )
    total = 0.0
    for row in rows:
        assert math.isclose(sum(row["shares"]), 1, rel_tol=1e-12)
        assert all(0 <= share <= 1 for share in row["shares"])
        densities = row["densities"]
        assert row["segment"] == densities.index(max(densities))
        assert row["shares"][row["segment"]] == max(row["shares"])
        top = max(densities)
        total += top + math.log(sum(math.exp(one - top) for one in densities))
    assert math.isclose(total, rows[0]["likelihood"], rel_tol=1e-9, abs_tol=1e-6), (
        f"{kind}: {total} is not {rows[0]['likelihood']}"
    )


@law
def a_feature_in_another_unit_makes_the_same_segments(shop: Shop) -> None:
    n = shop.rng.randint(6, 60)
    values = [tuple(shop.rng.randrange(-(2**20), 2**20) for _ in range(3)) for _ in range(n)]
    texts = ", ".join(str((number, *row)) for number, row in enumerate(values))
    shop.write("own_features", f"from (values {texts}) as own (customer_id, x, y, z)")
    scale, shift = shop.rng.choice([0.5, 2, 4, 1024]), shop.rng.randrange(-(2**16), 2**16)
    moved = f"select * replace ({scale}::double * x + {{}} as x) from own_features"
    shop.write("scaled_features", moved.format(0))
    shop.write("affine_features", moved.format(shift))
    transforms = "transforms := {'x': 'identity', 'y': 'identity', 'z': 'identity'}"
    found = {}
    for table in ("own_features", "scaled_features", "affine_features"):
        found[table] = shop.con.execute(f"""
            with vectors as (from custseg.feature_vectors('{table}', {transforms})),
            fitted as (
                select custseg.kmeans_fit(features, k := 3, transform := transform) as model
                from custseg.feature_vectors('own_features', {transforms})
            ),
            fitted_again as (
                select custseg.kmeans_fit(features, k := 3) as model from vectors
            )
            select
                customer_id, features, custseg.assign(fitted.model, features),
                custseg.assign(fitted_again.model, features)
            from vectors cross join fitted cross join fitted_again order by customer_id
        """).fetchall()
    # by a power of two no bit is lost, and otherwise a fit may end elsewhere
    assert_same(found["scaled_features"], found["own_features"])
    for before, after in zip(found["own_features"], found["affine_features"], strict=True):
        assert_close(dict(enumerate(after[1])), dict(enumerate(before[1])), "vectors")
        assert after[2] == before[2], f"customer {before[0]}"


@law
def summaries_add_up_to_everybody(shop: Shop) -> None:
    features, rows = shop.features(), shop.rows("from segment_summary")
    assert sum(row["n_customers"] for row in rows) == len(features)
    assert math.isclose(sum(row["customer_share"] for row in rows), 1, rel_tol=1e-12)
    assert sum(row["n_orders"] for row in rows) == sum(row["n_orders"] for row in features.values())
    spent = [row["monetary"] for row in features.values() if row["monetary"] is not None]
    revenue = [row["revenue"] for row in rows if row["revenue"] is not None]
    assert math.isclose(sum(revenue), sum(spent), rel_tol=1e-9, abs_tol=1e-6)
    shop.write("attributes", "select customer_id, r_score, f_score, rfm_label from features")
    cells = shop.rows("from custseg.segment_crosstab('segments', 'attributes')")
    for name in {row["attribute"] for row in cells}:
        known = sum(row.get(name) is not None for row in shop.rows("from attributes"))
        assert sum(row["n_customers"] for row in cells if row["attribute"] == name) == known, name
        expected = sum(row["expected"] for row in cells if row["attribute"] == name)
        assert math.isclose(expected, known, rel_tol=1e-9), name


@law
def nothing_drifts_or_moves_from_itself(shop: Shop) -> None:
    drift = shop.rows("from custseg.feature_drift('features', 'features')")
    assert drift
    assert all(row["psi"] == 0 and row["level"] == "stable" for row in drift), drift[0]
    assert all(row["shares_before"] == row["shares_after"] for row in drift)
    moves = shop.rows("from custseg.segment_migration('segments', 'segments')")
    assert sum(row["n_customers"] for row in moves) == len(shop.rows("from segments"))
    assert all(row["is_stay"] and row["share"] == 1 for row in moves), moves


@law
def how_segments_are_numbered_does_not_change_how_good_they_are(shop: Shop) -> None:
    shop.write("vectors", "select customer_id, features from custseg.feature_vectors('features')")
    shop.write("others", "select customer_id, 1000 - 7 * segment as segment from segments")
    before, after = (
        shop.by_key(f"from custseg.cluster_metrics('vectors', '{name}')", "segment")
        for name in ("segments", "others")
    )
    renumbered = {None if s is None else 1000 - 7 * s: row for s, row in before.items()}
    assert_close(after, renumbered)
    fits = shop.rows("from custseg.silhouettes('vectors', 'segments')")
    assert all(row["silhouette"] is None or -1 <= row["silhouette"] <= 1 for row in fits)
    assert all((row["silhouette"] is None) == (shop.k == 1) for row in fits)


# --- runs ----------------------------------------------------------------------------------------


@law
def a_refresh_changes_nothing_where_nothing_is_new_and_a_frozen_one_scores(shop: Shop) -> None:
    run = {"k": shop.k, "min_count": shop.min_count, "as_of": "2026-01-01"}
    if not shop.has_dates:
        run.pop("as_of")
    shop.write("shop_lines", "from lines")
    custseg_duck.run("shop_lines", con=shop.con, **(QUICK | run))
    ((model,),) = shop.con.execute("select model from custseg.models").fetchall()
    assert_same([(model,)], [row[1:] for row in shop.made["models"]], "the model of a run")
    segments = [(row["customer_id"], row["segment"]) for row in shop.rows("from segments")]
    assert_same(run_segments(shop), segments, "the segments of a run")
    before = run_tables(shop)
    shop.write("shop_lines", "from lines order by hash(rowid)")
    fit: Any = shop.rng.choice(["warm", "matched", "frozen"])
    assert custseg_duck.refresh(con=shop.con, fit=fit).is_unchanged
    assert_same(run_tables(shop), before, "a refresh")
    for order in range(3):
        shop.add("shop_lines", order_id=shop.fresh("order_id", order))
    assert not custseg_duck.refresh(con=shop.con, fit="frozen").is_unchanged
    scored = shop.rows(
        "select customer_id, segment from custseg.score('custseg.customer_features', 'default')"
    )
    expected = [(row["customer_id"], row["segment"]) for row in scored]
    assert_same(run_segments(shop), expected, "a frozen refresh")
    assert shop.con.execute("select model from custseg.models").fetchall()[0] == (model,)


def run_segments(shop: Shop) -> list[tuple[Any, ...]]:
    rows = shop.rows("select customer_id, segment from custseg.segments")
    return [(row["customer_id"], row["segment"]) for row in rows]


def run_tables(shop: Shop) -> dict[str, Rows]:
    tables = shop.con.execute(
        "select table_name from duckdb_tables() where schema_name = 'custseg'"
    ).fetchall()
    return {
        name: sorted(shop.con.execute(f"from custseg.{name}").fetchall(), key=repr)
        for (name,) in tables
    }
