"""Runs of several kinds of shops, and a reader of the pages that are made of them."""

from __future__ import annotations

import html.parser
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

import custseg_duck

KINDS = ("full", "twenty", "bare", "features", "one segment", "one customer")
HOSTILE = "<script>alert('x')</script> \"quoted\" & 'single'"
RIGHT_TO_LEFT = "לקוחות נאמנים, סל גדול"
LONG = "Unendlichlangeswort" * 12

# Some of 15 products are bought together; customers come at nine paces, and spend sevenfold
LINES = """
    create table order_lines as
    select
        customer as customer_id,
        customer * 100 + visit as order_id,
        product as product_id,
        timestamp '2024-01-01 09:00' + interval (visit * (1 + customer % 9) * 2) day
            + interval (hash(customer, visit) % 10) hour as ordered_at,
        1 as quantity,
        (1 + customer % 7 * 9 + product)::decimal(10, 2) as amount,
        'product ' || product // 2 as product_name,
        'department ' || product % 5 as department,
        'category ' || product % 4 as category,
    from range(300) as customers (customer)
    cross join range(6) as visits (visit)
    cross join lateral (
        select unnest(
            case hash(customer, visit) % 3
                when 0 then [0, 1, 2 + customer % 5]
                when 1 then [3, 4]
                else [5 + hash(customer, visit) % 6, 11 + customer % 4]
            end
        ) as product
    )
"""
BARE = """
    create table order_lines as
    select i % 40 as customer_id, i % 40 * 10 + i // 200 as order_id, hash(i) % 9 as product_id
    from range(900) as numbers (i)
"""
FEATURES = """
    create table people as
    select i as customer_id, i % 7 as visits, i * i % 11 as clicks, i % 2 = 0 as has_app
    from range(100) as numbers (i)
"""
ONE_CUSTOMER = """
    create table order_lines as
    select 1 as customer_id, i // 3 as order_id, i as product_id, 5.0 as amount,
        timestamp '2024-01-01' + interval (i // 3) day as ordered_at
    from range(9) as numbers (i)
"""


def make(kind: str, path: Path) -> None:
    """Write a database with a finished run of this kind of shop."""
    with warnings.catch_warnings(), custseg_duck.connect(path) as con:
        warnings.simplefilter("ignore", custseg_duck.CustsegWarning)
        if kind == "full":
            con.execute(LINES)
            custseg_duck.run("order_lines", con=con, k="auto", as_of="2024-02-25")
            custseg_duck.refresh(con=con, fit="matched", as_of="2024-03-20")
        elif kind == "twenty":
            con.execute(LINES)
            custseg_duck.run("order_lines", con=con, k=20, decision_rules=False)
            con.execute("update custseg.segment_labels set label = null where segment % 3 = 0")
        elif kind == "bare":
            con.execute(BARE)
            custseg_duck.run("order_lines", con=con, k=3)
        elif kind == "features":
            con.execute(FEATURES)
            custseg_duck.run(features="people", con=con, k=3)
        elif kind == "one segment":
            con.execute(FEATURES)
            custseg_duck.run(features="people", con=con, k=1)
        elif kind == "one customer":
            con.execute(ONE_CUSTOMER)
            custseg_duck.run("order_lines", con=con, k=1)


def make_hostile(con: duckdb.DuckDBPyConnection) -> None:
    """Put into a full run's tables what a page could stumble over."""
    names = [HOSTILE, RIGHT_TO_LEFT, LONG, "a\nb\x01c\u202ed"]
    for segment, label in enumerate(names[:3]):
        con.execute(
            "update custseg.segment_labels set label = $label where segment = $segment",
            {"label": label, "segment": segment},
        )
    parameters = {"names": names}
    for side in ("antecedent", "consequent"):
        for table in ("rules", "segment_rules"):
            con.execute(
                f"update custseg.{table} set {side}_names = list_transform({side}s, "
                f"lambda item: $names[1 + (item % 4)::integer] || item)",
                parameters,
            )
    con.execute(
        "update custseg.recommendations set item_name = $names[1 + (item_id % 4)::integer], "
        "antecedent_names = [$names[2 + (item_id % 3)::integer]]",
        parameters,
    )
    con.execute("update custseg.segment_preferences set name = $names[1], value = $names[3]",
                parameters)  # fmt: skip
    con.execute(
        "update custseg.centroids set department = $names[1 + (segment % 4)] "
        "where department is not null",
        parameters,
    )
    con.execute("update custseg.rfm_names set description = $names[1]", parameters)
    con.execute("update custseg.runs set notes = $names, source = $names[1]", parameters)


@dataclass
class Table:
    """The caption and, row by row, the cells' texts of a table."""

    caption: str = ""
    rows: list[list[str]] = field(default_factory=list)


class Page(html.parser.HTMLParser):
    """What a page holds.

    elements : tag and attributes of all; texts : of each element with one of ``TEXTS``, by tag;
    tables : by the section's id
    """

    TEXTS = ("h1", "h2", "h3", "h4", "li", "p", "dt", "dd", "figcaption", "title", "caption")
    VOID = ("meta", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.tables: dict[str, list[Table]] = {}
        self._open: list[tuple[str, list[str]]] = []
        self._section = ""
        self._pieces: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in self.VOID:
            return
        self._open.append((tag, []))
        if tag == "section":
            self._section = dict(attrs)["id"] or ""
        elif tag == "table":
            self.tables.setdefault(self._section, []).append(Table())
        elif tag == "tr":
            self.tables[self._section][-1].rows.append([])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self._pieces.append(data)
        for _, pieces in self._open:
            pieces.append(data)

    def handle_endtag(self, tag: str) -> None:
        opened, pieces = self._open.pop()
        assert opened == tag, f"{opened} closed by {tag}"
        text = " ".join("".join(pieces).split())
        if tag in self.TEXTS:
            self.texts.append((tag, text))
        if tag == "caption":
            self.tables[self._section][-1].caption = text
        elif tag in ("td", "th"):
            self.tables[self._section][-1].rows[-1].append(text)

    @property
    def text(self) -> str:
        """All that there is to read, and the style."""
        return " ".join("".join(self._pieces).split())

    def of(self, tag: str) -> list[str]:
        """The texts of all elements of a tag."""
        return [text for found, text in self.texts if found == tag]

    @property
    def sections(self) -> list[str]:
        """Their ids, in order."""
        return [attributes["id"] or "" for tag, attributes in self.elements if tag == "section"]
