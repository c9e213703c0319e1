"""What came of a call: a right result, a refusal of ours or of DuckDB's, or something wrong."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import duckdb

from custseg_duck.errors import CODES, CustsegError, CustsegWarning
from tests.hard.calling.generating import Call

CRASHES, HANGS = "crashes", "hangs"
FOREIGN, WRONG = "foreign errors", "silent wrong results"
RESULT, OURS, DUCKDB = "results", "refused by custseg_duck", "refused by DuckDB"
MUST_BE_ZERO = (CRASHES, HANGS, FOREIGN, WRONG)

# DuckDB refuses types, names and arguments before any guard of ours runs
_OF_DUCKDB = (
    duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException,
    duckdb.SyntaxException, duckdb.ConversionException, duckdb.OutOfRangeException,
    duckdb.ConstraintException, duckdb.NotImplementedException, duckdb.TypeMismatchException,
    duckdb.IOException, duckdb.InvalidTypeException,
    duckdb.SerializationException,  # of a subquery that is no value
)  # fmt: skip
# Our messages end with a code; DuckDB's own that are of the same class do not
_CODE = re.compile(rf" \[({'|'.join(CODES)})\](\n|$)")
_DUCKDBS_MESSAGE = re.compile(
    r"Error: list_\w+: |First argument of list aggregate must be a list|"
    r"More than one row returned by a subquery|Map keys can not be NULL|"
    r"The first argument to struct_update must be a STRUCT|Failed to parse geometry"
)
_IN_A_UDF = re.compile(r"Python exception occurred while executing the UDF: (\w+)")

# Columns without NULL but in the macros that say otherwise
_NEVER_NULL = {
    "antecedents", "consequents", "confidence", "feature", "item_id", "items", "itemset_id",
    "length", "lift", "n_customers", "n_lines", "n_orders", "p_value", "rank", "rule_id", "score",
    "segment", "support", "support_count",
}  # fmt: skip
_MAY_BE_NULL = {
    ("cluster_metrics", "segment"), ("model_metrics", "segment"), ("segment_summary", "n_orders"),
    ("segment_association", "p_value"), ("segment_profiles", "lift"), ("sequences", "p_value"),
}  # fmt: skip
_SHARE = re.compile(
    r"^(\w*_)?(share|support|confidence|p_value|p_value_\w+|score|fidelity|baseline|hit_rate|mrr|"
    r"coverage|representativity|cramers_v|cramers_v_corrected|hhi|jaccard|cosine|kulczynski)$"
)  # fmt: skip
_SIGNED = {"r_score", "f_score", "m_score", "z_score", "monetary_share", "revenue_share", "share"}
_CORRELATION = re.compile(r"^(silhouette|zhangs_metric|certainty|phi|stability|yules_q)$")
_MAY_BE_INFINITE = {"conviction", "odds_ratio", "hyper_lift"}
_ROUNDING = 1e-9
_OF_MODEL = {"assign", "distances", "log_densities", "probabilities"}
# Values of the caller's own, given back as they came
_THEIRS = {
    "customer_id", "product_id", "order_id", "item_id", "items", "antecedents", "consequents",
    "antecedent", "consequent", "value", "department", "category", "item", "ancestors",
}  # fmt: skip
_THEIR_ROWS = {"order_lines", "classified_lines", "target_list", "with_hierarchy",
               "unrelated_itemsets"}  # fmt: skip


class Outcome(NamedTuple):
    """What came of a call: one of the words above; and of what is wrong what, in words."""

    kind: str
    detail: str = ""


def of_error(call: Call, error: BaseException) -> Outcome:
    """What an error says of a call."""
    shown = f"{type(error).__name__}: {str(error)[:600]}"
    if call.is_python:
        is_ours = isinstance(error, CustsegError | CustsegWarning)
        return Outcome(OURS) if is_ours else Outcome(FOREIGN, shown)
    in_udf = _IN_A_UDF.search(str(error))
    if in_udf and in_udf[1] != "ValueError":
        return Outcome(FOREIGN, shown)
    if isinstance(error, duckdb.InvalidInputException) and _CODE.search(str(error)):
        return Outcome(OURS)
    if isinstance(error, _OF_DUCKDB) or _DUCKDBS_MESSAGE.search(str(error)):
        return Outcome(DUCKDB)
    return Outcome(FOREIGN, shown)


def of_rows(
    call: Call,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    expected: Sequence[str],
    has_null: Callable[[str], bool],
) -> Outcome:
    """What is wrong with a macro's result, if anything is.

    expected : the columns that the macro gives, in small letters; empty where these depend on what
    it reads. has_null : whether the relations of the call have a NULL in the column of a name
    """
    if expected and [column.lower() for column in columns] != expected:
        return Outcome(WRONG, f"columns {columns} instead of {expected}")
    for row in rows:
        by_name = dict(zip(columns, row, strict=True))
        problems = (
            _of_function(call, by_name) if "result" in by_name else _of_row(call, by_name, has_null)
        )
        for problem in problems:
            return Outcome(WRONG, f"{problem}: {str(by_name)[:400]}")
    return Outcome(RESULT)


def _of_row(call: Call, row: Mapping[str, Any], has_null: Callable[[str], bool]) -> Iterator[str]:
    if call.about in _THEIR_ROWS:
        return
    for name, value in row.items():
        if value is None:
            is_key = name in _NEVER_NULL and (call.about, name) not in _MAY_BE_NULL
            if is_key and not has_null(name):
                yield f"{name} is NULL"
        elif name in _THEIRS:
            continue
        elif any(math.isnan(number) for number in _numbers(value)):
            yield f"{name} has NaN"
        elif any(math.isinf(number) for number in _numbers(value)) and name not in _MAY_BE_INFINITE:
            yield f"{name} is infinite"
        elif isinstance(value, float):
            yield from _of_number(name, value)


def _of_number(name: str, value: float) -> Iterator[str]:
    low, high = -math.inf, math.inf
    if name not in _SIGNED and _SHARE.match(name):
        low, high = 0, 1
    elif _CORRELATION.match(name):
        low, high = -1, 1
    if not low - _ROUNDING <= value <= high + _ROUNDING:
        yield f"{name} is not in [{low}, {high}]"


def _numbers(value: Any) -> Iterator[float]:
    """All floats in a value."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _numbers(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _numbers(one)


def _of_function(call: Call, row: Mapping[str, Any]) -> Iterator[str]:
    if row["result"] is None:
        yield from _of_null(call, row.get("nulls"))
    elif call.about != "renumbered":  # its numbers are those of the model that it was given
        yield from _of_result(call, row["result"])


def _of_null(call: Call, nulls: Sequence[bool] | None) -> Iterator[str]:
    """What is wrong with NULL; ``nulls`` says which of the arguments are."""
    if not nulls or not any(nulls):
        yield "NULL although no argument is"
    elif call.about in _OF_MODEL and not nulls[1]:
        yield "NULL for a model of NULL, which must be an error"
    elif call.about == "check_model":
        yield "NULL of check_model"


def _of_result(call: Call, result: Any) -> Iterator[str]:
    numbers = list(_numbers(result))
    if any(math.isnan(number) for number in numbers):
        yield "NaN"
    if any(math.isinf(number) for number in numbers) and call.about != "hyper_lift":
        yield "infinite"
    if call.about in ("fisher_p_value", "normal_tail") and not 0 <= result <= 1:
        yield "not in [0, 1]"
    if call.about in ("distances", "hyper_lift") and any(number < 0 for number in numbers):
        yield "below 0"
    if call.about == "probabilities" and abs(sum(numbers) - 1) > _ROUNDING:
        yield "not adding up to 1"
    if call.about in _OF_MODEL and isinstance(result, list) and None in result:
        yield "NULL within"
    if call.about == "assign" and result < 0:
        yield "below 0"
