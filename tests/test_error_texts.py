"""Every message of ours is got by a call, and says in full what it is to say."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from custseg_duck import CustsegError
from custseg_duck.cli import main
from custseg_duck.errors import code_of, message_of
from custseg_duck.functions import in_transaction
from tests.conftest import program
from tests.error_texts import (
    arguments,
    baskets,
    command,
    features,
    files,
    insight,
    integrations,
    lines,
    running,
    segments,
)
from tests.error_texts.calls import Refused
from tests.error_texts.folder import fill

HERE = (arguments, lines, features, baskets, segments, insight, running, files, command)
REFUSED = [refused for group in HERE for refused in group.REFUSED]
ALL = [*REFUSED, *integrations.REFUSED]

make_errors = program("make_errors")
# how many places of the sources have the same message
TEMPLATES = Counter(
    message.text if code_of(message.text) else f"{message.text} [{message.code}]"
    for message in make_errors.messages()
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A shop with runs, beside files that cannot be used, in the current folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("refused"))
        with fill() as con:
            yield con


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: refused.text[:50])
def test_a_message_is_got_and_says(shop: duckdb.DuckDBPyConnection, refused: Refused) -> None:
    assert said(shop, refused) == refused.text.replace("FOLDER", str(Path.cwd()))


def said(con: duckdb.DuckDBPyConnection, refused: Refused) -> str:
    """What the call says; what it, and what is given, has changed is undone."""
    call = refused.call
    if isinstance(call, tuple):
        done = CliRunner().invoke(main, call)
        assert (done.exit_code, done.stdout) == (1, "")
        return done.stderr.removeprefix("Error: ").removesuffix("\n")
    try:
        if isinstance(call, str):
            con.execute("begin")
            con.execute(refused.given)
            with pytest.raises(duckdb.InvalidInputException) as in_sql:
                con.execute(call).fetchall()
            return message_of(in_sql.value)
        con.execute(refused.given)
        with pytest.raises(CustsegError) as in_python:
            call(con)
        assert in_python.value.code == code_of(str(in_python.value))
        return str(in_python.value)
    finally:
        if in_transaction(con):
            con.execute("rollback")


def template_of(text: str) -> str | None:
    """The message of the sources that a text is: of those that it fits, the most exact."""
    fitting = [template for template in TEMPLATES if pattern(template).fullmatch(text)]
    return max(fitting, key=n_known_letters, default=None)


def n_known_letters(template: str) -> int:
    return len(template.replace(make_errors.GAP, ""))


def pattern(template: str) -> re.Pattern[str]:
    parts = (re.escape(part) for part in template.split(make_errors.GAP))
    return re.compile(".*".join(parts), re.DOTALL)


def test_every_message_has_a_call_that_gets_it() -> None:
    tried = Counter(template_of(refused.text) for refused in ALL)
    missing = {text: n - tried[text] for text, n in TEMPLATES.items() if tried[text] < n}
    assert not missing, "messages without a call in tests/error_texts, and how many are missing"


def test_every_call_gets_a_message_of_the_sources() -> None:
    assert not [refused.text for refused in ALL if template_of(refused.text) is None]


def test_no_call_is_there_twice() -> None:
    calls = Counter((refused.call, refused.given) for refused in ALL)
    assert not [call for call, n in calls.items() if n > 1]
