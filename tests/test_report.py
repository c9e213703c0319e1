"""The report: what is on the page, whether its numbers are those of the tables, and its safety."""

from __future__ import annotations

import importlib.util
import itertools
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

import custseg_duck
from custseg_duck import colours, reporting
from custseg_duck.cli import main
from custseg_duck.reporting import page as pages
from custseg_duck.reporting.figures import inlined
from custseg_duck.reporting.notes import changed_options
from custseg_duck.reporting.words import money, share, short, times
from tests.reports import HOSTILE, KINDS, LONG, RIGHT_TO_LEFT, Page

ALWAYS = {"in_short", "segments", "heat_map", "choice_of_k", "notes", "glossary"}
OF_LINES = {"size", "projection", "rules", "offers"}
SECTIONS = {
    "full": {*ALWAYS, *OF_LINES, "rfm", "migration"},
    "twenty": {*ALWAYS, *OF_LINES, "rfm", "segment_rules"},
    "bare": {*ALWAYS, *OF_LINES},
    "features": {*ALWAYS, "projection"},
    "one segment": {*ALWAYS, "projection"},
    "one customer": {*ALWAYS, "rules"},
}
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "nav", "section"),
    *("article", "div", "p", "ul", "li", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "a", "bdi"),
    *("span", "strong", "code", "figure", "figcaption"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("svg", "g", "path", "rect", "line", "text", "tspan", "defs", "clippath"),
}


@pytest.fixture
def full(shops: dict[str, Path], tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the full shop's database."""
    shutil.copy(shops["full"], tmp_path / "full.duckdb")
    with duckdb.connect(str(tmp_path / "full.duckdb")) as con:
        yield con


def read(written: dict[str, Path], kind: str) -> Page:
    return Page(written[kind].read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_sections_are_those_that_there_are_data_for(
    written: dict[str, Path], kind: str
) -> None:
    page = read(written, kind)
    assert set(page.sections) == SECTIONS[kind]
    order = [section.name for section in pages.SECTIONS]
    assert page.sections == ["in_short", *(name for name in order if name in page.sections)]
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert links == [f"#{name}" for name in page.sections[1:]]


def test_what_is_missing_is_said_in_a_sentence(written: dict[str, Path]) -> None:
    said = {kind: read(written, kind).of("p") for kind in KINDS}
    assert "The number of segments, 20, was given." in said["twenty"]
    no_amounts = "The order lines have no amounts, so there is no revenue to compare with."
    assert no_amounts in said["bare"]
    assert no_amounts not in said["twenty"]
    nothing = "Nothing was found that is bought together in enough orders"
    assert any(text.startswith(nothing) for text in said["one customer"])
    assert not any(text.startswith(nothing) for text in (*said["full"], *said["features"]))
    one = "All customers are in one segment, so nothing sets it apart."
    assert [kind for kind in KINDS if one in said[kind]] == ["one segment", "one customer"]


def test_what_a_refresh_kept_was_not_given(full: duckdb.DuckDBPyConnection) -> None:
    custseg_duck.refresh(con=full, as_of="2024-03-25")
    page = Page(pages.page(full, "default"))
    assert "The number of segments, 3, is that of the run before." in page.of("p")


def test_figures_at_the_top_are_those_of_the_run(
    written: dict[str, Path], shops: dict[str, Path]
) -> None:
    page = read(written, "full")
    with duckdb.connect(str(shops["full"]), read_only=True) as con:
        ((customers, orders, revenue, kept),) = con.execute(
            "select n_customers, (select sum(n_orders) from custseg.segment_summary), "
            "(select sum(revenue) from custseg.segment_summary), n_lines_kept / n_lines "
            "from custseg.runs order by run_id desc limit 1"
        ).fetchall()
    shown = dict(zip(page.of("dt")[:5], page.of("dd")[:5], strict=True))
    assert shown == {
        "Customers": f"{customers:,}",
        "Orders": f"{orders:,}",
        "Revenue": f"{revenue:,.0f}",
        "First to last order": "1 Jan 2024 to 13 Mar 2024",  # 72 days: 4 * 9 * 2
        "Order lines kept": f"{kept:.1%}",
    }
    assert read(written, "features").of("dt")[:1] == ["Customers"]
    assert "Orders" not in read(written, "features").of("dt")
    assert "Revenue" not in read(written, "bare").of("dt")


def test_the_sentences_at_the_top_are_of_the_tables(
    written: dict[str, Path], shops: dict[str, Path]
) -> None:
    sentences = [text for text in read(written, "full").of("li") if text.endswith(".")]
    with duckdb.connect(str(shops["full"]), read_only=True) as con:
        ((label, n, part),) = con.execute(
            "select label, n_customers, customer_share from custseg.segment_summary "
            "inner join custseg.segment_labels using (segment) order by n_customers desc limit 1"
        ).fetchall()
        ((moved, both, new),) = con.execute(
            "select sum(n_customers) filter (from_segment <> to_segment), "
            "sum(n_customers) filter (from_segment is not null and to_segment is not null), "
            "coalesce(sum(n_customers) filter (from_segment is null), 0) from custseg.migrations"
        ).fetchall()
        ((confidence, lift),) = con.execute(
            "select confidence, lift from custseg.top_rules order by rule_id limit 1"
        ).fetchall()
    assert sentences[0] == (
        f"The largest of 3 segments is “{label}” (segment 0): {n} of 300 customers, {part:.1%}."
    )
    assert sentences[1].startswith("Most revenue for its size comes from “")
    assert f"{confidence:.1%} also have" in sentences[2]
    assert f"{lift:.1f} times as often" in sentences[2]
    assert sentences[3] == (
        f"Since the run before, {moved} of {both} customers ({moved / both:.1%}) have changed "
        f"their segment{f'; {new} are new' if new else ''}."
    )
    assert "All customers are in one segment." in read(written, "one segment").of("li")


def test_cards_say_what_the_tables_do(written: dict[str, Path], shops: dict[str, Path]) -> None:
    page = read(written, "full")
    with duckdb.connect(str(shops["full"]), read_only=True) as con:
        rows = con.execute(
            "select segment, label, n_customers, n_orders, customer_share, revenue_share "
            "from custseg.segment_summary inner join custseg.segment_labels using (segment) "
            "order by segment"
        ).fetchall()
        traits = con.execute(
            "select count(*) from (select 1 from custseg.centroids where abs(z_score) >= 0.3 "
            "qualify row_number() over (partition by segment order by abs(z_score) desc) <= 3)"
        ).fetchall()[0][0]
        ((description, precision),) = con.execute(
            "select description, precision from custseg.decision_rules where segment = 0"
        ).fetchall()
    assert page.of("h3")[:3] == [f"{segment} {label}" for segment, label, *_ in rows]
    sizes = [f"{customers} customers, {orders:,} orders" for _, _, customers, orders, *_ in rows]
    assert [text for text in page.of("p") if text in sizes] == sizes
    text = page.text
    for *_, customer_share, revenue_share in rows:
        assert f"{customer_share:.1%} of customers" in text
        assert f"{revenue_share:.1%} of revenue" in text
    assert sum("(average " in item for item in page.of("li")) == traits
    assert f"By and large: {description}." in text
    assert f"Of those of whom this is true, {precision:.1%} are in the segment" in text


def test_every_cell_of_the_heat_map_is_of_the_centroids(
    written: dict[str, Path], shops: dict[str, Path]
) -> None:
    ((table,),) = (read(written, "full").tables["heat_map"],)
    with duckdb.connect(str(shops["full"]), read_only=True) as con:
        centroids = con.execute(
            "select coalesce('share of ' || department, in_words, feature) as words, segment, "
            "custseg.readable(value, feature), z_score "
            "from custseg.centroids left join custseg.feature_words() using (feature)"
        ).fetchall()
    expected = {(words, segment): (value, z) for words, segment, value, z in centroids}
    cells = 0
    for words, *values, _ in table.rows[1:]:
        for segment, cell in enumerate(values):
            value, z_score = expected[words, segment]
            sign = cell.removeprefix(value)
            assert sign == ("0.0" if abs(z_score) < 0.05 else f"{z_score:+.1f}".replace("-", "−"))  # noqa: RUF001
            cells += 1
    assert cells == len(expected)


def test_rules_are_the_first_ones_of_top_rules(
    written: dict[str, Path], shops: dict[str, Path]
) -> None:
    ((table,),) = (read(written, "full").tables["rules"],)
    with duckdb.connect(str(shops["full"]), read_only=True) as con:
        rules = con.execute(
            "select support_count, confidence, confidence_low, confidence_high, lift "
            "from custseg.top_rules order by rule_id limit 12"
        ).fetchall()
    assert [row[2:] for row in table.rows[1:]] == [
        [f"{n:,}", f"{conf:.1%}", f"{low:.1%} to {high:.1%}", f"{lift:.1f} times as often"]
        for n, conf, low, high, lift in rules
    ]
    named = {cell for row in table.rows[1:] for cell in row[:2]}
    assert "product 0 (0)" in named, "two products are called product 0"


def test_rules_of_segments_are_the_first_ones_of_each(
    written: dict[str, Path], shops: dict[str, Path]
) -> None:
    ((table,),) = (read(written, "twenty").tables["segment_rules"],)
    with duckdb.connect(str(shops["twenty"]), read_only=True) as con:
        rules = con.execute(
            "select support_count, n_customers, confidence, rest_confidence "
            "from custseg.top_segment_rules "
            "qualify row_number() over (partition by segment order by rule_id) <= 3 "
            "order by segment, rule_id"
        ).fetchall()
    assert rules
    assert [row[-4:] for row in table.rows[1:]] == [
        [f"{n:,}", f"{customers:,}", f"{conf:.1%}", f"{rest:.1%}"]
        for n, customers, conf, rest in rules
    ]


def test_offers_are_counted_by_customer(written: dict[str, Path], shops: dict[str, Path]) -> None:
    page = read(written, "full")
    with duckdb.connect(str(shops["full"]), read_only=True) as con:
        counts = con.execute(
            "select count(distinct customer_id) as n from custseg.recommendations "
            "group by kind, item_id "
            "qualify row_number() over (partition by kind order by n desc, item_id) <= 8 "
            "order by kind, n desc, item_id"
        ).fetchall()
        examples = {
            row[0]
            for row in con.execute("select customer_id from custseg.recommendations").fetchall()
        }
    assert [row[-2] for row in page.tables["offers"][0].rows[1:]] == [f"{n:,}" for (n,) in counts]
    customers = [text for text in page.of("h4") if text.startswith("Customer ")]
    assert customers
    assert {int(text.removeprefix("Customer ")) for text in customers} <= examples


def test_moves_are_those_of_migrations(written: dict[str, Path], shops: dict[str, Path]) -> None:
    table, *others = read(written, "full").tables["migration"]
    with duckdb.connect(str(shops["full"]), read_only=True) as con:
        moves = {
            (before, after): f"{n:,}" + ("" if share is None else f"{share:.1%}")
            for before, after, n, share in con.execute(
                "select from_segment, to_segment, n_customers, share from custseg.migrations"
            ).fetchall()
        }
        drifted = con.execute(
            "select count(*) from custseg.feature_drift where level in ('moderate', 'large')"
        ).fetchall()[0][0]
    shown = {
        (None if row[0] == "new" else int(row[0].split()[0]), after): cell
        for row in table.rows[2:]
        for after, cell in enumerate(row[1:])
        if cell
    }
    assert shown == moves
    assert drifted
    assert others[0].caption == "Features that have drifted the most"


def test_lines_and_options_are_those_of_the_run(
    written: dict[str, Path], shops: dict[str, Path]
) -> None:
    page = read(written, "full")
    with duckdb.connect(str(shops["full"]), read_only=True) as con:
        lines = con.execute(
            "select if(is_kept, 'kept', 'left out'), reason, n_lines, amount "
            "from custseg.line_counts order by is_kept desc, n_lines desc, reason"
        ).fetchall()
    assert page.tables["notes"][0].rows[1:] == [
        [kept, reason, f"{n:,}", f"{amount:,.0f}"] for kept, reason, n, amount in lines
    ]
    assert ["left out", "at or after as_of"] in [row[:2] for row in page.tables["notes"][0].rows]
    assert any("k = auto, as_of = 2024-03-20." in text for text in page.of("p"))
    assert any("All options" in text or "k = 3" in text for text in read(written, "bare").of("p"))


def test_options_are_changed_if_they_are_not_the_defaults() -> None:
    usual = {"k": "8", "seed": "0", "max_length": "3", "columns": "{}", "name": "mine"}
    changed = changed_options({**usual, "k": "auto"})
    assert changed["k"] == "auto"
    assert "seed" not in changed
    assert "columns" not in changed
    assert "name" not in changed
    del usual["max_length"]  # as None is recorded
    assert changed_options(usual)["max_length"] == "none"


@pytest.mark.parametrize("kind", [*KINDS, "hostile"])
def test_nothing_on_a_page_leads_elsewhere(written: dict[str, Path], kind: str) -> None:
    text = written[kind].read_text(encoding="utf-8")
    for pattern in ("://", "src=", "@import", "<script", "<link", "<iframe", "<object", "xlink"):
        assert pattern not in re.sub(r"&lt;script", "", text), pattern
    assert all(found.startswith("#f") for found in re.findall(r"url\(([^)]*)\)", text))
    page = Page(text)
    assert {tag for tag, _ in page.elements} <= TAGS
    for _, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("href", "#").startswith("#")  # type: ignore[union-attr]
    policies = [
        attributes["content"] for _, attributes in page.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]  # fmt: skip
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_names_are_texts_whatever_is_in_them(written: dict[str, Path]) -> None:
    page = read(written, "hostile")
    assert page.of("h1") == [HOSTILE]
    assert page.of("title") == [HOSTILE]
    assert page.of("h3")[:3] == [f"0 {HOSTILE}", f"1 {RIGHT_TO_LEFT}", f"2 {short(LONG, 120)}"]
    assert HOSTILE in [text for row in page.tables["rfm"][0].rows for text in row]
    rules = [cell for row in page.tables["rules"][0].rows for cell in row]
    assert any(cell.startswith(HOSTILE) for cell in rules)
    assert any(cell.endswith("…") for cell in rules)
    assert HOSTILE in page.of("li")  # a note
    text = written["hostile"].read_text(encoding="utf-8")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e]", text)
    labels = [attributes["aria-label"] for tag, attributes in page.elements if tag == "svg"]
    assert any(HOSTILE in (label or "") for label in labels)


@pytest.mark.parametrize("kind", [*KINDS, "hostile"])
def test_a_page_is_in_order_for_readers_of_all_kinds(written: dict[str, Path], kind: str) -> None:
    page = read(written, kind)
    assert page.elements[0] == ("html", {"lang": "en"})
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    for tables in page.tables.values():
        for table in tables:
            assert table.caption
            assert len({len(row) for row in table.rows if row}) <= 3
    for tag, attributes in page.elements:
        if tag == "th":
            assert attributes["scope"] in ("col", "row", "colgroup", "rowgroup")
        if tag == "svg":
            assert attributes["role"] == "img"
            assert len(attributes["aria-label"] or "") > 20
        if attributes.get("class") == "scroll":
            assert attributes["tabindex"] == "0"
            assert attributes["aria-label"]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    text = written[kind].read_text(encoding="utf-8")
    assert {found[1:] for found in re.findall(r"url\((#[^)]*)\)", text)} <= set(ids)


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(colour: str, background: str) -> float:
    """Contrast ratio, WCAG 2.2."""
    dark, light = sorted((luminance(colour), luminance(background)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_what_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_texts_can_be_read_on_every_colour_of_a_scale() -> None:
    small = re.search(r"\.heat \.z \{[^}]*color: (#\w+)", str(pages.style()))
    assert small is not None
    for step in range(-20, 21):
        for background in (
            colours.diverging(step / 10, 2), colours.sequential(abs(step) / 20, 1)
        ):  # fmt: skip
            assert contrast(colours.INK, background) >= 4.5
            assert contrast(small[1], background) >= 4.5
    assert colours.diverging(2, 2) == colours.ABOVE
    assert colours.diverging(-3, 2) == colours.BELOW
    assert colours.diverging(0, 0) == colours.MIDDLE == colours.sequential(0, 1)


def test_segments_look_different_by_colour_and_shape() -> None:
    assert len({colours.of_segment(segment) for segment in range(42)}) == 42
    assert len({colours.of_segment(segment)[0] for segment in range(7)}) == 7


def test_a_page_is_the_same_for_other_threads_and_orders_of_rows(
    full: duckdb.DuckDBPyConnection,
) -> None:
    before = pages.page(full, "default")
    tables = full.execute(
        "select table_name from duckdb_tables() where schema_name = 'custseg'"
    ).fetchall()
    for (table,) in tables:
        full.execute(f"create temp table mixed as from custseg.{table} as t order by md5(t::text)")
        full.execute(f"delete from custseg.{table}")
        full.execute(f"insert into custseg.{table} from mixed")
        full.execute("drop table mixed")
    full.execute("set threads = 1")
    assert pages.page(full, "default") == before


def test_runs_of_other_names_are_left_alone(full: duckdb.DuckDBPyConnection) -> None:
    before = pages.page(full, "default")
    custseg_duck.run("order_lines", con=full, k=2, name="other <b>")
    page = Page(pages.page(full, "other <b>"))
    assert "run other <b>" in page.of("p")[0]
    assert len([text for text in page.of("h3") if re.match(r"\d ", text)]) == 2
    assert pages.page(full, "default") == before


def test_a_result_writes_its_report(shop: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    result = custseg_duck.run("order_lines", con=shop, k=2, name="mine")
    path = result.report(str(tmp_path / "Mine.HTML"), title="Ours")
    assert path == tmp_path / "Mine.HTML"
    assert Page(path.read_text(encoding="utf-8")).of("h1") == ["Ours"]
    assert [found.name for found in tmp_path.glob("*.HTML*")] == ["Mine.HTML"]


def test_labels_that_people_gave_are_on_the_page(full: duckdb.DuckDBPyConnection) -> None:
    full.execute("update custseg.segment_labels set label = 'Regulars' where segment = 1")
    full.execute("insert into custseg.segment_labels by name select 'default' as run_name, "
                 "1 as segment, 'Also regulars' as label")  # fmt: skip
    page = Page(pages.page(full, "default"))
    assert "1 Also regulars" in page.of("h3")
    assert len([text for text in page.of("h3") if re.match(r"\d ", text)]) == 3


def test_a_transaction_that_is_open_stays_so(
    full: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    full.execute("begin")
    full.execute("update custseg.segment_labels set label = 'Not yet committed'")
    path = custseg_duck.export_report(full, tmp_path / "report.html")
    assert "Not yet committed" in path.read_text(encoding="utf-8")
    full.execute("rollback")
    path = custseg_duck.export_report(full, tmp_path / "report.html")
    assert "Not yet committed" not in path.read_text(encoding="utf-8")
    full.execute("begin")  # and none was left open
    full.execute("commit")


@pytest.mark.parametrize("name", ["report.pdf", "report", "report.html.txt", ".html"])
def test_a_path_must_end_in_html(
    full: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    with pytest.raises(custseg_duck.InputError, match=r"path must end in \.html, got '.*'"):
        custseg_duck.export_report(full, tmp_path / name)
    assert not list(tmp_path.glob("*report*"))


def test_a_run_must_be_there(
    con: duckdb.DuckDBPyConnection, full: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with pytest.raises(custseg_duck.InputError, match=r"that of a run \(none\), got 'default'"):
        custseg_duck.export_report(con, tmp_path / "report.html")
    with pytest.raises(custseg_duck.InputError, match=r"that of a run \(default\), got 'x'"):
        custseg_duck.export_report(full, tmp_path / "report.html", name="x")
    assert not list(tmp_path.glob("*.html"))


def test_a_page_that_cannot_be_written_leaves_the_old_one(
    full: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(custseg_duck.InputError, match=r"cannot write .*: No such file"):
        custseg_duck.export_report(full, tmp_path / "nowhere" / "report.html")
    path = tmp_path / "report.html"
    path.write_text("the old one", encoding="utf-8")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pages.os, "replace", fail)
    with pytest.raises(custseg_duck.InputError, match=r"cannot write .*: No space left"):
        custseg_duck.export_report(full, path)
    assert path.read_text(encoding="utf-8") == "the old one"
    assert [found.name for found in tmp_path.iterdir() if "html" in found.name] == ["report.html"]


def test_a_missing_extra_is_named(
    full: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        reporting, "find_spec", lambda name: None if name == "jinja2" else found(name)
    )
    with pytest.raises(ImportError, match=r"jinja2.*pip install 'custseg_duck\[report\]'"):
        custseg_duck.export_report(full, tmp_path / "report.html")


def test_an_svg_keeps_its_ids_to_itself_and_is_smaller() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" version="1.1" class="marks" width="9" height="9">'
        '<defs><clipPath id="clip0"><rect x="0.12345" y="1" /></clipPath></defs><g></g>'
        '<g clip-path="url(#clip0)"><path d="M1.98765,2" pointer-events="none" /></g>'
        "<text>a &lt; b</text></svg>"
    )
    assert inlined(svg, "f1-", 'is "it"') == (
        '<svg width="9" height="9" role="img" aria-label="is &quot;it&quot;">'
        '<defs><clipPath id="f1-1"><rect x="0.1" y="1" /></clipPath></defs>'
        '<g clip-path="url(#f1-1)"><path d="M2,2" /></g><text>a &lt; b</text></svg>'
    )


def test_numbers_are_as_people_write_them() -> None:
    assert [money(x) for x in (None, 12.4, 4_596_039.58)] == ["–", "12", "4.60 million"]  # noqa: RUF001
    assert [times(x) for x in (3.44, 9.96, 10.4, 1234.5)] == ["3.4", "10.0", "10", "1,234"]
    assert [share(x) for x in (None, 0.12345, float("nan"))] == ["–", "12.3%", "–"]  # noqa: RUF001
    assert short("x" * 60) == "x" * 60
    assert short("x" * 61) == "x" * 59 + "…"


def test_the_page_on_reports_runs(
    full: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full.close()
    (tmp_path / "full.duckdb").rename(tmp_path / "shop.duckdb")
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parent.parent / "docs" / "report.md").read_text(encoding="utf-8")
    texts = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    first, second, charts = texts
    for text in (first, charts, second):  # the second one is a run without a choice of k
        exec(text, {})
    for suffix in ("png", "svg", "html"):
        assert (tmp_path / f"choice_of_k.{suffix}").stat().st_size > 1000
    assert "cdn" not in (tmp_path / "choice_of_k.svg").read_text(encoding="utf-8")
    assert Page((tmp_path / "report.html").read_text(encoding="utf-8")).of("h1") == [
        "Customer segments"
    ]
    (command,) = re.findall(r"^(custseg-duck .*)$", page, re.MULTILINE)
    done = CliRunner().invoke(main, shlex.split(command)[1:])
    assert done.exit_code == 0, done.output
    assert Page((tmp_path / "report.html").read_text(encoding="utf-8")).of("h1") == [
        "Our customers"
    ]
