"""The SQL of the project: reads ``sql/`` in a visible order, one statement per file."""

from importlib.resources import files

# Scalar macros bind when they are created: what a macro calls comes before it.
MACROS = (
    "source/version",
    "source/require",
    "source/line_kind",
    "source/to_decimal",
    "source/to_timestamp",
    "source/classified_lines",
    "source/order_lines",
    "source/line_report",
    "features/orders",
    "features/product_counts",
    "features/department_counts",
    "features/rfm_of_orders",
    "features/rfm",
    "features/purchase_frequency_of_counts",
    "features/purchase_frequency",
    "features/product_diversity_of_counts",
    "features/product_diversity",
    "features/department_preferences_of_counts",
    "features/department_preferences",
    "features/timing_of_orders",
    "features/timing",
    "features/customer_features",
    "segments/is_numeric",
    "segments/reach",
    "segments/stable_mean",
    "segments/stable_stddev",
    "segments/transformed",
    "segments/restored",
    "segments/default_features",
    "segments/feature_transform",
    "segments/apply_transform",
    "segments/feature_vectors",
    "segments/kmeans_fit",
    "segments/gmm_fit",
    "segments/check_model",
    "segments/assign",
    "segments/distances",
    "segments/log_densities",
    "segments/probabilities",
    "segments/score",
    "baskets/purchased_items",
    "baskets/baskets",
    "baskets/item_names",
    "baskets/bitmap",
    "baskets/itemsets_of_items",
    "baskets/frequent_itemsets",
    "baskets/association_rules",
    "insight/segment_summary",
    "insight/segment_profiles",
    "insight/centroids",
    "insight/segment_members",
    "insight/segment_means",
    "insight/silhouettes_of_means",
    "insight/silhouettes",
    "insight/exact_silhouettes",
    "insight/metrics_of_members",
    "insight/cluster_metrics",
    "insight/model_metrics",
    "insight/k_sweep",
    "insight/outliers",
)


def statement(path: str) -> str:
    """The SQL statement in ``sql/<path>.sql``, comments included, without the final semicolon."""
    folder, name = path.split("/")
    text = files("custseg_duck.sql").joinpath(folder, f"{name}.sql").read_text(encoding="utf-8")
    return text.strip().removesuffix(";")
