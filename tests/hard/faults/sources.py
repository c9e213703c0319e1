"""What is read while things go wrong: a larger shop, and files that are whole or broken."""

from pathlib import Path

import custseg_duck
from tests.hard.sufferers import SMALL

N_LINES = 150_000


def make_sources(folder: Path) -> None:
    """A larger shop, and files to read that are whole or broken."""
    folder.mkdir()
    with custseg_duck.connect(folder / "large.duckdb") as con:
        con.execute("create table own as select i as customer_id, i % 7 as a from range(40) r (i)")
        custseg_duck.run(features="own", con=con, **SMALL)
        con.execute(f"""
            create table order_lines as
            select
                (hash(i) % 10000)::integer as customer_id,
                (i // 4)::integer as order_id,
                (hash(i, 1) % 2000)::integer as product_id,
                timestamp '2024-01-01' + interval (i % 300) day as ordered_at,
                (1 + i % 50)::decimal(10, 2) as amount,
                'department ' || (i % 20) as department,
            from range({N_LINES}) as lines (i)
        """)
        for suffix in ("parquet", "csv"):
            con.execute(f"copy (from order_lines limit 40000) to '{folder}/lines.{suffix}'")
    text = (folder / "lines.csv").read_text().splitlines()
    # beyond the lines that DuckDB looks at to find out what the columns are
    (folder / "short_line.csv").write_text("\n".join([*text[:30_001], "1,2", *text[30_001:]]))
    spoiled = "\n".join([*text[:30_001], text[30_001].replace("department", "d\udcff"), ""])
    (folder / "not_utf8.csv").write_bytes(spoiled.encode(errors="surrogateescape"))
    (folder / "empty.csv").touch()
    whole = (folder / "lines.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.parquet").touch()
    (folder / "a_folder.parquet").mkdir()
