"""What SECURITY.md says of the UDFs and of the network."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Of the standard library, what neither opens files nor starts processes nor speaks to a network
ALLOWED = {
    "collections", "concurrent", "custseg_duck", "dataclasses", "decimal", "functools",
    "itertools", "math", "numpy", "os", "pyarrow", "re", "scipy", "sklearn", "threadpoolctl",
    "threading", "time", "typing", "warnings",
}  # fmt: skip
OF_OS = {"cpu_count"}

# Records what Python opens, starts and connects to; the first calls may import
WATCHED = """
import sys
import warnings
import custseg_duck

warnings.simplefilter("ignore")
events = []
SEEN = ("open", "socket.", "subprocess.", "os.", "shutil.", "urllib.", "import")


def watch(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".sql"):  # our own statements
        return
    if watching and event.startswith(SEEN):
        events.append((event, str(arguments[:1])))


watching = False
sys.addaudithook(watch)
con = custseg_duck.connect()
con.execute('''
    create table order_lines as
    select customer as customer_id, customer * 100 + visit as order_id,
        hash(customer, visit, line) % 12 as product_id,
        timestamp '2024-01-01 09:00' + interval (visit * (1 + customer % 3) * 3) day
            as ordered_at,
        (5 + customer % 3 * 20 + line)::decimal(10, 2) as amount,
    from range(60) as customers (customer)
    cross join range(5) as visits (visit)
    cross join range(3) as lines (line)
''')
"""

CALLS = """
custseg_duck.run("order_lines", con=con, k=3)


def call():
    con.execute(
        "select custseg.kmeans_fit(features, k := 2), custseg.gmm_fit(features, k := 2), "
        "custseg.refit(features, (select model from custseg.latest_models)) "
        "from custseg.feature_vectors('custseg.customer_features')"
    ).fetchall()
    con.execute(
        "create or replace temp table vectors as "
        "from custseg.feature_vectors('custseg.customer_features')"
    )
    con.execute("from custseg.k_sweep('vectors', ks := [1, 2, 3])").fetchall()
    con.execute(
        "from custseg.decision_tree('custseg.customer_features', 'custseg.segments')"
    ).fetchall()


call()
watching = True
call()
watching = False
con.close()
print(events)
"""


@pytest.mark.parametrize("path", sorted((ROOT / "udfs").glob("*.py")), ids=lambda path: path.stem)
def test_a_udf_can_neither_open_files_nor_sockets(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [
                alias.name for alias in node.names
            ]  # fmt: skip
            assert {str(name).partition(".")[0] for name in names} <= ALLOWED
            assert all(not str(name).startswith("custseg_duck") or
                       str(name).startswith("custseg_duck.udfs") for name in names)  # fmt: skip
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert node.value.id != "os" or node.attr in OF_OS
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "eval", "exec", "compile", "__import__"}


def watched(calls: str) -> list[tuple[str, str]]:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED + calls], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[tuple[str, str]] = ast.literal_eval(done.stdout.strip().splitlines()[-1])
    return found


def test_every_udf_opens_nothing_and_connects_to_nothing() -> None:
    # threadpoolctl asks the system which libraries are loaded
    assert {event for event in watched(CALLS) if "/proc/self/maps" not in event[1]} == set()


def test_what_is_opened_would_be_seen() -> None:
    seen = watched("watching = True\nopen('/dev/null').close()\nwatching = False\nprint(events)")
    assert [event for event, _ in seen] == ["open"]


def test_files_are_all_that_the_rest_touches(tmp_path: Path) -> None:
    seen = watched(f"""
import os
os.chdir({str(tmp_path)!r})
custseg_duck.run("order_lines", con=con, k=3)
watching = True
custseg_duck.refresh(con=con, fit="frozen", as_of="2024-01-20")
custseg_duck.export(con, "copy.duckdb")
custseg_duck.export_model(con, "model.parquet")
custseg_duck.import_model(con, "model.parquet", name="again")
custseg_duck.export_targets(con, "targets.csv")
custseg_duck.export_report(con, "report.html")
custseg_duck.self_check(con)
watching = False
con.close()
print(events)
""")
    assert seen
    kinds = {event.partition(".")[0] for event, _ in seen}
    assert kinds <= {"open", "os", "import", "shutil"}
    started = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork")
    assert not [event for event, _ in seen if event.startswith(started)]
