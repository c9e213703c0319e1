"""Files that are there whole or not at all."""

import contextlib
import errno
import os
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

DAY = 24 * 60 * 60


@contextlib.contextmanager
def placed(target: Path) -> Iterator[Path]:
    """A path beside ``target`` to write to, which takes its place if all within succeeded.

    Until then ``target`` is as it was, whatever happens. Where a process is killed meanwhile, the
    unfinished file stays, hidden; the first that is placed there a day later removes it.

    Raises
    ------
    OSError
        If there is no such folder, or the file cannot be put there.
    """
    if not target.parent.is_dir():  # which DuckDB would say of the unfinished file
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(target))
    _remove_leftovers(target)
    unfinished = target.with_name(f".{target.name}.custseg_{secrets.token_hex(4)}")
    try:
        yield unfinished
        with open(unfinished, "r+b") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, target)
        _sync_folder(target.parent)
    finally:
        for left in (unfinished, Path(f"{unfinished}.wal")):
            with contextlib.suppress(OSError):
                left.unlink()


def _sync_folder(folder: Path) -> None:
    """So that the file's new name outlasts a power failure, where folders can be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_leftovers(target: Path) -> None:
    """What killed processes left of this file: nobody writes to what is a day old."""
    ours = re.compile(re.escape(f".{target.name}.custseg_") + r"[0-9a-f]{8}(\.wal)?")
    with contextlib.suppress(OSError):
        for file in target.parent.iterdir():
            if ours.fullmatch(file.name) and file.stat().st_mtime < time.time() - DAY:
                file.unlink()
