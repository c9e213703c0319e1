"""Harlequin's adapter, found by its entry point, and in the running application."""

from __future__ import annotations

import asyncio
from importlib.metadata import entry_points
from pathlib import Path

import duckdb
import pytest
from harlequin import Harlequin
from harlequin.exception import HarlequinConnectionError

from custseg_duck.integrations.harlequin import CustsegAdapter

QUERY = (
    "select len(custseg.kmeans_fit(features, k := 2, transform := transform).components) as k "
    "from custseg.feature_vectors('custseg.customer_features')"
)


def test_harlequin_finds_the_adapter() -> None:
    (found,) = [
        point for point in entry_points(group="harlequin.adapter") if point.name == "custseg"
    ]
    assert found.load() is CustsegAdapter


def test_a_connection_fits_and_lists_what_there_is(shop: Path) -> None:
    connection = CustsegAdapter((str(shop),)).connect()
    cursor = connection.execute(QUERY)
    assert cursor is not None
    assert cursor.fetchall().to_pylist() == [{"k": 2}]
    assert connection.get_catalog().items
    connection.close()


def test_a_database_without_macros_gets_them_unless_it_is_read_only(bare: Path) -> None:
    with pytest.raises(HarlequinConnectionError, match="got a read-only one with none"):
        CustsegAdapter((str(bare),), read_only=True).connect()
    CustsegAdapter((str(bare),)).connect().close()
    with duckdb.connect(str(bare), read_only=True) as con:
        assert con.execute("select count(*) from custseg.rfm('order_lines')").fetchall() == [(60,)]


def test_the_application_shows_a_fit(shop: Path) -> None:
    async def drive() -> list[object]:
        app = Harlequin(CustsegAdapter((str(shop),)), show_s3=None)
        async with app.run_test(size=(120, 36)) as pilot:
            for _ in range(100):
                await pilot.pause(0.1)
                if app.editor is not None and app.connection is not None:
                    break
            app.editor.text = QUERY
            await pilot.press("ctrl+j")
            for _ in range(100):
                await pilot.pause(0.1)
                table = app.results_viewer.get_visible_table()
                if table is not None and table.row_count:
                    return list(table.get_row_at(0))
        return []

    assert asyncio.run(drive()) == [2]
