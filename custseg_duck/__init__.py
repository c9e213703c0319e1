"""Customer segmentation that lives inside DuckDB.

``load(con)`` puts the SQL surface on a connection, ``connect(path)`` opens a database with it, and
``run(source)`` leaves features, segments, profiles, itemsets and rules in the schema ``custseg``.
"""

from custseg_duck.checking import self_check
from custseg_duck.errors import (
    CustsegError,
    CustsegWarning,
    InputError,
    MissingColumnError,
    NotLoadedError,
    QueryError,
)
from custseg_duck.exporting import export
from custseg_duck.loading import connect, load, unload
from custseg_duck.mining import frequent_itemsets
from custseg_duck.models import drop_model, export_model, import_model
from custseg_duck.reporting import export_report
from custseg_duck.result import RunResult
from custseg_duck.running import refresh, run
from custseg_duck.targets import export_targets
from custseg_duck.version import __version__

__all__ = [
    "CustsegError",
    "CustsegWarning",
    "InputError",
    "MissingColumnError",
    "NotLoadedError",
    "QueryError",
    "RunResult",
    "__version__",
    "connect",
    "drop_model",
    "export",
    "export_model",
    "export_report",
    "export_targets",
    "frequent_itemsets",
    "import_model",
    "load",
    "refresh",
    "run",
    "self_check",
    "unload",
]
