"""Every message of ours has a code that is documented; codes are the same in SQL and in Python."""

import duckdb
import pytest

import custseg_duck
from custseg_duck import CustsegError, InputError, MissingColumnError, QueryError
from custseg_duck.errors import CODES, code_of, without_code
from tests.conftest import program

MESSAGES = program("make_errors").messages()


def test_every_message_has_a_code_that_is_known() -> None:
    without = [message for message in MESSAGES if message.code not in CODES]
    assert not without
    assert len(MESSAGES) > 190


def test_every_code_is_used() -> None:
    # of what is no message in the sources: "other" is the base's, and a QueryError names a step
    used = {message.code for message in MESSAGES} | {"other", "query"}
    assert used == set(CODES)


def test_a_code_is_the_same_in_sql_and_in_python(shop: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.InvalidInputException) as in_sql:
        shop.execute("from custseg.frequent_itemsets('order_lines', min_support := 2)").fetchall()
    with pytest.raises(InputError) as in_python:
        custseg_duck.run("order_lines", con=shop, min_support=2)
    assert code_of(str(in_sql.value)) == in_python.value.code == "option"
    assert str(in_python.value) == "min_support must be in (0, 1], got 2 [option]"


def test_a_kernels_error_keeps_its_code(shop: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(InputError) as error:
        custseg_duck.run("order_lines", con=shop, k=61)
    assert error.value.code == "option"
    assert str(error.value).endswith("got 61; there are 60 customers [option]")


def test_an_error_that_is_caught_and_told_again_keeps_its_code(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    with pytest.raises(MissingColumnError) as error:
        custseg_duck.run({"order_lines": shop.sql("select 1 as customer_id")}, con=shop)
    assert error.value.code == "missing-column"


def test_a_failing_query_names_its_step_and_keeps_the_cause(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    shop.execute("create view custseg.segments as select 1 as run_name")
    with pytest.raises(QueryError) as error:
        custseg_duck.run("order_lines", con=shop, k=2)
    assert (error.value.code, error.value.step) == ("query", "publish")
    assert isinstance(error.value.__cause__, duckdb.Error)
    assert str(error.value).startswith("publish: ")


def test_errors_as_json_become_ours_all_the_same(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("set errors_as_json = true")
    with pytest.raises(InputError) as error:
        custseg_duck.run("order_lines", con=shop, include=["zork"])
    assert error.value.code == "option"
    assert str(error.value).startswith("include must name numeric columns of the features, got ")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("n must be at least 1, got 0 [option]", "option"),
        ("n must be at least 1, got 0", None),
        ("got [option] in the middle", None),
        ("columns must be known, got a [b]", None),  # that of nobody
        ("[option]", None),
    ],
)
def test_only_a_known_code_at_the_end_is_one(message: str, code: str | None) -> None:
    assert code_of(message) == code
    assert without_code(message) == ("n must be at least 1, got 0" if code else message)
    assert CustsegError(message).code == (code or "other")
