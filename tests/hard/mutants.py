"""Whether the tests notice what is changed: one small change at a time, in a copy of the tree.

Each changed file has the tests that are about it; a change that they all pass with has survived:
it is equivalent, costs time only, or a test is missing. docs/mutants.md says which.
"""

import ast
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise, zip_longest
from pathlib import Path

from tests.hard.figure import Figure

PROMISED = 150
KILLED, SURVIVED = "killed", "survived, each told of in [mutants.md](mutants.md)"
LEAST_SECONDS = 60  # and five times what the tests take of the file as it is
PYTEST = (
    sys.executable,
    "-m",
    "pytest",
    "-x",
    "-q",
    "-p",
    "no:cacheprovider",
    "--hypothesis-seed=0",
)
ROOT = Path(__file__).parent.parent.parent
COPIED = ("custseg_duck", "sql", "udfs", "tests", "docs", "examples", "pyproject.toml", "README.md")

# the tests that are about a file: files of tests, and single ones
KMEANS, GMM, RULES = "tests/test_kmeans.py", "tests/test_gmm.py", "tests/test_rules.py"
MODELS, PLOT, REFRESH = "tests/test_models.py", "tests/test_plot.py", "tests/test_refresh.py"
SWEEP, TREE = "tests/test_sweep.py", "tests/test_tree.py"
MATCHES = tuple(
    f"{REFRESH}::test_{name}"
    for name in (
        "matches_are_the_least_of_all_assignments",
        "centres_on_other_scales_are_compared_in_their_own_unit",
        "a_refit_is_lloyds_from_the_centres_before",
        "a_mixture_goes_on_from_where_it_was",
        "a_recentred_model_assigns_alike",
        "the_sql_door_matches_and_renumbers",
        "a_refresh_keeps_numbers_and_tells_who_moved",
        "more_segments_come_after_those_that_were_there",
    )
)
P_VALUES = tuple(
    f"{RULES}::test_{name}"
    for name in (
        "p_values_of_all_small_tables_are_exact",
        "p_values_of_large_tables_are_those_of_scipy",
        "p_values_where_nothing_is_left_to_chance",
        "the_more_orders_hold_both_the_smaller_the_p_value",
        "a_p_value_of_an_unknown_count_is_unknown",
        "counts_are_taken_up_to_their_bounds_and_no_further",
    )
)
HYPER_LIFTS = (
    f"{RULES}::test_hyper_lift_is_by_the_quantile_of_scipy",
    f"{RULES}::test_a_quantile_that_is_reached_exactly_counts",
    f"{RULES}::test_a_hyper_lift_of_an_unknown_count_is_unknown",
    f"{RULES}::test_counts_are_taken_up_to_their_bounds_and_no_further",
)
NORMAL_TAIL = f"{RULES}::test_the_normal_tail_is_that_of_scipy"
SCORING = (
    f"{KMEANS}::test_sql_and_udf_assign_alike",
    f"{KMEANS}::test_each_row_is_assigned_by_its_own_model",
    f"{KMEANS}::test_null_features_have_no_segment",
    f"{KMEANS}::test_assign_refuses_what_does_not_fit",
    f"{GMM}::test_sql_scores_like_scikit_learn",
    f"{GMM}::test_scoring_refuses_what_does_not_fit",
)
WHOLE_MODELS = (
    f"{MODELS}::test_what_is_wrong_with_a_model_is_told_and_it_is_not_gone_on_from",
    f"{MODELS}::test_departments_tell_features_of_one_name_apart",
    f"{MODELS}::test_k_means_has_no_precisions",
    f"{KMEANS}::test_check_model_says_what_is_wrong",
)
MESSAGES = "tests/test_error_texts.py::test_a_message_is_got_and_says"

TESTS: dict[str, tuple[str, ...]] = {
    "udfs/arrow.py": (
        *SCORING, f"{KMEANS}::test_group_by_gives_one_model_per_group",
        f"{KMEANS}::test_fit_refuses_what_it_cannot_do",
        f"{KMEANS}::test_fit_refuses_an_empty_table",
        f"{GMM}::test_group_by_gives_one_mixture_per_group",
        f"{SWEEP}::test_a_sweep_says_what_a_fit_says",
        f"{SWEEP}::test_a_sweep_refuses_what_it_cannot_do", *MATCHES, TREE, MESSAGES,
    ),
    "udfs/assign.py": (*SCORING, MESSAGES),
    "udfs/gmm.py": (GMM, *MATCHES),
    "udfs/kmeans.py": (KMEANS, *MATCHES),
    "udfs/matching.py": MATCHES,
    "udfs/model.py": (*WHOLE_MODELS, KMEANS, *MATCHES),
    "udfs/points.py": (KMEANS, GMM),
    "udfs/projection.py": (f"{PLOT}::test_principal_components_are_those_of_scikit_learn",
        f"{PLOT}::test_components_by_hand", f"{PLOT}::test_components_need_finite_points",
        f"{PLOT}::test_components_of_points_that_hardly_differ"),
    "udfs/sweep.py": (SWEEP, MESSAGES),
    "udfs/tree.py": (TREE,),
    "udfs/tree_text.py": (TREE,),
    "sql/baskets/association_rules.sql": (RULES,),
    "sql/baskets/fisher_p_value.sql": (*P_VALUES, MESSAGES),
    "sql/baskets/hyper_lift.sql": (*HYPER_LIFTS, MESSAGES),
    "sql/baskets/hypergeometric_tail.sql": (*P_VALUES, *HYPER_LIFTS),
    "sql/baskets/measured_rules.sql": (RULES,),
    "sql/baskets/normal_tail.sql": (NORMAL_TAIL, MESSAGES),
    "sql/baskets/rule_improvements.sql": (RULES,),
    "sql/segments/assign.sql": (*SCORING, MESSAGES),
    "sql/segments/check_model.sql": WHOLE_MODELS,
    "sql/segments/distances.sql": (*SCORING, MESSAGES),
    "sql/segments/log_densities.sql": (*SCORING, MESSAGES),
    "sql/segments/probabilities.sql": (*SCORING, MESSAGES),
}  # fmt: skip

# of these only what is left after all the others is tried: they are most of the time
SLOW = (
    f"{KMEANS}::test_beyond_the_sample_any_number_of_threads_gives_the_same_bits",
    f"{GMM}::test_any_number_of_threads_gives_the_same_bits",
    f"{SWEEP}::test_candidates_stay_with_their_run",
    f"{SWEEP}::test_run_finds_the_planted_customers",
    f"{SWEEP}::test_run_says_that_there_are_no_segments",
    f"{TREE}::test_any_name_and_text_reads_back",
    f"{TREE}::test_the_complete_journey_in_a_plain_process",
    f"{TREE}::test_the_sql_does_what_the_tree_says_in_a_plain_process",
    MESSAGES,
)

SWAPPED = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "=": "<>", "<>": "=",
    "is": "is not", "is not": "is", "in": "not in", "not in": "in",
    "+": "-", "-": "+", "*": "/", "/": "*", "//": "*", "**": "*", "%": "*",
    "and": "or", "or": "and", "min": "max", "max": "min", "minimum": "maximum",
    "maximum": "minimum", "argmin": "argmax", "argmax": "argmin", "least": "greatest",
    "greatest": "least", "list_min": "list_max", "list_max": "list_min", "asc": "desc",
    "desc": "asc",
}  # fmt: skip
EXTREMES = {"min", "max", "minimum", "maximum", "argmin", "argmax", "least", "greatest"}


@dataclass(frozen=True)
class Change:
    """Other text for some of a file's: from ``start`` to ``end``, in characters."""

    file: str
    kind: str
    start: int
    end: int
    after: str

    def __str__(self) -> str:
        text = (ROOT / self.file).read_text(encoding="utf-8")
        line = text.count("\n", 0, self.start) + 1
        column = self.start - text.rfind("\n", 0, self.start)
        before = " ".join(text[self.start : self.end].split())
        return f"{self.file}:{line}:{column}: {before} -> {self.after.strip() or '(nothing)'}"

    def of(self, text: str) -> str:
        """The file's text with the change."""
        return text[: self.start] + self.after + text[self.end :]


def tried(n: int, *, seed: int) -> Figure:
    """Survivors are no failures: which one is, only a person can say."""
    figure = Figure(Counter({"changes": 0, KILLED: 0, SURVIVED: 0}))
    kinds: dict[str, list[bool]] = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder) / "tree")
        for change in chosen(n, seed):
            kinds.setdefault(change.kind, []).append(try_change(figure, copy, change))
    shares = [f"{kind} {sum(found)} of {len(found)}" for kind, found in sorted(kinds.items())]
    figure.notes.append(f"killed by kind: {', '.join(shares)}")
    return figure


def try_change(figure: Figure, copy: "Copy", change: Change) -> bool:
    """Whether the tests notice; tell of a change that survives at once."""
    is_noticed = copy.notices(change, TESTS[change.file])
    figure.counts["changes"] += 1
    figure.counts[KILLED if is_noticed else SURVIVED] += 1
    if not is_noticed:
        sys.stdout.write(f"survived: {change}\n")
        sys.stdout.flush()
    return is_noticed


class Copy:
    """A copy of the tree, for tests to be run in while a file of it is changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.baselines: dict[tuple[str, ...], float] = {}
        self.n_written = 0
        folder.mkdir(parents=True)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                no_caches = shutil.ignore_patterns("__pycache__", "node_modules")
                shutil.copytree(source, folder / name, symlinks=True, ignore=no_caches)
            else:
                shutil.copy(source, folder / name)
        where = self.run([sys.executable, "-c", "import custseg_duck as c; print(c.__file__)"], 60)
        assert where is not None
        assert Path(where[1].strip()).parent.parent.resolve() == folder.resolve(), where

    def notices(self, change: Change, tests: tuple[str, ...]) -> bool:
        """Whether tests that pass as it is fail, or do not end, with the change."""
        return any(self.fails(change, arguments) for arguments in stages(tests))

    def fails(self, change: Change, arguments: tuple[str, ...]) -> bool:
        command = [*PYTEST, *arguments]
        if arguments not in self.baselines:
            began = time.monotonic()
            code, output = self.run(command, 1200) or (-1, "took too long")
            assert code == 0, f"{arguments} fail without any change: {output[-2000:]}"
            self.baselines[arguments] = time.monotonic() - began
        path = self.folder / change.file
        original = path.read_text(encoding="utf-8")
        try:
            self.write(path, change.of(original))
            ended = self.run(command, LEAST_SECONDS + 5 * self.baselines[arguments])
        finally:
            self.write(path, original)
        return ended is None or ended[0] != 0

    def write(self, path: Path, text: str) -> None:
        """Write a file, at a time of its own: Python's caches know a file by time and size."""
        self.n_written += 1
        path.write_text(text, encoding="utf-8")
        os.utime(path, (1_700_000_000 + self.n_written,) * 2)

    def run(self, command: list[str], seconds: float) -> tuple[int, str] | None:
        """The exit code of a command in the copy, and what it printed; None if it took longer."""
        process = subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "PYTHONPATH": str(self.folder)}, start_new_session=True,
        )  # fmt: skip
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        return process.returncode, output


def stages(tests: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The arguments of pytest for what is quick, and for the rest."""
    slow = [test for test in SLOW if test in tests or test.partition("::")[0] in tests]
    yield tuple(test for test in tests if test not in slow) + tuple(
        f"--deselect={test}" for test in slow if test not in tests
    )
    if slow:
        yield tuple(slow)


def chosen(n: int, seed: int) -> list[Change]:
    """Some changes: of each file in turn, and within it of each kind in turn."""
    rng = random.Random(seed)
    of_files = []
    for file in sorted(TESTS):
        kinds: dict[str, list[Change]] = {}
        for change in changes_of(file):
            kinds.setdefault(change.kind, []).append(change)
        of_kinds = [rng.sample(kinds[kind], len(kinds[kind])) for kind in sorted(kinds)]
        rng.shuffle(of_kinds)
        of_files.append(list(in_turn(of_kinds)))
    return list(in_turn(of_files))[:n]


def in_turn(lists: list[list[Change]]) -> Iterator[Change]:
    return (change for change in chain(*zip_longest(*lists)) if change is not None)


def changes_of(file: str) -> Iterator[Change]:
    """All changes that there are of a file."""
    text = (ROOT / file).read_text(encoding="utf-8")
    found = of_python(text) if file.endswith(".py") else of_sql(text)
    for kind, start, end, after in found:
        yield Change(file, kind, start, end, after)


Found = tuple[str, int, int, str]


def of_python(text: str) -> Iterator[Found]:  # noqa: PLR0912
    """By the positions of the syntax tree; annotations and texts are left out."""
    lines = [0, *(found.end() for found in re.finditer("\n", text))]
    assert text.isascii(), "the tree's positions are in bytes"

    def place(node: ast.expr) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            lines[node.lineno - 1] + node.col_offset,
            lines[node.end_lineno - 1] + node.end_col_offset,
        )

    def between(kind: str, left: ast.expr, right: ast.expr, pattern: str) -> Iterator[Found]:
        first, last = place(left)[1], place(right)[0]
        operator = re.search(pattern, text[first:last])
        if operator and operator[0] in SWAPPED:
            start = first + operator.start()
            yield kind, start, start + len(operator[0]), SWAPPED[operator[0]]

    for node in without_annotations_and_texts(ast.parse(text)):
        match node:
            case ast.Compare():
                for left, right in pairwise([node.left, *node.comparators]):
                    yield from between("comparison", left, right, r"is not|not in|\w+|[<>=!]+")
            case ast.BinOp():
                yield from between("arithmetic", node.left, node.right, r"[-+*/%@|&^<>]+")
            case ast.BoolOp():
                for left, right in pairwise(node.values):
                    yield from between("logic", left, right, "and|or")
            case ast.UnaryOp(op=ast.Not()):
                yield "logic", place(node)[0], place(node)[0] + len("not "), ""
            case ast.UnaryOp(op=ast.USub()):
                yield "arithmetic", place(node)[0], place(node)[0] + len("-"), ""
            case ast.Constant(value=bool()):
                yield "constant", *place(node), str(not node.value)
            case ast.Constant(value=int() | float()):
                yield "constant", *place(node), other_number(text[slice(*place(node))])
            case ast.Name(id=name) if name in EXTREMES:
                yield "extreme", *place(node), SWAPPED[name]
            case ast.Attribute(attr=name) if name in EXTREMES:
                end = place(node)[1]
                yield "extreme", end - len(name), end, SWAPPED[name]
            case ast.If(body=[ast.Raise(), *_]):
                yield "guard", *place(node.test), "False"
            case ast.If() | ast.IfExp():
                yield "branch", *place(node.test), "False"
            case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
                yield "result", *place(value), "None"


def without_annotations_and_texts(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns", "decorator_list"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                    yield from without_annotations_and_texts(child)


def other_number(written: str) -> str:
    """One more of a whole number; of another one twice as much, or 1 for 0."""
    if re.fullmatch(r"[\d_]+|0x[0-9A-Fa-f]+", written):
        return str(int(written, 0) + 1)
    return repr(float(written) * 2 or 1.0)


SQL_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*)|(?P<text>'(?:[^']|'')*')|(?P<number>\d[\d.]*(?:e-?\d+)?)"
    r"|(?P<word>[a-zA-Z_$]\w*)|(?P<operator>:=|::|<=|>=|<>|\|\||[^\s\w])"
)
OPERANDS_END = {")", "]"}
NO_OPERANDS = {
    "select", "when", "then", "else", "and", "or", "not", "in", "by", "case", "between", "where",
    "on", "as", "limit",
}  # fmt: skip


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int


def of_sql(text: str) -> Iterator[Found]:  # noqa: PLR0912
    """By tokens outside comments and texts, from the end of the macro's parameters on."""
    tokens = [
        Token(str(found.lastgroup), found[0], *found.span())
        for found in SQL_TOKEN.finditer(text)
        if found.lastgroup != "comment"
    ]
    first = next(
        i for i in range(len(tokens)) if [t.text for t in tokens[i - 1 : i + 1]] == [")", "as"]
    )
    betweens = 0
    for i in range(first + 1, len(tokens)):
        token, before, after = tokens[i], tokens[i - 1], tokens[min(i + 1, len(tokens) - 1)]
        place = token.start, token.end
        follows_operand = before.text in OPERANDS_END or (
            before.kind in ("number", "word", "text") and before.text not in NO_OPERANDS
        )
        match token.kind, token.text:
            case "number", number:
                yield "constant", *place, other_number(number)
            case _, "<" | "<=" | ">" | ">=" | "=" | "<>":
                yield "comparison", *place, SWAPPED[token.text]
            case _, "+" | "/":
                yield "arithmetic", *place, SWAPPED[token.text]
            case _, "*" if follows_operand and after.text not in (",", ")"):
                yield "arithmetic", *place, "/"
            case _, "-":
                yield "arithmetic", *place, "+" if follows_operand else ""
            case _, "between":
                betweens += 1
            case _, "and" if betweens:
                betweens -= 1
            case _, "and" | "or":
                yield "logic", *place, SWAPPED[token.text]
            case _, "not":
                yield "logic", token.start, after.start, ""
            case _, "true" | "false":
                yield "constant", *place, "false" if token.text == "true" else "true"
            case _, "asc" | "desc":
                yield "order", *place, SWAPPED[token.text]
            case _, "least" | "greatest" | "min" | "max" | "list_min" | "list_max":
                if after.text == "(":
                    yield "extreme", *place, SWAPPED[token.text]
            case _, "when":
                end = condition_end(tokens, i + 1, "then")
                is_guard = tokens[end + 1].text == "error"
                kind = "guard" if is_guard else "branch"
                yield kind, tokens[i + 1].start, tokens[end - 1].end, "false"
            case _, "require" if after.text == "(":
                end = condition_end(tokens, i + 2, ",")
                yield "guard", tokens[i + 2].start, tokens[end - 1].end, "true"


def condition_end(tokens: list[Token], i: int, last: str) -> int:
    """Where what follows a condition is, outside all brackets and cases within it."""
    depth = 0
    while depth or tokens[i].text != last:
        depth += tokens[i].text in ("(", "[", "{", "case")
        depth -= tokens[i].text in (")", "]", "}", "end")
        i += 1
    return i
