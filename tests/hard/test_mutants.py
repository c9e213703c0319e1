"""A slice of ``mutants``: what is killed and what survives, for a few tests of their own."""

import ast

import pytest

from tests.hard import mutants
from tests.hard.figure import Figure
from tests.hard.mutants import ROOT, TESTS, Change, Copy, changes, chosen, other_number, trees

# in a folder of their own, without what the other tests import
OWN_TESTS = """
import duckdb
import numpy as np

from custseg_duck.udfs.projection import project

MACRO = "sql/segments/distances.sql"


def test_components_by_hand():
    found = project(np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]]))
    assert np.allclose(found.axes[0], np.array([1, 2]) / np.sqrt(5))
    assert np.allclose(found.shares, [1, 0])
    assert np.allclose(found.coordinates[:, 0], [-np.sqrt(5), 0, np.sqrt(5)])


def test_distances_by_hand():
    with duckdb.connect() as con:
        con.execute("create schema custseg")
        with open(MACRO) as file:
            con.execute(file.read())
        model = "{'components': [{'center': [0.0, 0.0]}]}"
        ((found, unknown),) = con.execute(
            f"select custseg.distances({model}, [3.0, 4.0]), custseg.distances({model}, null)"
        ).fetchall()
        assert found == [5]
        assert unknown is None
"""
PROJECTION, DISTANCES = "udfs/projection.py", "sql/segments/distances.sql"
CASES = [
    (PROJECTION, "points - points", "points + points", True),
    (PROJECTION, "check(points)\n", "__import__('time').sleep(60)\n", True),
    (PROJECTION, "if total > 0", "if False", True),
    (DISTANCES, "is not null", "is null", True),
    # every variance n * n times as large, and with them their sum: equivalent
    (PROJECTION, "centred) / n_points", "centred) * n_points", False),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    found = Copy(tmp_path_factory.mktemp("mutants") / "tree")
    (found.folder / "own").mkdir()
    (found.folder / "own" / "test_own.py").write_text(OWN_TESTS, encoding="utf-8")
    return found


@pytest.mark.parametrize(("file", "before", "after", "is_killed"), CASES)
def test_what_is_wrong_is_killed_and_what_is_equivalent_survives(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    copy: Copy,
    file: str,
    before: str,
    after: str,
    is_killed: bool,
) -> None:
    monkeypatch.setattr(trees, "LEAST_SECONDS", 2)
    monkeypatch.setitem(TESTS, file, ("own",))
    text = (ROOT / file).read_text(encoding="utf-8")
    assert text.count(before) == 1
    start = text.index(before)
    figure = Figure()
    mutants.try_change(figure, copy, Change(file, "any", start, start + len(before), after))
    assert figure.counts[mutants.KILLED] == is_killed
    assert figure.counts[mutants.SURVIVED] == (not is_killed)
    assert ("survived: " in capsys.readouterr().out) == (not is_killed)
    assert (copy.folder / file).read_text(encoding="utf-8") == text


def test_tests_that_fail_anyway_kill_nothing(copy: Copy) -> None:
    (copy.folder / "own" / "test_broken.py").write_text("def test_it(): assert False")
    with pytest.raises(AssertionError, match="fail without any change"):
        copy.notices(Change(PROJECTION, "any", 0, 0, ""), ("own/test_broken.py",))
    with pytest.raises(AssertionError, match="fail without any change"):
        copy.notices(Change(PROJECTION, "any", 0, 0, ""), ("own/test_there_is_none.py",))
    (copy.folder / "own" / "test_broken.py").unlink()


def test_a_change_is_one_of_what_is_executed() -> None:
    changes = chosen(10_000, 0)
    assert len(changes) == len({(c.file, c.start, c.end, c.after) for c in changes}) > 1500
    texts = {file: (ROOT / file).read_text(encoding="utf-8") for file in TESTS}
    for change in changes:
        text = change.of(texts[change.file])
        assert text != texts[change.file], str(change)
        if change.file.endswith(".py"):
            ast.parse(text)  # what cannot be read would be killed by anything


def test_a_seed_gives_the_same_changes_of_every_file() -> None:
    assert chosen(150, 3) == chosen(150, 3) != chosen(150, 4)
    assert {change.file for change in chosen(len(TESTS), 3)} == set(TESTS)


def test_changes_of_sql_by_hand() -> None:
    text = """-- 1 < 2
    create or replace macro custseg.f(a, b := 3) as
    case when not a.b = -4 then 'a < b' else least(5.5, a * 2) + count(*) end
    where a between 0 and 9 and custseg.require(b < (1), '{}', b)
    """
    assert {(text[start:end], after) for _, start, end, after in changes.of_sql(text)} == {
        ("not a.b = -4", "false"), ("not ", ""), ("=", "<>"), ("-", ""), ("4", "5"),
        ("least", "greatest"), ("5.5", "11.0"), ("*", "/"), ("2", "3"), ("+", "-"),
        ("0", "1"), ("9", "10"), ("and", "or"), ("b < (1)", "true"), ("<", "<="), ("1", "2"),
    }  # fmt: skip


def test_changes_of_python_by_hand() -> None:
    text = '''def f(a: int = 1, *, b: "list[int] | None" = None) -> "int | None":
    """1 < 2."""
    if not a <= 2 or b is not None:
        raise ValueError("1 < 2")
    return max(a, -b[0])  # 1 < 2
'''
    assert {(text[start:end], after) for _, start, end, after in changes.of_python(text)} == {
        ("1", "2"), ("not a <= 2 or b is not None", "False"), ("not ", ""), ("<=", "<"),
        ("2", "3"), ("or", "and"), ("is not", "is"), ("max(a, -b[0])", "None"),
        ("max", "min"), ("-", ""), ("0", "1"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("number", "other"), [("1", "2"), ("20_000", "20001"), ("0xF", "16"), ("1e-4", "0.0002")]
)
def test_another_number(number: str, other: str) -> None:
    assert other_number(number) == other
