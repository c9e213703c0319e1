"""The house rules of sql/: one statement per file, named like it, with a header that is true."""

import re
from pathlib import Path

import duckdb
import pytest
from sqlglot.dialects.duckdb import DuckDB

import custseg_duck
from custseg_duck import catalog

SQL = Path(__file__).parent.parent / "sql"
FILES = sorted(SQL.rglob("*.sql"))
OTHERS = ("layouts", "run", "demo", "display", "report", "check")
MACRO_FILES = [path for path in FILES if path.parent.name not in OTHERS]
RELATIONS = {
    "lines", "features", "segments", "models", "itemsets", "customers", "orders", "vectors",
    "members", "means", "segments_with_distance", "tree", "attributes", "counts", "cut_points",
    "names", "rfm_segments", "bins", "histograms", "centroids", "summary", "labels",
    "segments_before", "segments_after", "features_before", "features_after", "relation",
}  # fmt: skip
KEYWORDS = {
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "ORDER",
    "BY",
    "HAVING",
    "WITH",
    "AS",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "AND",
    "OR",
    "NOT",
    "NULL",
    "JOIN",
    "ON",
    "UNION",
    "ALL",
    "CREATE",
    "REPLACE",
    "MACRO",
    "TABLE",
    "LAMBDA",
    "OVER",
    "PARTITION",
    "DISTINCT",
    "FILTER",
    "USING",
    "IN",
}


def name_of(path: Path) -> str:
    return path.relative_to(SQL).with_suffix("").as_posix()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_is_one_statement_in_house_style(path: Path) -> None:
    text = path.read_text()
    assert len(duckdb.extract_statements(text)) == 1
    assert text.startswith("-- ")
    assert text.endswith(";\n")
    assert all(len(line) <= 88 and line == line.rstrip() for line in text.splitlines())
    assert "\t" not in text
    assert "->" not in text, "the arrow form of lambda is an error in 2.0"
    assert not re.search(r"\bif\(", text), "1.5 finds no such function in a macro that 2.0 stored"
    shouted = [
        token.text
        for token in DuckDB().tokenize(text)
        if token.text in KEYWORDS
        and token.text.isupper()
        and text[token.start : token.end + 1] == token.text
    ]
    assert not shouted


def test_every_macro_file_is_loaded_and_no_other() -> None:
    assert sorted(catalog.MACROS) == sorted(name_of(path) for path in MACRO_FILES)


@pytest.mark.parametrize("path", MACRO_FILES, ids=name_of)
def test_the_header_says_name_and_parameters(path: Path, con: duckdb.DuckDBPyConnection) -> None:
    text = path.read_text()
    assert f"macro custseg.{path.stem}(" in text
    assert re.search(r"^-- in: ", text, re.M)
    assert re.search(r"^-- out: ", text, re.M)
    heading = re.match(rf"-- {path.stem}\(([^)]*)\): ", text)
    assert heading
    ((parameters,),) = con.execute(
        "select distinct parameters from duckdb_functions() "
        "where schema_name = 'custseg' and function_name = $name",
        {"name": path.stem},
    ).fetchall()
    documented = [name for name in re.split(r",\s*", heading[1]) if name]
    assert documented in (parameters, [*parameters[: len(documented) - 1], "..."])


@pytest.mark.parametrize("path", MACRO_FILES, ids=name_of)
def test_relations_are_read_in_the_first_cte_where_none_can_hide_them(path: Path) -> None:
    text = path.read_text()
    signature = re.search(r"macro custseg\.\w+\(([^;]*?)\)\s+as table", text)
    if not signature:
        return
    body = text[signature.end() :]
    parameters = [p.split(":=")[0].strip() for p in signature[1].split(",") if p.strip()]
    relations = [name for name in parameters if name in RELATIONS]
    calls = [
        match.start()
        for relation in relations
        for match in re.finditer(rf"(query_table|custseg\.\w+)\(\s*{relation}\b", body)
    ]
    # but for those named custseg_..., which is a prefix of our own
    cte = r"^(with\s+)?(recursive\s+)?(?!custseg_)\w+ as (not )?(materialized )?\("
    later_ctes = [match.start() for match in re.finditer(cte, body, re.MULTILINE)][1:]
    assert not later_ctes or not calls or max(calls) < min(later_ctes)


def test_the_macros_carry_the_packages_version(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute("select custseg.version()").fetchall() == [(custseg_duck.__version__,)]
