"""Builds a wheel, installs it alone into a new environment and runs it there."""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent
PROGRAM = """
import custseg_duck, pathlib
assert "site-packages" in custseg_duck.__file__, custseg_duck.__file__
with custseg_duck.connect() as con:
    con.execute("create table t as select i % 9 as customer_id, i % 9 * 9 + i // 18 as order_id, "
                "i % 5 * (i % 9 % 2) as product_id from range(99) as r (i)")
    print(custseg_duck.run("t", con=con, k=2))
"""


def main() -> None:
    """Raise CalledProcessError if anything fails."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder, "venv", "bin", "python")
        venv.create(python.parent.parent, with_pip=True)
        pip = [python, "-m", "pip", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, "wheel", "--no-deps", "-w", folder, CHECKOUT], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        subprocess.run([*pip, "install", wheel], check=True)
        done = subprocess.run(
            [python, "-W", "error", "-c", PROGRAM],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        sys.stdout.write(f"{wheel.name}: {done.stdout}{done.stderr}")
        if done.returncode or done.stderr:
            sys.exit(1)


if __name__ == "__main__":
    main()
