"""Random shops in a database, and what is made of them from end to end."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
import test_features

Row = dict[str, Any]
Rows = list[tuple[Any, ...]]

# after every order line, so that it leaves out none
LATE = "timestamp '2026-01-01'"
# how an id that nobody has is written
FRESH = {
    "integer": "{}",
    "varchar": "'new {}'",
    "uuid": "'00000000-0000-4000-8000-{:012}'::uuid",
}
# every step from lines to rules, in order; each reads the tables of those before
STEPS = {
    "features": "from custseg.customer_features('{lines}', as_of := {as_of})",
    "models": "select 'mine' as name, custseg.kmeans_fit(features, k := {k}, transform := "
    "transform) as model from custseg.feature_vectors('features')",
    "segments": "from custseg.score('features', 'mine', models := 'models')",
    "segment_summary": "from custseg.segment_summary('features', 'segments')",
    "segment_profiles": "from custseg.segment_profiles('features', 'segments')",
    "preferences": "from custseg.segment_preferences('{lines}', 'segments', n := 1000)",
    "itemsets": "from custseg.frequent_itemsets('{lines}', min_count := {min_count})",
    "rules": "from custseg.association_rules('itemsets', min_confidence := 0, "
    "max_consequents := null)",
    "offering_rules": "from custseg.association_rules('itemsets', min_confidence := 0)",
    "segment_rules": "from custseg.segment_rules('{lines}', 'segments', min_count := {min_count})",
    "recommendations": "from custseg.recommendations('{lines}', 'offering_rules', n := 1000)",
    "sequences": "from custseg.sequences('{lines}', min_count := {min_count}, within_days := 9)",
}


@dataclass
class Shop:
    """A random shop in the table ``lines`` of a database.

    types : of the columns; as_of : in SQL, NULL in a shop without dates; k : a number of segments
    that its customers allow; min_count : orders from which a set is frequent; shares_orders :
    whether an order id is that of several customers
    """

    con: duckdb.DuckDBPyConnection
    seed: int
    rng: random.Random
    types: dict[str, str]
    lines: list[Any]
    as_of: str
    k: int
    min_count: int
    shares_orders: bool
    made: dict[str, Rows] = field(default_factory=dict)

    @property
    def has_repeated_items(self) -> bool:
        """Whether an order holds an item on several lines."""
        ((n_lines, n_items),) = self.con.execute(
            "select count(*), count(distinct (order_id, item_id)) "
            "from custseg.purchased_items('lines')"
        ).fetchall()
        return bool(n_lines > n_items)

    @property
    def has_dates(self) -> bool:
        return "ordered_at" in self.types

    def rows(self, query: str) -> list[Row]:
        """The rows of a query by their columns' names, in one order."""
        found = self.con.execute(query)
        columns = [name for name, *_ in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in sorted(found.fetchall(), key=repr)]

    def by_key(self, query: str, *keys: str) -> dict[Any, Row]:
        """The rows of a query by the values of some columns, a list of items as a set."""
        found: dict[Any, Row] = {}
        for row in self.rows(query):
            values = [row.pop(name) for name in keys]
            key = tuple(frozenset(one) if isinstance(one, list) else one for one in values)
            assert key not in found, f"twice: {key}"
            found[key if len(keys) > 1 else key[0]] = row
        return found

    def features(self, lines: str = "lines", as_of: str | None = None) -> dict[Any, Row]:
        """Every feature by customer."""
        return self.by_key(
            f"from custseg.customer_features('{lines}', as_of := {as_of or self.as_of})",
            "customer_id",
        )

    def write(self, table: str, query: str) -> str:
        """Make a table of a query."""
        self.con.execute(f"create or replace table {table} as {query}")
        return table

    def fresh(self, column: str, number: int) -> str:
        """An id that nobody has, in SQL."""
        return FRESH[self.types[column]].format(900_000 + number)

    def add(self, table: str, **values: str) -> None:
        """Add a line to a table; of a column that is not given, what a line commonly has."""
        line = {
            "customer_id": self.fresh("customer_id", 0),
            "order_id": self.fresh("order_id", 0),
            "product_id": self.fresh("product_id", 0),
            "ordered_at": "timestamp '2024-02-02'",
            "quantity": "2",
            "amount": "12.5",
            "department": "'strange'",
            "category": "'strange'",
        }
        given = ", ".join(
            f"({value})::{self.types[name]} as {name}"
            for name, value in (line | values).items()
            if name in self.types
        )
        self.con.execute(f"insert into {table} by name select {given}")

    @contextmanager
    def made_of(self, lines: str) -> Iterator[dict[str, Rows]]:
        """All of other lines, as tables too; those of ``lines`` are there again afterwards."""
        self.con.execute("begin")
        try:
            yield self.make(lines)
        finally:
            self.con.execute("rollback")

    def make(self, lines: str) -> dict[str, Rows]:
        """Every step of STEPS, as tables and as rows."""
        made = {}
        for name, query in STEPS.items():
            if name == "sequences" and not self.has_dates:
                continue
            self.write(
                name,
                query.format(lines=lines, as_of=self.as_of, k=self.k, min_count=self.min_count),
            )
            made[name] = sorted(self.con.execute(f"from {name}").fetchall(), key=repr)
        return made


def open_shop(con: duckdb.DuckDBPyConnection, seed: int) -> Shop:
    """Write the random shop of a seed into the table ``lines``, and make all of it once."""
    drawn = test_features.random_shop(seed)
    drawn.load(con)
    con.execute(
        "alter table lines add column category varchar; "
        "update lines set category = 'category ' || hash(product_id::varchar) % 3"
    )
    rng = random.Random(seed)
    as_of = LATE if "ordered_at" in drawn.types else "null"
    owners: dict[Any, Any] = {}
    shares_orders = any(
        owners.setdefault(line["order_id"], line["customer_id"]) != line["customer_id"]
        for line in drawn.lines
    )
    shop = Shop(
        con, seed, rng, drawn.types | {"category": "varchar"}, drawn.lines, as_of, 1,
        rng.randint(1, 4), shares_orders,
    )  # fmt: skip
    shop.write("features", STEPS["features"].format(lines="lines", as_of=as_of))
    ((n_distinct,),) = con.execute(
        "select count(distinct features) from custseg.feature_vectors('features')"
    ).fetchall()
    shop.k = min(rng.randint(1, 5), n_distinct)
    shop.made = shop.make("lines")
    return shop
