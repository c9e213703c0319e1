"""A copy of the tree, in which tests are run while a file of it is changed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.hard.mutants.changes import ROOT, Change
from tests.hard.mutants.subjects import SLOW

LEAST_SECONDS = 60  # and five times what the tests take of the file as it is
PYTEST = (
    sys.executable,
    "-m",
    "pytest",
    "-x",
    "-q",
    "-p",
    "no:cacheprovider",
    "--hypothesis-seed=0",
)
COPIED = ("custseg_duck", "sql", "udfs", "tests", "docs", "examples", "pyproject.toml", "README.md")


class Copy:
    """A copy of the tree, for tests to be run in while a file of it is changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.baselines: dict[tuple[str, ...], float] = {}
        self.n_written = 0
        folder.mkdir(parents=True)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                no_caches = shutil.ignore_patterns("__pycache__", "node_modules")
                shutil.copytree(source, folder / name, symlinks=True, ignore=no_caches)
            else:
                shutil.copy(source, folder / name)
        where = self.run([sys.executable, "-c", "import custseg_duck as c; print(c.__file__)"], 60)
        assert where is not None
        assert Path(where[1].strip()).parent.parent.resolve() == folder.resolve(), where

    def notices(self, change: Change, tests: tuple[str, ...]) -> bool:
        """Whether tests that pass as it is fail, or do not end, with the change."""
        return any(self.fails(change, arguments) for arguments in stages(tests))

    def fails(self, change: Change, arguments: tuple[str, ...]) -> bool:
        command = [*PYTEST, *arguments]
        if arguments not in self.baselines:
            began = time.monotonic()
            code, output = self.run(command, 1200) or (-1, "took too long")
            assert code == 0, f"{arguments} fail without any change: {output[-2000:]}"
            self.baselines[arguments] = time.monotonic() - began
        path = self.folder / change.file
        original = path.read_text(encoding="utf-8")
        try:
            self.write(path, change.of(original))
            ended = self.run(command, LEAST_SECONDS + 5 * self.baselines[arguments])
        finally:
            self.write(path, original)
        return ended is None or ended[0] != 0

    def write(self, path: Path, text: str) -> None:
        """Write a file, at a time of its own: Python's caches know a file by time and size."""
        self.n_written += 1
        path.write_text(text, encoding="utf-8")
        os.utime(path, (1_700_000_000 + self.n_written,) * 2)

    def run(self, command: list[str], seconds: float) -> tuple[int, str] | None:
        """The exit code of a command in the copy, and what it printed; None if it took longer."""
        process = subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "PYTHONPATH": str(self.folder)}, start_new_session=True,
        )  # fmt: skip
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        return process.returncode, output


def stages(tests: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The arguments of pytest for what is quick, and for the rest."""
    slow = [test for test in SLOW if test in tests or test.partition("::")[0] in tests]
    yield tuple(test for test in tests if test not in slow) + tuple(
        f"--deselect={test}" for test in slow if test not in tests
    )
    if slow:
        yield tuple(slow)
