"""Clustering against scikit-learn: the mixture's kernel, and K-Means from a table to a model.

``mixture``: full covariance, from the same start and for the same number of iterations, each as a
process of its own on an array in memory. ``kmeans``: ours is ``custseg_duck.run(features=...)`` on
a DuckDB file, from the columns of a table through scaling to the model (``whole``: with assignment,
profiles and publishing); scikit-learn's is its fit alone, n_init=10, on the same vectors in memory.
Both run in turn; medians, and peak memory of the process, which for ours is under a memory_limit of
1 GiB.

    python benchmarks/run_fit.py --rows 1000000 --features 12
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

K = 8
ITERATIONS = 6
MEMORY_LIMIT_MIB = 1024
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


def make_data(folder: Path, n_rows: int, n_features: int) -> None:
    """Blobs that overlap, as an array, and as a table with a column for each feature."""
    import duckdb
    from sklearn.datasets import make_blobs

    points, _ = make_blobs(n_rows, n_features, centers=K, random_state=0, cluster_std=6.0)
    points -= points.mean(axis=0)
    points /= points.std(axis=0)
    np.save(folder / "points.npy", points)
    columns = {f"x{i}": points[:, i] for i in range(n_features)}  # noqa: F841 (read by DuckDB)
    with duckdb.connect(str(folder / "shop.duckdb")) as con:
        con.execute(
            "create table customers as select row_number() over () as customer_id, * from columns"
        )


def start(points: Any) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    means = points[rng.choice(len(points), K, replace=False)]
    return np.full(K, 1 / K), means, np.array([np.cov(points.T)] * K)


def mixture_scikit_learn(folder: Path) -> dict[str, float]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture
    from sklearn.utils._testing import ignore_warnings

    points = np.load(folder / "points.npy")
    weights, means, covariances = start(points)
    mixture = GaussianMixture(
        K,
        weights_init=weights,
        means_init=means,
        precisions_init=np.linalg.inv(covariances),
        max_iter=ITERATIONS,
        tol=0,
        init_params="random_from_data",
        random_state=0,
    )
    began = time.perf_counter()
    ignore_warnings(mixture.fit, category=ConvergenceWarning)(points)
    return {"seconds": time.perf_counter() - began, "score": mixture.score(points) * len(points)}


def mixture_custseg_duck(folder: Path) -> dict[str, float]:
    from threadpoolctl import threadpool_limits

    from custseg_duck.udfs import gmm

    points = np.load(folder / "points.npy")
    weights, means, covariances = start(points)
    factors = np.linalg.inv(np.linalg.cholesky(covariances)).swapaxes(1, 2)
    mixture = gmm.Mixture("full", weights, means, covariances, factors)
    with threadpool_limits(limits=1, user_api="blas"):
        began = time.perf_counter()
        mixture, _, _ = gmm.em(points, mixture, max_iter=ITERATIONS, tolerance=0)
        seconds = time.perf_counter() - began
        _, log_likelihood = gmm.assign(points, mixture)
    return {"seconds": seconds, "score": log_likelihood}


def kmeans_scikit_learn(folder: Path) -> dict[str, float]:
    from sklearn.cluster import KMeans

    points = np.load(folder / "points.npy")
    began = time.perf_counter()
    kmeans = KMeans(K, n_init=10, random_state=0).fit(points)
    return {"seconds": time.perf_counter() - began, "score": float(kmeans.inertia_)}


def kmeans_custseg_duck(folder: Path) -> dict[str, float]:
    import custseg_duck

    limit = f"{MEMORY_LIMIT_MIB}MiB"
    with custseg_duck.connect(folder / "shop.duckdb", memory_limit=limit) as con:
        ((columns,),) = con.execute(
            "select list(column_name) from duckdb_columns() "
            "where table_name = 'customers' and column_name <> 'customer_id'"
        ).fetchall()
        began = time.perf_counter()
        custseg_duck.run(
            features="customers", con=con, k=K, transforms=dict.fromkeys(columns, "identity")
        )
        seconds = time.perf_counter() - began
        ((inertia, steps),) = con.execute(
            "select model.inertia, seconds from custseg.models inner join custseg.runs "
            "using (run_id)"
        ).fetchall()
    to_model = sum(steps[step] for step in ("customer_features", "transform", "vectors", "fit"))
    return {"seconds": to_model, "score": inertia, "whole": seconds, "fit": steps["fit"]}


CONTENDERS = {
    "mixture": (mixture_scikit_learn, mixture_custseg_duck),
    "kmeans": (kmeans_scikit_learn, kmeans_custseg_duck),
}


def measure(name: str, folder: Path) -> dict[str, float]:
    """Run one contender as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--only", name, "--folder", str(folder)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    with process.stdout as stdout:
        output = stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{name} failed with exit code {process.returncode}")
    rss = usage.ru_maxrss * MAXRSS_BYTES / 2**20
    return json.loads(output) | {"rss": rss}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    by_name = {job.__name__: job for jobs in CONTENDERS.values() for job in jobs}
    if arguments.only:
        print(json.dumps(by_name[arguments.only](arguments.folder)))
        return
    print(f"{arguments.rows:,} x {arguments.features}, k = {K}, {os.cpu_count()} cores", flush=True)
    with tempfile.TemporaryDirectory() as name:
        make_data(Path(name), arguments.rows, arguments.features)
        for job, contenders in CONTENDERS.items():
            rounds: dict[str, list[dict[str, float]]] = {c.__name__: [] for c in contenders}
            for _ in range(arguments.rounds):
                for contender, measured in rounds.items():
                    measured.append(measure(contender, Path(name)))
            show(job, rounds)


def show(job: str, rounds: dict[str, list[dict[str, float]]]) -> None:
    """Print medians, and ours beside theirs."""
    medians = [
        {field: statistics.median(found[field] for found in each) for field in each[0]}
        for each in rounds.values()
    ]
    print(job)
    for name, found in zip(rounds, medians, strict=True):
        more = ", ".join(
            f"{part} {found[part]:.2f} s" for part in ("fit", "whole") if part in found
        )
        print(
            f"  {name:<24}{found['seconds']:>8.2f} s{found['rss']:>8.0f} MiB"
            f"   {'log-likelihood' if job == 'mixture' else 'inertia'} {found['score']:.6f}"
            f"{'   ' * bool(more)}{more}"
        )
    theirs, ours = medians
    print(
        f"  theirs / ours {theirs['seconds'] / ours['seconds']:.2f}, "
        f"scores differ by {abs(ours['score'] / theirs['score'] - 1):.1e} of themselves",
        flush=True,
    )


if __name__ == "__main__":
    main()
