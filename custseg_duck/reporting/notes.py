"""The options of a run that differ from what ``custseg_duck.run`` does by itself."""

import inspect
from collections.abc import Mapping

from custseg_duck.history import recorded
from custseg_duck.running import run

# What says where the lines are and what the run is called, not how they are treated
_NO_OPTIONS = {"source", "features", "con", "name", "progress"}
_NOTHING = {"columns": "{}"}


def changed_options(options: Mapping[str, str]) -> dict[str, str]:
    """Options by name, as a run has recorded them, without those that are the default."""
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(run).parameters.items()
        if name not in _NO_OPTIONS
    }
    usual = _NOTHING | recorded(defaults)
    changed = {
        name: value
        for name, value in options.items()
        if name not in _NO_OPTIONS and usual.get(name) != value
    }
    # None is not recorded
    left_out = [name for name in recorded(defaults) if name not in options]
    return changed | dict.fromkeys(left_out, "none")
