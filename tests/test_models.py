"""Stored models: versions, files, and that what is no model as it was fitted is refused."""

import copy
import json
import math
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custseg_duck
from custseg_duck import InputError, models
from custseg_duck.udfs import arrow, gmm, kmeans, matching
from tests.conftest import make_shop

QUICK: dict[str, Any] = {
    "decision_rules": False, "segment_rules": False, "n_recommendations": 0, "max_length": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def fitted_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with two versions of the model "default", of 2 and of 3 segments, and a mixture."""
    path = tmp_path_factory.mktemp("models") / "shop.duckdb"
    with custseg_duck.connect(path) as con:
        make_shop(con)
        custseg_duck.run("order_lines", con=con, k=2, **QUICK)
        custseg_duck.run("order_lines", con=con, k=3, **QUICK)
        custseg_duck.run(
            "order_lines", con=con, k=2, name="mix", algorithm="gmm", include=["monetary"], **QUICK
        )
    return path


@pytest.fixture
def fitted(fitted_file: Path, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same, to be written to."""
    shutil.copy(fitted_file, tmp_path / "fitted.duckdb")
    with custseg_duck.connect(tmp_path / "fitted.duckdb") as con:
        yield con


def stored(con: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return con.execute("from custseg.models order by name, version").fetchall()


def test_a_version_says_how_it_was_made(fitted: duckdb.DuckDBPyConnection) -> None:
    rows = fitted.execute(
        "select name, version, run_id, n_customers, parameters['k'], versions['duckdb'], "
        "metrics.silhouette between -1 and 1, len(fingerprint), "
        "checksum = custseg.model_checksum(model) from custseg.models order by run_id"
    ).fetchall()
    same = (duckdb.__version__, True, 16, True)
    assert rows == [
        ("default", 1, 1, 60, "2", *same),
        ("default", 2, 2, 60, "3", *same),
        ("mix", 1, 3, 60, "2", *same),
    ]
    fingerprints = fitted.execute("select distinct fingerprint from custseg.models").fetchall()
    assert len(fingerprints) == 1  # of the same lines


def test_customers_are_scored_with_any_version(fitted: duckdb.DuckDBPyConnection) -> None:
    def n_segments(options: str) -> int:
        found = fitted.execute(
            "select count(distinct segment) "
            f"from custseg.score('custseg.customer_features', {options})"
        ).fetchall()
        return int(found[0][0])

    assert n_segments("'default'") == 3
    assert n_segments("'default', model_version := 1") == 2
    assert n_segments("'mix'") == 2
    with pytest.raises(
        duckdb.InvalidInputException,
        match=r"\(default version 1, default version 2, mix version 1\) .* got default version 3",
    ):
        n_segments("'default', model_version := 3")


def test_the_same_run_again_makes_no_version(fitted: duckdb.DuckDBPyConnection) -> None:
    before = stored(fitted)
    custseg_duck.run("order_lines", con=fitted, k=3, **QUICK)
    assert stored(fitted) == before
    assert fitted.execute("select model_version from custseg.runs order by run_id").fetchall() == [
        (1,), (2,), (1,), (2,)
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", ["json", "parquet"])
@pytest.mark.parametrize("name", ["default", "mix"])
def test_a_file_holds_all_of_a_model(
    fitted: duckdb.DuckDBPyConnection, tmp_path: Path, suffix: str, name: str
) -> None:
    path = tmp_path / f"it's a model.{suffix}"
    custseg_duck.export_model(fitted, path, name=name)
    with custseg_duck.connect(tmp_path / "other.duckdb") as other:
        assert custseg_duck.import_model(other, path) == (name, 1)
        assert custseg_duck.import_model(other, path, name='"; drop table x; --') == (
            '"; drop table x; --', 1
        )  # fmt: skip
        assert custseg_duck.import_model(other, path) == (name, 2)
        ((*_, model),) = [row for row in stored(fitted) if row[0] == name][-1:]
        assert [row[-1] for row in stored(other)] == [model] * 3
        query = "select * exclude (name, version, run_id) from custseg.models where name = $name"
        assert (
            other.execute(query, {"name": name}).fetchall()[0]
            == fitted.execute(query, {"name": name}).fetchall()[-1]
        )
        features = fitted.sql("select * exclude (run_name) from custseg.customer_features")
        other.register("theirs", features.to_arrow_table())
        scores = "select customer_id, segment from custseg.score({}, {}) order by all"
        assert (
            other.execute(scores.format("'theirs'", f"'{name}'")).fetchall()
            == fitted.execute(
                scores.format("'custseg.customer_features'", f"'{name}'")
            ).fetchall()
        )  # fmt: skip


def test_the_columns_are_those_of_the_table(fitted: duckdb.DuckDBPyConnection) -> None:
    fitted.execute(
        "create table typed as select "
        + ", ".join(f'null::{kind} as "{name}"' for name, kind in models.COLUMNS.items())
    )
    described = [
        [row[:2] for row in fitted.execute(f"describe {table}").fetchall()]
        for table in ("custseg.models", "typed")
    ]
    assert described[0] == described[1]


def _change(content: dict[str, Any], *place: Any, to: Any) -> None:
    for key in place[:-1]:
        content = content[key]
    content[place[-1]] = to


CHANGES: list[tuple[tuple[Any, ...], Any, str]] = [
    (("model", "components", 0, "center", 0), 9.5, "another checksum"),
    (("model", "components", 0, "n"), 1, "another checksum"),
    (("model", "features", 0, "scale"), 0, "known transform and finite numbers"),
    (("model", "features", 0, "scale"), "__import__('os')", "cannot read"),
    (("model", "features", 0, "name"), "zork", "another checksum"),
    (("model", "version"), 2, "version must be 1, got 2"),
    (("model", "algorithm"), "eval", "algorithm must be kmeans or gmm, got eval"),
    (("model", "components"), [], "at least one segment"),
    (("model", "components", 0, "center"), [1.0], "as long as features"),
    (("model", "components", 0, "center"), None, "every centre must be finite"),
    (("model",), None, "model is NULL"),
    (("checksum",), None, "another checksum"),
    (("histograms", 0, "counts"), [1], "another checksum"),
    (("parameters", "k"), "7", "another checksum"),
    (("name",), "", "another checksum"),
    (("content_checksum",), "0" * 32, "another checksum"),
]


@pytest.mark.parametrize(("place", "value", "message"), CHANGES)
def test_a_file_changed_by_hand_is_refused(
    fitted: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    place: tuple[Any, ...],
    value: Any,
    message: str,
) -> None:
    path = tmp_path / "model.json"
    custseg_duck.export_model(fitted, path)
    content = json.loads(path.read_text())
    _change(content, *place, to=value)
    path.write_text(json.dumps(content))
    before = stored(fitted)
    with pytest.raises(InputError, match=message):
        custseg_duck.import_model(fitted, path)
    assert stored(fitted) == before


FEATURE, COMPONENT = "features", "components"
FINITE = "every feature must have a name, a known transform and finite numbers"
CENTRE, PRECISIONS = "every centre must be finite", "components? .*must have finite precisions"
LENGTH = "every centre must be as long as features"
# what is wrong, and what check_model says of it; None: it is nothing that assigning needs
OF_ANY: list[tuple[tuple[Any, ...], Any, str | None]] = [
    (("algorithm",), None, "algorithm must be kmeans or gmm, got NULL"),
    (("algorithm",), "magic", "algorithm must be kmeans or gmm, got magic"),
    ((FEATURE,), None, "at least one feature"),
    ((FEATURE,), [], "at least one feature"),
    ((COMPONENT,), None, "at least one segment"),
    ((COMPONENT,), [], "at least one segment"),
    ((FEATURE, 1, "name"), "", FINITE),
    ((FEATURE, 1, "name"), None, FINITE),
    ((FEATURE, 0, "transform"), "sqrt", FINITE),
    *(
        ((FEATURE, 1, key), value, FINITE)
        for key in ("center", "scale", "unit", "weight")
        for value in (math.nan, math.inf, None)
    ),
    *(
        ((FEATURE, 1, key), value, FINITE)
        for key in ("scale", "unit", "weight")
        for value in (0.0, -1.0)
    ),
    ((COMPONENT, 1, "center"), None, CENTRE),
    ((COMPONENT, 1, "center"), [0.0], LENGTH),
    ((COMPONENT, 1, "center"), [0.0] * 3, LENGTH),
    ((COMPONENT, 1, "center", 0), math.nan, CENTRE),
    ((COMPONENT, 1, "center", 1), -math.inf, CENTRE),
    ((COMPONENT, 1, "center", 1), None, CENTRE),
]
OF_MIXTURES: list[tuple[tuple[Any, ...], Any, str | None]] = [
    (("covariance_type",), "magic", None),
    (("covariance_type",), None, None),
    *(((COMPONENT, 1, "weight"), value, None) for value in (math.nan, 0.0, -1.0, None)),
    ((COMPONENT, 1, "covariance"), [[1.0, 0.0]], None),
    ((COMPONENT, 1, "covariance", 0, 1), math.nan, None),
    ((COMPONENT, 1, "precision_rows"), None, "a mixture must have precisions"),
    ((COMPONENT, 1, "precision_rows"), [[1.0, 0.0]], PRECISIONS),
    ((COMPONENT, 1, "precision_rows"), [[1.0], [0.0]], PRECISIONS),
    ((COMPONENT, 1, "precision_rows"), [[1.0, 0.0, 0.0, 1.0]], PRECISIONS),
    ((COMPONENT, 1, "precision_rows", 1, 0), math.inf, PRECISIONS),
    *(((COMPONENT, 1, "precision_rows", 1, 1), value, None) for value in (0.0, -1.0)),
    ((COMPONENT, 1, "log_offset"), math.nan, PRECISIONS),
    ((COMPONENT, 1, "log_offset"), None, PRECISIONS),
    ((COMPONENT, 1, "shift"), None, PRECISIONS),
    ((COMPONENT, 1, "shift"), [0.0], PRECISIONS),
    ((COMPONENT, 1, "shift", 1), math.nan, PRECISIONS),
]
OF_LABELS: list[tuple[tuple[Any, ...], Any, str]] = [
    (("version",), 2, "version must be 1, got 2"),
    (("version",), None, "version must be 1, got NULL"),
    ((FEATURE, 1, "fill"), math.nan, FINITE),
    ((FEATURE, 1, "name"), "feature_0", "every feature must be there once"),
]


def _fitted_on_noise(algorithm: str) -> dict[str, Any]:
    points = np.random.default_rng(1).normal(size=(200, 2))
    fit = kmeans.fit if algorithm == "kmeans" else gmm.fit
    return fit(points, 2)


def _checked(con: duckdb.DuckDBPyConnection, model: dict[str, Any]) -> str:
    con.register("given", pa.table({"model": arrow.models_as_arrow([model])}))
    ((said,),) = con.execute("select custseg.check_model(model) from given").fetchall()
    return str(said)


@pytest.mark.parametrize("algorithm", ["kmeans", "gmm"])
def test_what_is_wrong_with_a_model_is_told_and_it_is_not_gone_on_from(
    con: duckdb.DuckDBPyConnection, algorithm: str
) -> None:
    whole = _fitted_on_noise(algorithm)
    assert _checked(con, whole) == "ok"
    assert [m.previous_segment for m in matching.match(whole, whole)] == [0, 1]
    for place, value, message in OF_ANY + (OF_MIXTURES if algorithm == "gmm" else []):
        damaged = copy.deepcopy(whole)
        _change(damaged, *place, to=value)
        for pair in ((damaged, whole), (whole, damaged)):
            with pytest.raises(ValueError, match=r"must be a fitted model") as told:
                matching.match(*pair)
            name = "model" if pair[0] is damaged else "previous"
            assert str(told.value).startswith(f"{name} must"), place
        if message:
            assert re.search(message, _checked(con, damaged)), (place, value)
    for place, value, message in OF_LABELS:
        damaged = copy.deepcopy(whole)
        _change(damaged, *place, to=value)
        assert re.search(message, _checked(con, damaged)), (place, value)


def test_departments_tell_features_of_one_name_apart(con: duckdb.DuckDBPyConnection) -> None:
    model = _fitted_on_noise("kmeans")
    for feature, department in zip(model["features"], ("a", "b"), strict=True):
        feature |= {"name": "share", "department": department}
    assert _checked(con, model) == "ok"
    model["features"][1]["department"] = "a"
    assert _checked(con, model) == "every feature must be there once"


def test_k_means_has_no_precisions(con: duckdb.DuckDBPyConnection) -> None:
    model = _fitted_on_noise("kmeans")
    model["components"][1]["precision_rows"] = [[1.0, 0.0], [0.0, 1.0]]
    assert _checked(con, model) == "a mixture must have precisions, K-Means must not"


@pytest.mark.parametrize("call", ["assign", "distances", "probabilities", "log_densities"])
def test_a_damaged_model_is_in_no_other_models_way(
    fitted: duckdb.DuckDBPyConnection, call: str
) -> None:
    found = (
        f"select custseg.{call}(model, [r::double]) from custseg.models, range(3) as r (r) "
        "where name = 'mix' order by r"
    )
    before = fitted.execute(found).fetchall()
    fitted.execute(  # in one table with it, so that both are read at once
        "create or replace table custseg.models as from custseg.models union all by name "
        "select 'damaged' as name, struct_update(model, "
        "components := list_transform(model.components, lambda one: struct_update(one, "
        "center := [null::double], shift := [null::double], precision_rows := [[null::double]]"
        "))) as model, * exclude (name, model) from custseg.models where name = 'mix'"
    )
    assert fitted.execute(found).fetchall() == before


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_a_damaged_file_is_refused_or_whole(
    fitted: duckdb.DuckDBPyConnection, tmp_path: Path, suffix: str
) -> None:
    path, damaged = tmp_path / f"model.{suffix}", tmp_path / f"damaged.{suffix}"
    custseg_duck.export_model(fitted, path)
    ((*_, model),) = stored(fitted)[1:2]
    content = path.read_bytes()
    n_refused = 0
    for i in range(60):
        place = i * len(content) // 60
        changed = bytearray(content)
        changed[place] ^= 1 << i % 7
        damaged.write_bytes(changed)
        try:
            name, version = custseg_duck.import_model(fitted, damaged, name=f"copy {i}")
        except InputError:
            n_refused += 1
            continue
        # what was hit says nothing, as some of Parquet's own statistics
        found = fitted.execute(
            "select model, parameters['k'] from custseg.models where name = $1 and version = $2",
            [name, version],
        ).fetchall()
        assert found == [(model, "3")]
    assert n_refused > 30
    damaged.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"cannot read .*damaged"):
        custseg_duck.import_model(fitted, damaged)


def test_wrong_files_and_names_are_refused(
    fitted: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"must end in .parquet or .json, got model.pkl"):
        custseg_duck.import_model(fitted, "model.pkl")
    with pytest.raises(InputError, match="must end in"):
        custseg_duck.export_model(fitted, tmp_path / "model.csv")
    with pytest.raises(InputError, match=r"cannot read .*nowhere.json"):
        custseg_duck.import_model(fitted, tmp_path / "nowhere.json")
    with pytest.raises(InputError, match="got zork"):
        custseg_duck.export_model(fitted, tmp_path / "model.json", name="zork")
    assert not (tmp_path / "model.json").exists()
    with pytest.raises(InputError, match=r"cannot write .*no/such/folder"):
        custseg_duck.export_model(fitted, tmp_path / "no/such/folder/model.json")
    (tmp_path / "two.json").write_text("")
    with pytest.raises(InputError, match="must hold one model, got 0"):
        custseg_duck.import_model(fitted, tmp_path / "two.json")
    custseg_duck.export_model(fitted, tmp_path / "one.parquet")
    one = pq.read_table(tmp_path / "one.parquet")
    pq.write_table(one.drop_columns(["checksum"]), tmp_path / "less.parquet")
    with pytest.raises(InputError, match=r"cannot read .*checksum"):
        custseg_duck.import_model(fitted, tmp_path / "less.parquet")
    with (
        custseg_duck.connect() as other,
        pytest.raises(InputError, match="must have models, got none"),
    ):
        custseg_duck.export_model(other, tmp_path / "model.json")
    fitted.execute("set enable_external_access = false")
    with pytest.raises(InputError, match=r"cannot read .*disabled"):
        custseg_duck.import_model(fitted, tmp_path / "one.parquet")


def test_versions_are_dropped(fitted: duckdb.DuckDBPyConnection) -> None:
    assert custseg_duck.drop_model(fitted, name="default", version=1) == 1
    with pytest.raises(InputError, match=r"\(default version 2, mix version 1\), got default ver"):
        custseg_duck.drop_model(fitted, name="default", version=1)
    assert custseg_duck.drop_model(fitted, name="mix") == 1
    assert [row[:2] for row in stored(fitted)] == [("default", 2)]
    assert fitted.execute(
        "select count(*) from custseg.segments where run_name = 'mix'"
    ).fetchall() == [(60,)]


def test_target_lists_are_written(fitted: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    fitted.execute(
        "update custseg.segment_labels set label = 'Gold' where run_name = 'default' "
        "and segment = 1"
    )
    sizes = dict(
        fitted.execute(
            "select segment, n_customers from custseg.segment_summary where run_name = 'default'"
        ).fetchall()
    )
    path = tmp_path / "targets.csv"
    assert custseg_duck.export_targets(fitted, path, segments=["Gold", 2]) == sizes[1] + sizes[2]
    found = fitted.execute(
        f"select label, count(*), count(distinct segment) from '{path}' group by 1 order by 2 desc"
    ).fetchall()
    assert ("Gold", sizes[1], 1) in found
    assert custseg_duck.export_targets(fitted, tmp_path / "all.parquet", name="mix") == 60
    with pytest.raises(InputError, match=r"labels or numbers of segments of the run, got \[Lead\]"):
        custseg_duck.export_targets(fitted, path, segments=["Lead"])
    with pytest.raises(InputError, match=r"must end in .csv or .parquet, got x.xlsx"):
        custseg_duck.export_targets(fitted, "x.xlsx")
    with pytest.raises(InputError, match=r"must be that of a run \(.*\), got 'nope'"):
        custseg_duck.export_targets(fitted, path, name="nope")


def test_models_of_ones_own_need_a_name_and_a_model_alone(
    shop: duckdb.DuckDBPyConnection,
) -> None:
    custseg_duck.run("order_lines", con=shop, k=3)
    shop.execute("create table mine as select 'mine' as name, model from custseg.models")
    scored = "select customer_id, segment from custseg.score('custseg.customer_features', "
    assert shop.execute(f"{scored}'mine', models := 'mine') order by all").fetchall() == (
        shop.execute(f"{scored}'default') order by all").fetchall()
    )
    shop.execute("insert into mine from mine")
    with pytest.raises(duckdb.InvalidInputException, match="and name one version, got mine"):
        shop.execute(f"{scored}'mine', models := 'mine')")
