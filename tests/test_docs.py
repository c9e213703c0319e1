"""The README and the pages of docs/: every block runs, every link leads somewhere."""

import re
import shlex
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

import custseg_duck
from custseg_duck import catalog, demo
from custseg_duck.cli import main
from tests.conftest import make_shop, program

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
# These are run on the small shop, the tutorials on the demo's data, integrations by their own tests
ON_THE_SMALL_SHOP = ("README.md", "docs/segments.md", "docs/rules.md", "docs/method.md")
TUTORIALS = ("sql", "workflows", "python")
# Of the small shop, no rule is significant; and what alters gives no row
EMPTY = re.compile(r"p_value_bh|top_rules|custseg.rules|^\s*alter")


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of each block of a page."""
    return re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """What links may point to within a page, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def execute(con: duckdb.DuckDBPyConnection, text: str) -> None:
    for statement in duckdb.extract_statements(text):
        rows = con.execute(statement.query).fetchall()
        assert rows or EMPTY.search(statement.query), statement.query


@pytest.mark.parametrize("name", ON_THE_SMALL_SHOP)
def test_the_sql_of_a_page_runs_in_order(con: duckdb.DuckDBPyConnection, name: str) -> None:
    make_shop(con)
    custseg_duck.run("order_lines", con=con, k=2)
    texts = [text for language, text in blocks(ROOT / name) if language == "sql"]
    assert texts
    for text in texts:
        execute(con, text)


@pytest.mark.parametrize("name", ON_THE_SMALL_SHOP[:2])
def test_the_python_of_a_page_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with duckdb.connect("shop.duckdb") as con:
        make_shop(con)
    texts = [text for language, text in blocks(ROOT / name) if language == "python"]
    assert texts
    for text in texts:
        exec(text, {})
    assert name != "README.md" or "60 customers in 3 segments" in capsys.readouterr().out


@pytest.fixture(scope="module")
def demonstrated(complete_journey: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the demo leaves, of a fifth of the households, for the tutorials' sake of many runs."""
    path = tmp_path_factory.mktemp("demo") / "shop.duckdb"
    shutil.copy(complete_journey, path)
    with custseg_duck.connect(path) as con:
        con.execute("delete from order_lines where customer_id % 5 <> 1")
        custseg_duck.run("order_lines", con=con, **demo.OPTIONS)
    return path


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_runs_from_top_to_bottom(
    name: str, demonstrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(demonstrated, tmp_path / "shop.duckdb")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for language, text in blocks(DOCS / f"tutorial-{name}.md"):
        if language == "sql":  # in a plain client: nothing is loaded
            with duckdb.connect("shop.duckdb") as con:
                execute(con, text)
        elif language == "python":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", custseg_duck.CustsegWarning)
                exec(text, names)
        elif language == "sh":
            command(text)
    for path in tmp_path.glob("*.duckdb"):
        duckdb.connect(str(path)).close()  # nothing holds it any more


def command(text: str) -> None:
    """Run the lines of a block that call the command, but not the demo: it is there already."""
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["custseg-duck"] and words[1] != "demo":
            done = CliRunner().invoke(main, words[1:])
            assert done.exit_code == 0, (line, done.output)


def test_what_the_tutorials_say_is_printed(con: duckdb.DuckDBPyConnection) -> None:
    make_shop(con)
    with pytest.raises(custseg_duck.InputError) as caught:
        custseg_duck.run("order_lines", con=con, k=0)
    assert f"`{caught.value}`" in (DOCS / "tutorial-python.md").read_text().replace("\n", " ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        place, _, anchor = target.partition("#")
        found = page if not place else (page.parent / place).resolve()
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


def test_the_reference_is_what_the_files_say() -> None:
    made = program("make_reference").reference().splitlines()
    assert made == (DOCS / "reference.md").read_text().splitlines(), "run: make docs"


def test_the_page_of_errors_is_what_the_files_say() -> None:
    made = program("make_errors").page().splitlines()
    assert made == (DOCS / "errors.md").read_text().splitlines(), "run: make docs"


def named_in_the_reference() -> Iterator[str]:
    for path in catalog.MACROS:
        yield path.rpartition("/")[2]
    yield from catalog.TABLES
    yield from catalog.VIEWS


def test_the_reference_has_every_macro_table_and_function() -> None:
    text = (DOCS / "reference.md").read_text()
    for name in named_in_the_reference():
        assert f"`{name}`" in text or f"`custseg.{name}`" in text or f"- `{name}(" in text, name
    for name in custseg_duck.__all__:
        assert f"### `custseg_duck.{name}`" in text or name == "__version__"
    for name in main.commands:
        assert f"### `custseg-duck {name}`" in text


def test_the_readme_names_every_table_that_a_run_leaves() -> None:
    text = (ROOT / "README.md").read_text()
    section = text.partition("## What a run leaves")[2].partition("## ")[0]
    for name in (*catalog.TABLES, "decision_rules", "migrations", "top_rules"):
        assert f"`{name}`" in section, name
