"""Rules from itemsets against mlxtend and rusket; rules about one item; offers for everybody.

All in one process, in turn; medians of the seconds. Rules are derived of itemsets that each
contender has in its own form: a table in DuckDB, a pandas data frame of tuples (rusket) and of
frozensets (mlxtend). Ours leaves a table; with the peers' columns, and with all of its own.

    pip install rusket mlxtend
    python benchmarks/run_rules.py --rounds 5
"""

import argparse
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import itemset_data

import custseg_duck
from custseg_duck import demo

FOLDER = Path(__file__).parent.parent / "build" / "itemsets"
LIBRARIES = ("custseg_duck", "duckdb", "mlxtend", "pandas", "rusket")
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
N_CUSTOMERS = 200_000

# those that mlxtend and rusket have, too
SHARED = (
    "antecedents, consequents, antecedent_support, consequent_support, support, confidence, lift, "
    "representativity, leverage, conviction, zhangs_metric, jaccard, certainty, kulczynski"
)
RULES = "custseg.{}('itemsets', min_confidence := 0.1, max_consequents := null)"


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median seconds of each, all in turn."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            times[name].append(seconds(work))
    return {name: statistics.median(found) for name, found in times.items()}


def rules_of_itemsets(con: duckdb.DuckDBPyConnection, rounds: int) -> None:
    import rusket
    from mlxtend.frequent_patterns import association_rules

    con.execute("create or replace table categories as select order_id, category from order_lines")
    con.execute(
        "create or replace table itemsets as from custseg.frequent_itemsets("
        "'categories', item := 'category', min_support := 0.005, max_length := null)"
    )
    frame = con.sql("select support, items as itemsets, n_orders from itemsets").df()
    n_orders = int(frame.pop("n_orders").iloc[0])
    tuples, sets = frame.copy(), frame.copy()
    tuples["itemsets"] = [tuple(items) for items in frame["itemsets"]]
    sets["itemsets"] = [frozenset(items) for items in frame["itemsets"]]
    options: dict[str, Any] = {"metric": "confidence", "min_threshold": 0.1}

    def ours(macro: str, columns: str) -> Callable[[], object]:
        query = f"create or replace temp table rules as select {columns} from {RULES.format(macro)}"
        return lambda: con.execute(query)

    found = compare(
        {
            "mlxtend": lambda: association_rules(sets, n_orders, **options),
            "rusket": lambda: rusket.association_rules(tuples, n_orders, **options),
            "measured_rules, the same columns": ours("measured_rules", SHARED),
            "association_rules, the same columns": ours("association_rules", SHARED),
            "association_rules, all columns": ours("association_rules", "*"),
        },
        rounds,
    )
    ((n_rules,),) = con.execute("select count(*) from rules").fetchall()
    n_theirs = len(rusket.association_rules(tuples, n_orders, **options))
    assert n_rules == n_theirs == len(association_rules(sets, n_orders, **options))
    print(f"\n{n_rules:,} rules from {len(frame):,} itemsets (Complete Journey, categories)")
    for name, median in found.items():
        print(
            f"  {name:<38} {median:7.3f} s   mlxtend / this {found['mlxtend'] / median:5.1f}   "
            f"rusket / this {found['rusket'] / median:5.1f}"
        )


def rules_about_one_item(con: duckdb.DuckDBPyConnection, rounds: int) -> None:
    path = FOLDER / "instacart_300k.parquet"
    if not path.exists():
        itemset_data.instacart(path, 300_000)
    con.execute(f"create or replace table lines as from '{path}'")
    con.execute(
        "create or replace temp table every as select consequents[1] as item, count(*) as n from "
        "custseg.mine_rules('lines', min_support := 0.0005, min_confidence := 0.05) group by all"
    )
    ((item, n_rules),) = con.execute(
        "select item, n from every order by n desc offset (select count(*) // 2 from every) limit 1"
    ).fetchall()

    def mine(more: str) -> Callable[[], object]:
        return lambda: con.execute(
            "create or replace temp table rules as from custseg.mine_rules('lines', "
            f"min_support := 0.0005, min_confidence := 0.05{more})"
        )

    found = compare(
        {"all rules": mine(""), "one consequent": mine(f", require_consequents := [{item}]")},
        rounds,
    )
    assert con.execute("select count(*) from rules").fetchall() == [(n_rules,)]
    print(f"\nRules about one item ({n_rules} of them; 300,000 orders, support .0005)")
    for name, median in found.items():
        print(f"  {name:<38} {median:7.3f} s   all / this {found['all rules'] / median:5.1f}")


def offers(con: duckdb.DuckDBPyConnection) -> None:
    path = FOLDER / "instacart_10m.parquet"
    if not path.exists():
        itemset_data.instacart(path, 1_000_000)
    con.execute(
        f"create or replace table lines as select order_id % {N_CUSTOMERS} as customer_id, * "
        f"from '{path}'"
    )
    mining = seconds(
        lambda: con.execute(
            "create or replace table pairs as from custseg.mine_rules('lines', min_count := 200, "
            "max_length := 2, min_confidence := 0)"
        )
    )
    offering = seconds(
        lambda: con.execute(
            "create or replace temp table offers as from custseg.recommendations('lines', 'pairs')"
        )
    )
    ((n_lines,),) = con.execute("select count(*) from lines").fetchall()
    ((n_rules,),) = con.execute("select count(*) from pairs").fetchall()
    ((n_offers, n_customers),) = con.execute(
        "select count(*), count(distinct customer_id) from offers"
    ).fetchall()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_BYTES / 2**20
    print(f"\nOffers to {N_CUSTOMERS:,} customers ({n_lines:,} order lines)")
    print(f"  {n_rules:,} rules mined{'':<24} {mining:7.2f} s")
    print(f"  {n_offers:,} offers to {n_customers:,} customers {offering:7.2f} s")
    print(f"  peak memory of this process so far, all of the above included: {peak:,.0f} MiB")


def of_the_complete_journey(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "create or replace table segments as select customer_id, customer_id % 6 as segment "
        "from (select distinct customer_id from order_lines)"
    )
    queries = {
        "sequences, .01": "custseg.sequences('order_lines')",
        "sequences, .002": "custseg.sequences('order_lines', min_support := 0.002)",
        "segment_rules of 6, .001": (
            "custseg.segment_rules('order_lines', 'segments', min_support := 0.001)"
        ),
        "level_rules, .01": "custseg.level_rules('order_lines')",
        "recommendation_metrics": "custseg.recommendation_metrics('order_lines')",
    }
    print("\nThe Complete Journey, 1.47M order lines")
    for name, query in queries.items():
        statement = f"create or replace temp table found as from {query}"
        print(f"  {name:<38} {seconds(lambda sql=statement: con.execute(sql)):7.2f} s")
    print("\nOf the last order of each customer, by what came before (recommendation_metrics)")
    rows = con.execute("select task, method, n_customers, hit_rate, mrr, coverage from found")
    for task, method, n_customers, *rates in rows.fetchall():
        rate, mrr, coverage = rates
        print(
            f"  {task:<4} {method:<11} {n_customers:,} customers   hit rate {rate:.4f}   "
            f"MRR {mrr:.4f}   coverage {coverage:.5f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(", ".join(f"{name} {version(name)}" for name in LIBRARIES), platform.python_version())
    FOLDER.mkdir(parents=True, exist_ok=True)
    with custseg_duck.connect() as con:
        demo.make_order_lines(con)
        rules_of_itemsets(con, rounds)
        of_the_complete_journey(con)
        rules_about_one_item(con, max(rounds // 2, 1))
        offers(con)


if __name__ == "__main__":
    main()
