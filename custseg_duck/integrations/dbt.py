"""dbt-duckdb: a plugin with which models call the macros, fits included. Needs the extra ``dbt``.

In profiles.yml, under the target of type duckdb::

    plugins:
      - module: custseg_duck.integrations.dbt
        config:
          persist: true  # the macros may be written into the target's database
"""

from typing import Any

import duckdb

from custseg_duck.errors import InputError, NotLoadedError
from custseg_duck.loading import has_macros, load

try:
    from dbt.adapters.duckdb.plugins import BasePlugin
except ImportError as error:
    raise ImportError(
        "custseg_duck.integrations.dbt needs dbt-duckdb: pip install 'custseg_duck[dbt]'"
    ) from error


class Plugin(BasePlugin):  # type: ignore[misc]
    """Puts the SQL surface on dbt's connection.

    ``config`` : ``persist``, whether the macros may be written into the target's database. By
    default they may not: then they must be there, of this version or a newer one.
    """

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Read the configuration.

        Raises
        ------
        InputError
            If ``persist`` is not true or false.
        """
        self.persist = plugin_config.get("persist", False)
        if not isinstance(self.persist, bool):
            raise InputError(f"persist must be true or false, got {self.persist!r} [option]")

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Load, as dbt opens the database.

        Raises
        ------
        NotLoadedError
            If the macros are not there and may not be written.
        """
        load(conn, persist=self.persist)
        if not has_macros(conn):
            raise NotLoadedError(
                "the target's database must hold the macros of custseg_duck, got none of this "
                "version. Set config: {persist: true} beside the plugin's module in profiles.yml, "
                "or run custseg_duck.load on the database once"
            )
