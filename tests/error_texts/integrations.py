"""What the integrations refuse: tried in an environment that has them, by make integrations."""

from typing import Any

import duckdb

from tests.error_texts.calls import Refused


def plug_in(_: object) -> None:
    from custseg_duck.integrations.dbt import Plugin

    Plugin("custseg", {"persist": "yes"})


def plug_into_a_database_without_macros(_: object) -> None:
    from custseg_duck.integrations.dbt import Plugin

    with duckdb.connect() as con:
        Plugin("custseg", {}).configure_connection(con)


def register_another_engine(_: object) -> None:
    from sqlalchemy import create_engine

    from custseg_duck.integrations.sqlalchemy import register

    register(create_engine("sqlite://"))


class Traced:
    """A connection behind what a tracer puts before it."""

    def __init__(self) -> None:
        self.con = duckdb.connect()

    def execute(self, *given: Any) -> "Traced":
        self.con.execute(*given)
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self.con, name)


def connect_to_something_else(_: object) -> None:
    from sqlalchemy import create_engine

    from custseg_duck.integrations.sqlalchemy import register

    other = Traced()
    with other.con:
        register(create_engine("duckdb://", creator=lambda: other)).connect()


REFUSED = [
    Refused(plug_in, "persist must be true or false, got 'yes' [option]"),
    Refused(
        plug_into_a_database_without_macros,
        "the target's database must hold the macros of custseg_duck, got none of this version. Set "
        "config: {persist: true} beside the plugin's module in profiles.yml, or run "
        "custseg_duck.load on the database once [not-loaded]",
    ),
    Refused(
        register_another_engine,
        "engine must be one of DuckDB, such as create_engine('duckdb:///shop.duckdb'), got one of "
        "sqlite [option]",
    ),
    Refused(
        connect_to_something_else,
        "the engine must make connections of DuckDB, got Traced [option]",
    ),
]
