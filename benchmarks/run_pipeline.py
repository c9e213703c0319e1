"""Whole processes against each other: custseg_duck, and the same job in pandas and friends.

Runs ``baseline_pandas.py`` and ``pipeline_custseg.py`` in turn, each as a new process, and prints
the medians. CPU seconds and peak memory are the operating system's, of each process by itself.
Times go up on a busy machine, and not by the same factor for both: look at the load first.

    python benchmarks/run_pipeline.py --rounds 5
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

COMMANDS = {
    "pandas + scikit-learn + mlxtend": ["baseline_pandas.py"],
    "custseg_duck": ["pipeline_custseg.py"],
    "custseg_duck, memory_limit 160MB": ["pipeline_custseg.py", "--memory-limit", "160MB"],
}
BASELINE, *OURS = COMMANDS
LIBRARIES = ("custseg_duck", "duckdb", "mlxtend", "numpy", "pandas", "pyarrow", "scikit-learn")
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Measurement:
    """One process."""

    wall: float
    cpu: float
    rss: float
    after_imports: float
    n_itemsets: int
    n_segments: int


def measure(script: str, *options: str) -> Measurement:
    command = [sys.executable, str(Path(__file__).with_name(script)), *options]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as stdout:
        output = stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{script} failed with exit code {process.returncode}")
    printed = json.loads(output)
    return Measurement(
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        rss=usage.ru_maxrss * MAXRSS_BYTES / 2**20,
        after_imports=printed["seconds_after_imports"],
        n_itemsets=printed["n_itemsets"],
        n_segments=printed["n_segments"],
    )


def machine() -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, "
        f"load {os.getloadavg()[0]:.1f} before the first run\n"
        f"Python {platform.python_version()}, {versions}"
    )


def medians(rounds: list[Measurement], field: str) -> float:
    return float(statistics.median(getattr(measurement, field) for measurement in rounds))


def show_table(rounds: dict[str, list[Measurement]]) -> None:
    header = f"{'':<34}{'wall':>9}{'CPU':>9}{'peak RSS':>11}{'after imports':>15}{'itemsets':>10}"
    print(header)
    for name, measurements in rounds.items():
        print(
            f"{name:<34}"
            f"{medians(measurements, 'wall'):>7.2f} s"
            f"{medians(measurements, 'cpu'):>7.2f} s"
            f"{medians(measurements, 'rss'):>7.0f} MiB"
            f"{medians(measurements, 'after_imports'):>13.2f} s"
            f"{measurements[-1].n_itemsets:>10,}"
        )


def show_ratios(rounds: dict[str, list[Measurement]], ours: str) -> None:
    """Ratios of the medians and, of the rounds by themselves, the lowest and the highest."""
    print(f"\n{ours}")
    for text, field, above, below in (
        ("wall, baseline / ours", "wall", BASELINE, ours),
        ("CPU, baseline / ours", "cpu", BASELINE, ours),
        ("after imports, baseline / ours", "after_imports", BASELINE, ours),
        ("peak RSS, ours / baseline", "rss", ours, BASELINE),
    ):
        ratio = medians(rounds[above], field) / medians(rounds[below], field)
        each = [
            getattr(a, field) / getattr(b, field)
            for a, b in zip(rounds[above], rounds[below], strict=True)
        ]
        print(f"  {text:<32}{ratio:>7.2f}    (rounds: {min(each):.2f} to {max(each):.2f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=3, help="counted rounds (default: 3)")
    parser.add_argument("--steps", action="store_true", help="show each run's steps on stderr")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")

    print(machine(), end="\n\n", flush=True)
    rounds: dict[str, list[Measurement]] = {name: [] for name in COMMANDS}
    options = ["--steps"] if arguments.steps else []
    for number in range(arguments.rounds + 1):
        for name, command in COMMANDS.items():
            measurement = measure(*command, *options)
            if number == 0:  # the warm-up
                continue
            rounds[name].append(measurement)

    print(f"medians of {arguments.rounds} rounds in turn, after one warm-up each")
    show_table(rounds)
    for ours in OURS:
        show_ratios(rounds, ours)
    for field in ("n_itemsets", "n_segments"):
        found = {getattr(m, field) for measurements in rounds.values() for m in measurements}
        if len(found) > 1:
            sys.exit(f"{field} must agree, got {sorted(found)}")


if __name__ == "__main__":
    main()
