"""The command, interrupted by Ctrl-C at a random moment of its process."""

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from tests.hard.interrupts.moments import Found, Moment, changed, state


def of_the_command(n: int, seed: int, folder: Path) -> Iterator[Found]:
    chosen = random.Random(seed)
    shop, copy = folder / "shop.duckdb", folder / "copy.duckdb"
    arguments = ["run", "order_lines", "-d", str(copy), "--name", "lines", "--quiet"]
    took = 0.0
    # where Ctrl-C is ignored, as in the background of a script, the command would inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for i in range(n + 1):
        shutil.copy(shop, copy)
        began = time.monotonic()
        with subprocess.Popen(
            [sys.executable, "-m", "custseg_duck.cli", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as child:
            if i == 0:
                child.communicate()
                took = time.monotonic() - began
                continue
            delay = 1 + chosen.random() * (took - 1)  # it takes a second to import everything
            time.sleep(delay)
            asked = time.monotonic()
            child.send_signal(signal.SIGINT)
            _, told = child.communicate()
        is_done = child.returncode == 0
        yield Found(
            Moment("custseg-duck run", "", "ctrl-c", delay),
            None if is_done else time.monotonic() - asked,
            1,
            "",
            told[:300],
            is_done or (child.returncode == 130 and told.startswith("Interrupted")),
            [] if is_done else changed(_state_of(shop), _state_of(copy)),
            [],
        )


def _state_of(path: Path) -> dict[str, object]:
    with duckdb.connect(str(path)) as con:
        return state(con)
