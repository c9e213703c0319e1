"""The folder that the calls are made in: a shop with runs, and files that cannot be used."""

import warnings
from pathlib import Path

import duckdb

import custseg_duck
from custseg_duck import CustsegWarning
from tests.conftest import QUICK, make_shop

RELATIONS = """
    create view features as select * exclude (run_name) from custseg.customer_features
        where run_name = 'default';
    create view segments as select * exclude (run_name) from custseg.segments
        where run_name = 'default';
    create view segments_twice as from segments union all from segments where customer_id = 7;
    create table vectors as from custseg.feature_vectors('features');
    create view models as from custseg.models where name = 'default';
    create view itemsets as select * exclude (run_name) from custseg.itemsets
        where run_name = 'default';
    create view refusing as select error('this view is empty');
"""


def fill() -> duckdb.DuckDBPyConnection:
    """Fill the current folder; gives a connection to its shop.duckdb, which is the user's own.

    The run default is of order lines; tiny, of an Arrow table without amounts, found no rules.
    """
    with duckdb.connect("plain.duckdb") as con:
        make_shop(con)
    custseg_duck.connect("empty.duckdb").close()
    for folder in ("nothing_in_it", "twins"):
        Path(folder).mkdir()
    Path("twins/lines.csv").write_text("product_id\n1\n")
    for name in ("notes.duckdb", "notes.parquet", "twins/lines.parquet", "orders.xlsx"):
        Path(name).write_text("neither a database nor a table" * 1000)
    Path("lines.csv").write_text("customer_id,order_id\n1,2\n")
    Path("none.json").write_text("")
    con = custseg_duck.connect("shop.duckdb")
    make_shop(con)
    custseg_duck.run("order_lines", con=con, k=3, min_support=0.02, **QUICK)
    tiny = con.sql("select customer_id, order_id, product_id from order_lines limit 5")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CustsegWarning)
        custseg_duck.run(tiny.to_arrow_table(), con=con, name="tiny", k=1, min_support=1.0, **QUICK)
    con.execute(RELATIONS)
    return con
