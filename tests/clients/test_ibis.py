"""The tables of custseg as Ibis tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pytest

import custseg_duck
from tests.clients.shared import blocks, same

# Ibis 12 calls what DuckDB 1.5 deprecates
pytestmark = pytest.mark.filterwarnings("ignore:fetch_:DeprecationWarning")


@pytest.fixture
def page(shop: Path) -> Iterator[dict[str, Any]]:
    """What the page's example leaves."""
    assert shop.exists()
    names: dict[str, Any] = {}
    for block in blocks("ibis", "python"):
        exec(block, names)
    yield names
    names["con"].close()


def test_an_expression_over_the_segments(page: dict[str, Any]) -> None:
    rows = page["con"].execute(
        "select label, count(*) as customers, sum(monetary) as revenue "
        "from custseg.segments "
        "inner join custseg.segment_labels using (run_name, segment) "
        "inner join custseg.customer_features using (run_name, customer_id) "
        "group by label order by revenue desc"
    )
    expected = rows.to_arrow_table().to_pylist()
    assert len(expected) == 3
    assert same(page["revenue"].to_pyarrow().to_pylist(), expected)


def test_an_expression_over_what_a_macro_gives(page: dict[str, Any]) -> None:
    rows = page["con"].execute(
        "from custseg.itemsets where length = 2 and support >= 0.05 "
        "order by support_count desc, items"
    )
    expected = [(row["items"], row["support_count"]) for row in rows.to_arrow_table().to_pylist()]
    got = [(row["items"], row["support_count"]) for row in page["pairs"].to_pyarrow().to_pylist()]
    assert got[0] == ([20, 21], 100)
    assert sorted(got) == sorted(expected)


def test_every_table_and_view_is_one_of_ibis(shop: Path) -> None:
    with custseg_duck.connect(shop) as con:
        backend = ibis.duckdb.from_connection(con)
        names = backend.list_tables(database="custseg")
        assert {"segments", "labelled_segments", "models", "rules"} <= set(names)
        for name in names:
            rows = con.execute("select * from query_table($name)", {"name": f"custseg.{name}"})
            n_rows = len(rows.fetchall())
            assert backend.table(name, database="custseg").count().to_pyarrow().as_py() == n_rows


def test_scoring_and_fitting_in_a_connection_of_ibis(shop: Path) -> None:
    with custseg_duck.connect(shop) as con:
        backend = ibis.duckdb.from_connection(con)
        scored = backend.sql("from custseg.score('custseg.customer_features')")
        stored = backend.table("segments", database="custseg").select("customer_id", "segment")
        both = scored.join(stored, ["customer_id", "segment"])
        assert both.count().to_pyarrow().as_py() == 60
        model = backend.sql(
            "select custseg.kmeans_fit(features, k := 3, transform := transform) as model "
            "from custseg.feature_vectors('custseg.customer_features')"
        )
        assert model.select(n=model.model["n_rows"]).to_pyarrow()["n"].to_pylist() == [60]


def test_what_is_wrong_is_told_in_our_words(shop: Path) -> None:
    with custseg_duck.connect(shop) as con:
        backend = ibis.duckdb.from_connection(con)
        with pytest.raises(
            duckdb.InvalidInputException, match=r"min_support must be in \(0, 1\], got 2"
        ):
            backend.sql(
                "from custseg.frequent_itemsets('order_lines', min_support := 2)"
            ).to_pyarrow()
