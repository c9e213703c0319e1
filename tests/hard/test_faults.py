"""A slice of ``python -m tests.hard faults``, and what was found by it."""

from pathlib import Path

import pytest

from tests.hard import faults
from tests.hard.faults import Fault
from tests.hard.figure import Figure


@pytest.fixture
def trials(prepared: Path, tmp_path: Path) -> faults.Trials:
    figure = Figure(must_be_zero=(faults.HALF, faults.UNCLEAR, faults.SHUT, faults.TRACES))
    return faults.Trials(tmp_path, figure, prepared)


def test_what_goes_wrong_is_told_and_nothing_is_half_written(prepared: Path) -> None:
    figure = faults.tried(4, seed=5, prepared=prepared)
    assert not figure.failures
    assert figure.counts["faults"] == 4
    assert figure.counts["failed"]


LOG_FULL = Fault(
    "the log is full", "File too large", file_size=0, must_fail=True,
    settings=("set checkpoint_threshold = '1TB'",),
)  # fmt: skip
FILE_FULL = Fault(
    "the file is full", "File too large", file_size=0, must_fail=True,
    settings=("set checkpoint_threshold = '1KB'",),
)  # fmt: skip


@pytest.mark.parametrize("fault", [LOG_FULL, FILE_FULL], ids=lambda fault: fault.kind)
def test_the_error_of_the_commit_is_the_one_that_is_told(
    trials: faults.Trials, fault: Fault
) -> None:
    trials.suffer(fault, 0)
    assert not trials.figure.failures
    assert trials.figure.counts["as before"] == 1
    assert trials.steps == {"publish"}
    # DuckDB shuts a database down that it could not write to, but not one whose log is full
    assert trials.figure.counts["connections that refuse"] == (fault is FILE_FULL)


@pytest.mark.parametrize(
    ("work", "target"), [("export_model", "old.parquet"), ("export_targets", "old.csv")]
)
def test_a_file_stays_as_it_was_if_the_new_one_cannot_be_written(
    trials: faults.Trials, work: str, target: str
) -> None:
    fault = Fault("full", "too large", work, target=target, file_size=100, must_fail=True)
    trials.suffer(fault, 0)
    assert not trials.figure.failures
    assert trials.figure.counts["as before"] == 1


def test_macros_that_cannot_be_written_are_an_error_of_ours(trials: faults.Trials) -> None:
    trials.suffer(Fault("full", "too large", "load", "plain", file_size=0, must_fail=True), 0)
    assert not trials.figure.failures
    assert trials.steps == {"load"}


def test_a_source_that_changes_while_it_is_read_is_named(trials: faults.Trials) -> None:
    says = r"^lines, reading \S*/lines\.csv: "
    fault = Fault("overwritten", says, source="lines.csv", at="lines", how="overwrite")
    trials.suffer(fault, 0)
    assert not trials.figure.failures
    assert (trials.figure.counts["failed"], trials.steps) == (1, {"lines"})


def test_the_command_says_it_in_one_line(trials: faults.Trials) -> None:
    trials.suffer(Fault("full", "large", file_size=100, must_fail=True, by_command=True), 0)
    assert not trials.figure.failures
    assert trials.figure.counts["errors of the command"] == 1
