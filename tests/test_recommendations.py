"""Rules asked for by an item, what to offer to whom, and whether it would have been bought."""

import math
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

import custseg_duck
from custseg_duck import CustsegWarning, InputError, mining

Rows = list[tuple[Any, ...]]

RULES = """
    create or replace table rules as
    select
        rule_id, antecedents, [consequent] as consequents,
        list_transform(antecedents, lambda item: 'name of ' || item) as antecedent_names,
        ['name of ' || consequent] as consequent_names,
        consequent_support::double as consequent_support, confidence::double as confidence,
        lift::double as lift, 10 as support_count
    from (values
        (1, ['tea'], 'milk', 0.5, 0.6, 1.2),
        (2, ['tea'], 'cake', 0.1, 0.3, 3.0),
        (3, ['bread'], 'milk', 0.5, 0.8, 1.6),
        (4, ['bread'], 'cream', 0.2, 0.4, 2.0),
        (5, ['tea', 'bread'], 'jam', 0.01, 0.9, 90.0),
        (6, ['bread'], 'rice', 0.3, 0.1, 0.5),
        (7, ['tea'], 'tea de luxe', 0.02, 0.05, 2.5)
    ) as rules (rule_id, antecedents, consequent, consequent_support, confidence, lift)
"""


def write(con: duckdb.DuckDBPyConnection, lines: list[tuple[Any, ...]]) -> None:
    """Order lines: customer, order, product, amount and category."""
    names = ("customer_id", "order_id", "product_id", "amount", "category")
    con.register(
        "incoming", pa.table(dict(zip(names, map(list, zip(*lines, strict=True)), strict=True)))
    )
    con.execute("create or replace table lines as from incoming")
    con.unregister("incoming")


@pytest.fixture
def grocer(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Customer 1 bought tea three times, 2 bread once, 3 tea and bread, 4 milk and cake alone."""
    con.execute(RULES)
    write(
        con,
        [
            *[(1, order, "tea", 2.0, "hot drinks") for order in (1, 2, 3)],
            (2, 4, "bread", 1.0, "bakery"),
            (3, 5, "tea", 2.0, "hot drinks"),
            (3, 6, "bread", 1.0, "bakery"),
            (4, 7, "milk", 1.0, "dairy"),
            (4, 7, "cake", 3.0, "bakery"),
            (5, 8, "tea de luxe", 9.0, "hot drinks"),
        ],
    )
    return con


def offers(con: duckdb.DuckDBPyConnection, options: str = "") -> Rows:
    return con.execute(
        "select customer_id, kind, rank, item_id, score, rule_id "
        f"from custseg.recommendations('lines', 'rules'{options}) order by all"
    ).fetchall()


def odds(support: float, *evidence: tuple[float, int]) -> float:
    """The score of an item: of each rule that applies its lift, and the antecedent's lines."""
    gain = sum(0.2 * math.log(lift) * math.log(1 + n_lines) for lift, n_lines in evidence)
    chance = support / (1 - support) * math.exp(gain)
    return chance / (1 + chance)


def test_offers_by_hand(grocer: duckdb.DuckDBPyConnection) -> None:
    expected = [
        (1, "cross-sell", 1, "milk", odds(0.5, (1.2, 3)), 1),
        (1, "cross-sell", 2, "cake", odds(0.1, (3.0, 3)), 2),
        # dearer than tea, and a hot drink, too
        (1, "up-sell", 1, "tea de luxe", odds(0.02, (2.5, 3)), 7),
        (2, "cross-sell", 1, "milk", odds(0.5, (1.6, 1)), 3),
        # no category is known of what nobody has bought yet
        (2, "cross-sell", 2, "cream", odds(0.2, (2.0, 1)), 4),
        # two rules speak for milk, bread's more; jam needs both tea and bread
        (3, "cross-sell", 1, "milk", odds(0.5, (1.2, 1), (1.6, 1)), 3),
        (3, "cross-sell", 2, "cream", odds(0.2, (2.0, 1)), 4),
        (3, "cross-sell", 3, "cake", odds(0.1, (3.0, 1)), 2),
        (3, "cross-sell", 4, "jam", odds(0.01, (90.0, 1)), 5),
        (3, "up-sell", 1, "tea de luxe", odds(0.02, (2.5, 1)), 7),
    ]
    found = offers(grocer)
    assert [row[:4] + row[5:] for row in found] == [row[:4] + row[5:] for row in expected]
    assert [row[4] for row in found] == pytest.approx([row[4] for row in expected], rel=1e-5)


def test_offers_carry_names_and_the_rule_that_explains_them(
    grocer: duckdb.DuckDBPyConnection,
) -> None:
    rows = grocer.execute(
        "select item_name, antecedents, antecedent_names, confidence, lift, unit_price "
        "from custseg.recommendations('lines', 'rules') where customer_id = 3 and item_id = 'jam' "
        "or customer_id = 1 and kind = 'up-sell' order by customer_id"
    ).fetchall()
    assert rows[0] == ("name of tea de luxe", ["tea"], ["name of tea"], 0.05, 2.5, 9.0)
    assert rows[1] == (
        "name of jam", ["tea", "bread"], ["name of tea", "name of bread"], 0.9, 90.0, None,
    )  # fmt: skip


def test_as_many_offers_as_asked_for_and_of_the_kind_asked_for(
    grocer: duckdb.DuckDBPyConnection,
) -> None:
    all_offers = offers(grocer)
    assert offers(grocer, ", n := 1") == [row for row in all_offers if row[2] == 1]
    assert offers(grocer, ", kind := 'up-sell'") == [
        row for row in all_offers if row[1] == "up-sell"
    ]


def test_without_amounts_or_categories_all_is_cross_selling(
    grocer: duckdb.DuckDBPyConnection,
) -> None:
    n_offers = len(offers(grocer))
    for column in ("amount", "category"):
        grocer.execute(
            f"create or replace table kept as from lines; alter table lines drop {column}"
        )
        found = offers(grocer)
        assert len(found) == n_offers
        assert {kind for _, kind, *_ in found} == {"cross-sell"}
        grocer.execute("create or replace table lines as from kept")


def test_the_price_is_that_of_one(grocer: duckdb.DuckDBPyConnection) -> None:
    # ten of the fine tea for 9: cheaper than tea
    grocer.execute(
        "alter table lines add quantity integer default 1; "
        "update lines set quantity = 10 where product_id = 'tea de luxe'"
    )
    assert "up-sell" not in {kind for _, kind, *_ in offers(grocer)}


def test_order_of_rows_and_threads_change_no_offer(grocer: duckdb.DuckDBPyConnection) -> None:
    expected = offers(grocer)
    for threads in (1, 3):
        grocer.execute(
            f"set threads = {threads}; "
            f"create or replace table lines as from lines order by hash(order_id, {threads}); "
            f"create or replace table rules as from rules order by hash(rule_id, {threads})"
        )
        assert offers(grocer) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("n := 0", "n must be at least 1, got 0"),
        ("kind := 'down-sell'", "kind must be 'cross-sell', 'up-sell' or NULL, got down-sell"),
    ],
)
def test_wrong_options_of_offers_are_refused_in_words(
    grocer: duckdb.DuckDBPyConnection, options: str, message: str
) -> None:
    with pytest.raises(duckdb.InvalidInputException, match=message):
        offers(grocer, f", {options}")


def basket(con: duckdb.DuckDBPyConnection, items: object, options: str = "") -> Rows:
    return con.execute(
        f"select rank, item_id, score, rule_id from custseg.recommend($items, 'rules'{options}) "
        "order by rank",
        {"items": items},
    ).fetchall()


def test_a_basket_gets_what_its_surest_rules_say(grocer: duckdb.DuckDBPyConnection) -> None:
    assert basket(grocer, ["tea", "bread", "cream"]) == [
        (1, "jam", 0.9, 5), (2, "milk", 0.8, 3), (3, "cake", 0.3, 2), (4, "tea de luxe", 0.05, 7),
    ]  # fmt: skip
    assert basket(grocer, ["tea"], ", n := 1") == [(1, "milk", 0.6, 1)]
    assert basket(grocer, ["soap"]) == []
    assert basket(grocer, []) == []
    with pytest.raises(duckdb.InvalidInputException, match="n must be at least 1, got 0"):
        basket(grocer, ["tea"], ", n := 0")


def test_rules_of_other_runs_stay_out(grocer: duckdb.DuckDBPyConnection) -> None:
    expected = basket(grocer, ["tea"])
    grocer.execute(
        "create or replace table rules as select 'mine' as run_name, * from rules union all "
        "select 'other', * replace (1.0 as confidence) from rules"
    )
    assert basket(grocer, ["tea"], ", run_name := 'mine'") == expected
    assert basket(grocer, ["tea"]) == []


# --- evaluation ----------------------------------------------------------------------------------


def test_metrics_are_those_of_the_definitions(shop: duckdb.DuckDBPyConnection) -> None:
    lines = shop.execute(
        "select customer_id, order_id, product_id, ordered_at from order_lines"
    ).fetchall()
    last = {
        customer: max((at, order) for other, order, _, at in lines if other == customer)[1]
        for customer in {line[0] for line in lines}
    }
    training = [line for line in lines if line[1] != last[line[0]]]
    wanted: dict[int, set[int]] = defaultdict(set)
    for customer, order, product, _ in lines:
        if order == last[customer]:
            wanted[customer].add(product)
    bought: dict[int, Counter[int]] = defaultdict(Counter)
    latest: dict[tuple[int, int], Any] = {}
    for customer, _, product, at in sorted(set(training), key=lambda line: line[3]):
        latest[customer, product] = at
    for customer, _, product in {line[:3] for line in training}:
        bought[customer][product] += 1
    popularity = Counter(product for _, product in {line[1:3] for line in training})
    popular = sorted(popularity, key=lambda product: (-popularity[product], product))
    shop.register("held", pa.table({"order_id": list(last.values())}))
    shop.execute("create table training as from order_lines anti join held using (order_id)")
    shop.execute(
        "create table pairs as from custseg.mine_rules('training', min_count := 5, "
        "max_length := 2, min_confidence := 0)"
    )
    by_rules: dict[int, list[int]] = defaultdict(list)
    for customer, product in shop.execute(
        "select customer_id, item_id from custseg.recommendations('training', 'pairs', n := 3) "
        "order by score desc, item_id"
    ).fetchall():
        by_rules[customer].append(product)

    def favourites(customer: int) -> list[int]:
        theirs = sorted(bought[customer])
        theirs.sort(key=lambda product: latest[customer, product], reverse=True)
        return sorted(theirs, key=lambda product: -bought[customer][product])

    n = 3
    lists = {
        ("any", "popularity"): dict.fromkeys(wanted, popular[:n]),
        ("any", "favourites"): {customer: favourites(customer)[:n] for customer in wanted},
        ("any", "rules"): {customer: by_rules[customer][:n] for customer in wanted},
        ("new", "rules"): {customer: by_rules[customer][:n] for customer in wanted},
        ("new", "popularity"): {
            customer: [product for product in popular if product not in bought[customer]][:n]
            for customer in wanted
        },
    }
    expected = {}
    for (task, method), listed in lists.items():
        targets = {
            customer: products - (set(bought[customer]) if task == "new" else set())
            for customer, products in wanted.items()
        }
        customers = [customer for customer in targets if targets[customer]]
        ranks = [
            next((i + 1 for i, p in enumerate(listed[c]) if p in targets[c]), None)
            for c in customers
        ]
        hits = [rank for rank in ranks if rank]
        offered = {product for customer in customers for product in listed[customer]}
        expected[task, method] = (
            len(customers),
            len(hits),
            len(hits) / len(customers),
            sum(1 / rank for rank in hits) / len(customers),
            len(offered) / len(popular),
        )
    found = {
        (task, method): tuple(numbers)
        for task, method, _, *numbers in shop.execute(
            "from custseg.recommendation_metrics('order_lines', n := 3, min_count := 5)"
        ).fetchall()
    }
    assert set(found) == set(expected)
    for key, numbers in expected.items():
        assert found[key] == pytest.approx(numbers, abs=1e-9), key


def test_of_the_complete_journey_rules_find_more_new_items_than_popularity(
    complete_journey: Path,
) -> None:
    with custseg_duck.connect() as con:
        con.execute(f"attach '{complete_journey}' as file (read_only)")
        rates = dict(
            con.execute(
                "select task || ' ' || method, hit_rate "
                "from custseg.recommendation_metrics('file.main.order_lines')"
            ).fetchall()
        )
    assert rates["new rules"] > 1.1 * rates["new popularity"] > 0.08
    # what a customer has bought before is the best guess of the whole basket
    assert rates["any favourites"] > rates["any popularity"] > rates["any rules"]


# --- items of interest ---------------------------------------------------------------------------

FREE = "* exclude (rule_id, n_tests, p_value_bh, p_value_bonferroni)"


@pytest.mark.parametrize("options", ["min_support := 0.05", "min_count := 4, max_length := null"])
@pytest.mark.parametrize("contained", [[3], [3, 7], [11]])
def test_only_sets_that_hold_an_item_and_their_parts(
    shop: duckdb.DuckDBPyConnection, options: str, contained: list[int]
) -> None:
    everything = f"custseg.frequent_itemsets('order_lines', {options})"
    expected = shop.execute(
        f"""
        with sets as materialized (from {everything}),
        holding as (from sets where list_has_any(items, {contained}::integer[]))
        select items, support_count, n_items from sets
        where exists (from holding where list_has_all(holding.items, sets.items))
        order by all
        """
    ).fetchall()
    found = shop.execute(
        "select items, support_count, n_items from custseg.frequent_itemsets("
        f"'order_lines', {options}, containing := {contained}) order by all"
    ).fetchall()
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    assert {row[2] for row in found} == {row[2] for row in expected}
    # closed and maximal are known of the sets that hold one
    flags = "select items, is_closed, is_maximal from {} where list_has_any(items, {}::integer[])"
    shares = [
        shop.execute(flags.format(relation, contained) + " order by all").fetchall()
        for relation in (everything, everything[:-1] + f", containing := {contained})")
    ]
    assert shares[0] == shares[1]


def test_rules_about_an_item_are_those_among_all_rules(shop: duckdb.DuckDBPyConnection) -> None:
    for side in ("antecedents", "consequents"):
        for options in ("min_support := 0.03", "min_count := 6, max_length := 2"):
            every, asked = (
                shop.execute(
                    f"select {FREE} from custseg.mine_rules('order_lines', {options}{more}) "
                    "order by all"
                ).fetchall()
                for more in (
                    ", min_confidence := 0.0",
                    f", min_confidence := 0.0, require_{side} := [5]",
                )
            )
            place = 0 if side == "antecedents" else 1
            assert asked == [row for row in every if 5 in row[place]]
            assert asked


def test_what_an_order_holds_twice_counts_once_among_the_frequent_items(
    con: duckdb.DuckDBPyConnection,
) -> None:
    # a and b are in three orders, twice in one, but only in two together; c is in all six
    orders = {1: "abc", 2: "aabbc", 3: "ac", 4: "bc", 5: "c", 6: "c"}
    lines = [(1, order, item, 1.0, "x") for order, items in orders.items() for item in items]
    write(con, lines)
    found = con.execute(
        "select distinct n_items from custseg.frequent_itemsets("
        "'lines', min_count := 3, containing := ['a'])"
    ).fetchall()
    assert found == [(3,)]
    required = "min_count := 3, min_confidence := 0.0, require_consequents := ['a']"
    con.execute("create table itemsets as from custseg.frequent_itemsets('lines', min_count := 3)")
    direct, indirect = (
        con.execute(f"select * from custseg.{call}").fetchall()
        for call in (
            f"mine_rules('lines', {required})",
            f"association_rules('itemsets', {required.split(', ', 1)[1]})",
        )
    )
    assert direct == indirect != []


def test_items_that_nobody_bought_are_refused(shop: duckdb.DuckDBPyConnection) -> None:
    message = "containing must be a list of items that are bought, got zork"
    for statement in (
        "from custseg.frequent_itemsets('order_lines', containing := ['zork'])",
        "from custseg.itemset_plan('order_lines', containing := ['3', 'zork'])",
        "from custseg.mine_rules('order_lines', require_consequents := ['zork'])",
    ):
        with pytest.raises(duckdb.InvalidInputException, match=message):
            shop.execute(statement).fetchall()
    with pytest.raises(InputError, match=message):
        custseg_duck.frequent_itemsets("order_lines", con=shop, containing=["zork"])
    # bought, but by too few
    with pytest.raises(duckdb.InvalidInputException, match=r"got 3[.] It may be below"):
        shop.execute(
            "from custseg.mine_rules('order_lines', min_support := 0.9, require_consequents := [3])"
        ).fetchall()


def test_python_and_sql_contain_the_same(shop: duckdb.DuckDBPyConnection) -> None:
    found = custseg_duck.frequent_itemsets("order_lines", con=shop, containing=[3, 7])
    assert (
        found.fetchall()
        == shop.execute(
            "from custseg.frequent_itemsets('order_lines', containing := [3, 7])"
        ).fetchall()
    )


def test_the_script_contains_any_item(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute(
        "create table named as select order_id, replace(product_name, ' ', $quote) as thing "
        "from order_lines",
        {"quote": "'"},
    )
    asked = ["product'3", "product'7"]
    shop.execute(mining.script("named", item="thing", containing=asked))
    expected = shop.execute(
        "from custseg.frequent_itemsets('named', item := 'thing', containing := $asked)",
        {"asked": asked},
    ).fetchall()
    assert shop.execute("from itemsets order by itemset_id").fetchall() == expected


# --- what a run leaves ---------------------------------------------------------------------------


def test_a_run_leaves_offers_and_rules_of_segments(shop: duckdb.DuckDBPyConnection) -> None:
    result = custseg_duck.run("order_lines", con=shop, k=3, n_recommendations=2)
    rows = shop.execute(
        "select rank, kind, offers.item_name, rules.consequent_names[1], rules.consequents[1], "
        "item_id from custseg.recommendations as offers inner join custseg.offer_rules as rules "
        "using (run_name, rule_id)"
    ).fetchall()
    assert rows
    assert {row[0] for row in rows} <= {1, 2}
    assert all(name and name == target for _, _, name, target, *_ in rows)
    assert all(item == target for *_, target, item in rows)
    assert result.recommendations.fetchall()
    assert {row[0] for row in shop.execute("select segment from custseg.segment_rules").fetchall()}
    ((antecedents, consequent),) = shop.execute(
        "select antecedents, consequents[1] from custseg.offer_rules limit 1"
    ).fetchall()
    offered = shop.execute(
        "select item_id from custseg.recommend($basket, 'custseg.offer_rules', n := 100)",
        {"basket": antecedents},
    ).fetchall()
    assert (consequent,) in offered
    assert set(result.segment_rules.columns) >= {"antecedent_names", "contrast_p_value_bh"}


def test_a_run_leaves_out_what_is_not_wanted(shop: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.run("order_lines", con=shop, k=3)
    assert shop.execute("select count(*) > 0 from custseg.recommendations").fetchall() == [(True,)]
    custseg_duck.run("order_lines", con=shop, k=3, segment_rules=False, n_recommendations=0)
    for table in ("segment_rules", "offer_rules", "recommendations"):
        assert shop.execute(f"from custseg.{table}").fetchall() == []


def test_where_no_line_has_an_item_there_is_nothing_to_offer(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    shop.execute("alter table order_lines add category varchar")
    with pytest.warns(CustsegWarning, match="900 of 900 purchases have no item"):
        result = custseg_duck.run("order_lines", con=shop, k=2, item="category")
    assert result.rules.fetchall() == []
    assert result.segments.aggregate("count(*)").fetchall() == [(60,)]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"n_recommendations": -1}, r"n_recommendations must be an int in the range \[0, inf\)"),
        ({"segment_rules": "yes"}, "segment_rules must be a bool, got 'yes'"),
    ],
)
def test_wrong_options_of_a_run_are_refused(
    shop: duckdb.DuckDBPyConnection, option: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        custseg_duck.run("order_lines", con=shop, **option)


def test_rules_to_act_on_are_significant_and_needed(complete_journey: Path) -> None:
    with custseg_duck.connect() as con:
        con.execute(f"attach '{complete_journey}' as file (read_only)")
        result = custseg_duck.run(
            "file.main.order_lines", con=con, k=3, min_support=0.002, n_recommendations=0
        )
        rows = result.top_rules.project(
            "lift > 1 and p_value_bh <= 0.05 and not is_redundant, antecedent_names[1], "
            "consequent_names[1]"
        ).fetchall()
        assert rows
        assert all(holds and former != latter for holds, former, latter in rows)
        assert ("HOT DOG BUNS", "HAMBURGER BUNS") in {row[1:] for row in rows}
        contrasts = con.execute(
            "select min(lift_ratio), min(effective_customers), max(contrast_p_value_bh) "
            "from custseg.top_segment_rules"
        ).fetchall()
        assert contrasts[0][0] > 1
        assert contrasts[0][1] >= 10
        assert contrasts[0][2] <= 0.05
