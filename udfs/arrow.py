"""Arrow at the door: what SQL calls with columns, and what the kernels make of them."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from custseg_duck.udfs import gmm, kmeans, matching
from custseg_duck.udfs.assign import assign as assign_points
from custseg_duck.udfs.points import Floats
from custseg_duck.udfs.sweep import sweep
from custseg_duck.udfs.tree import surrogate_tree

VECTOR = pa.list_(pa.float64())
MATRIX = pa.list_(VECTOR)
FEATURES = pa.list_(
    pa.struct(
        [
            ("name", pa.string()),
            ("department", pa.string()),
            ("transform", pa.string()),
            ("fill", pa.float64()),
            ("unit", pa.float64()),
            ("center", pa.float64()),
            ("scale", pa.float64()),
            ("weight", pa.float64()),
        ]
    )
)
COMPONENTS = pa.list_(
    pa.struct(
        [
            ("n", pa.int64()),
            ("weight", pa.float64()),
            ("center", VECTOR),
            ("covariance", MATRIX),
            ("precision_rows", MATRIX),
            ("shift", VECTOR),
            ("log_offset", pa.float64()),
        ]
    )
)
MODEL = pa.struct(
    [
        ("version", pa.int32()),
        ("algorithm", pa.string()),
        ("covariance_type", pa.string()),
        ("seed", pa.int64()),
        ("features", FEATURES),
        ("components", COMPONENTS),
        ("n_rows", pa.int64()),
        ("n_iter", pa.int32()),
        ("converged", pa.bool_()),
        ("inertia", pa.float64()),
        ("log_likelihood", pa.float64()),
        ("bic", pa.float64()),
        ("aic", pa.float64()),
    ]
)


SWEEP = pa.list_(
    pa.struct(
        [
            ("algorithm", pa.string()),
            ("covariance_type", pa.string()),
            ("k", pa.int32()),
            ("stability", pa.float64()),
            ("prediction_strength", pa.float64()),
            ("noise_silhouette", pa.float64()),
            ("seconds", pa.float64()),
            ("model", MODEL),
        ]
    )
)
TREE = pa.struct(
    [
        ("case_expression", pa.string()),
        ("fidelity", pa.float64()),
        ("baseline", pa.float64()),
        ("n_leaves", pa.int32()),
        ("depth", pa.int32()),
        ("n_customers", pa.int64()),
        (
            "segments",
            pa.list_(
                pa.struct(
                    [
                        ("segment", pa.int64()),
                        ("condition", pa.string()),
                        ("description", pa.string()),
                        ("n_customers", pa.int64()),
                        ("precision", pa.float64()),
                        ("recall", pa.float64()),
                    ]
                )
            ),
        ),
    ]
)


MATCHES = pa.list_(
    pa.struct(
        [
            ("segment", pa.int32()),
            ("previous_segment", pa.int32()),
            ("distance", pa.float64()),
            ("is_clear", pa.bool_()),
        ]
    )
)


def from_lists(vectors: pa.Array, *, some_unknown: bool = False) -> Floats:
    """Vectors as an array of shape (n_rows, n_features).

    Parameters
    ----------
    vectors : pyarrow list array of doubles
    some_unknown : bool
        Whether values may be NULL: they become NaN, and others must be finite.

    Raises
    ------
    ValueError : on NULL vectors or values, or vectors of unequal length.
    """
    if len(vectors) == 0:
        return np.empty((0, 0))
    if vectors.null_count:
        raise ValueError(
            f"features must not be NULL, got {vectors.null_count} NULL rows [null-value]"
        )
    # DLPack, as Arrow's own way to numpy imports pandas where it finds it: 0.3 s and 50 MB
    offsets = np.from_dlpack(vectors.offsets)
    values = vectors.values[offsets[0] : offsets[-1]]
    if values.null_count and not some_unknown:
        raise ValueError(
            f"features must not hold NULL, got {values.null_count} NULL values [null-value]"
        )
    n_unknown = values.null_count
    if n_unknown:
        values = values.fill_null(np.nan)
    lengths = np.diff(offsets)
    if lengths.min() != lengths.max():
        raise ValueError(
            f"features must all have one length, got {lengths.min()} to "
            f"{lengths.max()} [vector-length]"
        )
    points = np.asarray(np.from_dlpack(values), dtype=np.float64)
    if some_unknown and np.isnan(points).sum() > n_unknown:
        raise ValueError("features must be finite or NULL, got nan [not-finite]")
    return points.reshape(len(vectors), int(lengths[0]))


def models_as_arrow(models: Sequence[dict[str, Any] | None]) -> pa.Array:
    """Models, or None for NULL, as an Arrow array of the model's type."""
    return pa.array(models, type=MODEL)


def kmeans_fit(points: pa.Array, k: pa.Array, seed: pa.Array, transform: pa.Array) -> pa.Array:
    """One model per row: lists of vectors, k, seed and transform as SQL passes them."""
    models = [
        kmeans.fit(vectors, k, seed=seed, features=features)
        for vectors, k, seed, features in _groups(points, k, seed, transform)
    ]
    return models_as_arrow(models)


def gmm_fit(
    points: pa.Array, k: pa.Array, covariance_type: pa.Array, seed: pa.Array, transform: pa.Array
) -> pa.Array:
    """One model per row: lists of vectors and the options as SQL passes them."""
    models = [
        gmm.fit(vectors, k, covariance_type=covariance_type, seed=seed, features=features)
        for vectors, k, covariance_type, seed, features in _groups(
            points, k, covariance_type, seed, transform
        )
    ]
    return models_as_arrow(models)


def refit(points: pa.Array, previous: pa.Array) -> pa.Array:
    """One model per row: lists of vectors and the model to go on from."""
    return models_as_arrow(
        [matching.refitted(vectors, model) for vectors, model in _groups(points, previous)]
    )


def match(models: pa.ChunkedArray, previous: pa.ChunkedArray) -> pa.Array:
    """One list of matches per row, NULL where a model is."""
    pairs = zip(models.to_pylist(), previous.to_pylist(), strict=True)
    return pa.array(
        [
            [found._asdict() for found in matching.match(new, old)] if new and old else None
            for new, old in pairs
        ],
        type=MATCHES,
    )


def k_sweep(
    points: pa.Array,
    ks: pa.Array,
    algorithms: pa.Array,
    covariance_types: pa.Array,
    seed: pa.Array,
    n_bootstraps: pa.Array,
    transform: pa.Array,
) -> pa.Array:
    """One list of candidates per row: lists of vectors and the options as SQL passes them."""
    candidates = [
        sweep(*given, seed=seed, n_bootstraps=n_bootstraps, features=features)
        for *given, seed, n_bootstraps, features in _groups(
            points, ks, algorithms, covariance_types, seed, n_bootstraps, transform
        )
    ]
    return pa.array(candidates, type=SWEEP)


def decision_tree(customers: pa.Array, columns: pa.Array, max_depth: pa.Array) -> pa.Array:
    """One rule per row: lists of raw values with their segments, and what the values are."""
    trees = []
    for i, (described, depth) in enumerate(
        zip(columns.to_pylist(), max_depth.to_pylist(), strict=True)
    ):
        rows = customers[i].values
        if rows is None:
            raise ValueError("segments must hold a customer of the features, got none [no-rows]")
        points = from_lists(rows.field("numbers"), some_unknown=True)
        segments = rows.field("segment")
        if segments.null_count:
            raise ValueError(
                f"segments must not be NULL, got {segments.null_count} NULL values [null-value]"
            )
        labels = np.asarray(np.from_dlpack(segments), dtype=np.int64)
        trees.append(surrogate_tree(points, labels, described or [], max_depth=depth))
    return pa.array(trees, type=TREE)


def _groups(points: pa.Array, *options: pa.Array) -> Iterator[tuple[Any, ...]]:
    """Each row's points, as an array of its own, and options."""
    for i, values in enumerate(zip(*(column.to_pylist() for column in options), strict=True)):
        vectors = points[i].values
        if vectors is None:
            raise ValueError("features must have at least one row, got none [no-rows]")
        yield np.array(from_lists(vectors)), *values


def assign(models: pa.ChunkedArray, features: pa.ChunkedArray) -> pa.Array:
    """Segments of a chunk of rows; NULL for NULL features. Runs of one model go together."""
    encoded = models.combine_chunks()
    vectors = features.combine_chunks()
    segments = np.zeros(len(vectors), dtype=np.int32)
    known = np.asarray(vectors.is_valid())
    start = 0
    while start < len(vectors):
        model = encoded[start]
        if not model.is_valid:
            raise ValueError("model must not be NULL, got NULL for some rows [null-value]")
        stop = start + 1
        while stop < len(vectors) and encoded[stop] == model:
            stop += 1
        rows = np.flatnonzero(known[start:stop]) + start
        if len(rows):
            segments[rows] = assign_points(model.as_py(), from_lists(vectors.take(pa.array(rows))))
        start = stop
    return pa.array(segments, mask=~known, type=pa.int32())
