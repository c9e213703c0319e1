"""Harlequin, the terminal's SQL IDE: ``harlequin -a custseg shop.duckdb``. Extra ``harlequin``."""

from custseg_duck.errors import CustsegError
from custseg_duck.loading import load

try:
    from harlequin.exception import HarlequinConnectionError
    from harlequin_duckdb import DuckDbAdapter
    from harlequin_duckdb.adapter import DuckDbConnection
except ImportError as error:
    raise ImportError(
        "custseg_duck.integrations.harlequin needs Harlequin: pip install 'custseg_duck[harlequin]'"
    ) from error


class CustsegAdapter(DuckDbAdapter):  # type: ignore[misc]
    """DuckDB's adapter, whose connections have the SQL surface, fits included.

    The macros are written into the database, unless it has them; with ``--read-only`` it must.
    """

    ADAPTER_DETAILS = "DuckDB with customer segmentation: from custseg.help()"

    def connect(self) -> DuckDbConnection:
        """Connect, and load.

        Raises
        ------
        HarlequinConnectionError
            If DuckDB's adapter cannot connect, or custseg_duck cannot be loaded.
        """
        connection = super().connect()
        try:
            load(connection.conn)
        except CustsegError as error:
            connection.conn.close()
            raise HarlequinConnectionError(
                str(error), title="custseg_duck could not be loaded."
            ) from error
        return connection
