"""A tree in words: names, numbers and conditions in SQL, and the same in English.

What is written here is what was measured: every number is a decimal that reads back as the same
double, and every comparison is one of doubles, or of numbers for which that makes no difference.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal, localcontext
from typing import Any

import numpy as np

from custseg_duck.udfs.points import Floats

EXACT_DIGITS = 15  # decimals of so many digits and doubles are one to one
MOST_ZEROS = 4  # after the point, before a number is written with an exponent
LINE = 88

# words that are no names in DuckDB, or elsewhere
KEYWORDS = frozenset({
    "all", "analyse", "analyze", "and", "anti", "any", "array", "as", "asc", "asof",
    "asymmetric", "at", "authorization", "between", "bigint", "binary", "bit", "boolean",
    "both", "by", "case", "cast", "char", "character", "check", "coalesce", "collate",
    "collation", "column", "columns", "concurrently", "constraint", "create", "cross",
    "current_catalog", "current_date", "current_role", "current_schema", "current_time",
    "current_timestamp", "current_user", "date", "dec", "decimal", "default", "deferrable",
    "delete", "desc", "describe", "distinct", "do", "drop", "else", "end", "except", "exists",
    "extract", "false", "fetch", "float", "for", "foreign", "freeze", "from", "full",
    "generated", "glob", "grant", "group", "grouping", "grouping_id", "groups", "having",
    "ilike", "in", "index", "initially", "inner", "inout", "insert", "int", "integer",
    "intersect", "interval", "into", "is", "isnull", "join", "key", "keys", "lambda", "lateral",
    "leading", "left", "like", "limit", "localtime", "localtimestamp", "map", "national",
    "natural", "nchar", "none", "not", "notnull", "null", "nullif", "numeric", "of", "offset",
    "on", "only", "or", "order", "out", "outer", "over", "overlaps", "overlay", "pivot",
    "pivot_longer", "pivot_wider", "placing", "position", "positional", "precision", "primary",
    "qualify", "range", "rank", "real", "recursive", "references", "returning", "right",
    "rollup", "row", "rows", "select", "semi", "session_user", "set", "setof", "show",
    "similar", "smallint", "some", "struct", "substring", "summarize", "symmetric",
    "system_user", "table", "tablesample", "then", "time", "timestamp", "to", "trailing",
    "treat", "trim", "true", "try_cast", "tuple", "union", "unique", "unpack", "unpivot",
    "update", "user", "using", "values", "varchar", "variadic", "verbose", "when", "where",
    "window", "with", "xmlattributes", "xmlconcat", "xmlelement", "xmlexists", "xmlforest",
    "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot", "xmlserialize", "xmltable",
})  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A feature as it is written.

    sql : an expression that is not NULL
    name : in English
    fill : what stands for an unknown value; None if all are known
    is_boolean : whether ``sql`` is a condition itself
    """

    sql: str
    name: str
    fill: Decimal | None
    is_boolean: bool


@dataclass(frozen=True)
class Bounds:
    """Above ``low``, where there is one, and at most ``high``."""

    low: Decimal | None = None
    high: Decimal | None = None

    def holds(self, value: Decimal) -> bool:
        """Whether a value is within."""
        return (self.low is None or value > self.low) and (self.high is None or value <= self.high)


Path = dict[int, Bounds]  # of columns, by position


def roundest(low: float, high: float) -> Decimal:
    """A threshold between two neighbouring values: ``low <= x < high``.

    Of the numbers there, the one with the fewest significant digits; of these, the nearest to
    the middle; of two that are as near, the one nearer to 0. It is 0 between a negative and a
    positive number, and whole between whole numbers. It is how a double is written, so that the
    double, too, is within.

    Parameters
    ----------
    low, high : float
        Finite; low < high.
    """
    if low < 0 < high:
        return Decimal(0)
    lowest, highest = Decimal(repr(low)), Decimal(repr(high))
    is_whole = low.is_integer() and high.is_integer()
    with localcontext(Context(prec=50)):
        middle = (lowest + highest) / 2
        for n_digits in range(1, 18):
            # in the decade of the middle; where no multiple fits there, no other decade has one
            step = Decimal(1).scaleb(middle.adjusted() - n_digits + 1)
            if is_whole:
                step = max(step, Decimal(1))
            below = (middle / step).to_integral_value(ROUND_FLOOR) * step
            within = [
                number
                for number in (below, below + step)
                if lowest <= number < highest and Decimal(repr(float(number))) == number
            ]
            if within:
                return min(within, key=lambda number: (abs(number - middle), abs(number)))
    return lowest


def literal(number: Decimal) -> str:
    """A number in SQL; as a double (with an exponent) where a decimal would be read otherwise."""
    digits = number.normalize(Context(prec=50))
    if not number:
        return "0"
    is_short = len(digits.as_tuple().digits) <= EXACT_DIGITS
    if is_short and -MOST_ZEROS <= digits.adjusted() + 1 <= EXACT_DIGITS:
        return format(digits, "f")
    return format(digits, "e")


def identifier(name: str) -> str:
    """A name in SQL: in double quotes, unless it is plain and no keyword."""
    if re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in KEYWORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text in SQL."""
    return "'" + value.replace("'", "''") + "'"


def describe(column: dict[str, Any], values: Floats) -> Column:
    """How to write a feature.

    Parameters
    ----------
    column : dict
        name, department, type, in_words (or None).
    values : ndarray of shape (n_rows,), float64
        NaN where unknown.
    """
    name = identifier(column["name"])
    if column["department"] is not None:
        key = text(column["department"])
        return Column(f"coalesce({name}[{key}], 0)", f"{column['department']} share", None, False)
    known = np.sort(values[~np.isnan(values)])
    if not _is_compared_exactly(column["type"], known):
        name = f"cast({name} as double)"
    fill = None
    if len(known) < len(values):
        fill = near_median(known)
        is_boolean = column["type"] == "BOOLEAN"
        name = f"coalesce({name}, {str(fill > 0).lower() if is_boolean else literal(fill)})"
    return Column(name, column.get("in_words") or column["name"], fill, column["type"] == "BOOLEAN")


def near_median(known: Floats) -> Decimal:
    """The roundest number within the middle tenth of sorted values; 0 of none."""
    n = len(known)
    if n == 0:
        return Decimal(0)
    reach = n // 20
    low, high = float(known[(n - 1) // 2 - reach]), float(known[n // 2 + reach])
    return roundest(low, high) if low < high else Decimal(repr(low))


def _is_compared_exactly(sql_type: str, known: Floats) -> bool:
    """Whether a column beside a decimal is compared as doubles are."""
    decimal = re.fullmatch(r"DECIMAL\(\d+,(\d+)\)", sql_type)
    if decimal and len(known):
        largest = max(-known[0], known[-1])
        return bool(largest < 10.0 ** (EXACT_DIGITS - int(decimal[1])))
    return sql_type != "FLOAT"


def conditions(path: Path, columns: Sequence[Column]) -> list[str]:
    """What a path asks for, in SQL: joined by ``and``, it is never NULL."""
    found = []
    for feature, bounds in path.items():
        column = columns[feature]
        for operator, bound in ((">", bounds.low), ("<=", bounds.high)):
            if bound is None:
                continue
            if column.is_boolean:
                found.append(column.sql if operator == ">" else f"not {column.sql}")
            else:
                found.append(f"{column.sql} {operator} {literal(bound)}")
    return found


def case_expression(steps: Sequence[tuple[Path, int]], columns: Sequence[Column]) -> str:
    """A CASE expression of several lines.

    Parameters
    ----------
    steps : sequence of (path, segment)
        The first one that holds decides; the last one is for all that are left.
    """
    *first, (_, last) = steps
    if not first:
        return str(last)
    lines = ["case"]
    for path, segment in first:
        parts = conditions(path, columns)
        line = f"    when {' and '.join(parts)} then {segment}"
        if len(line) <= LINE or len(parts) == 1:
            lines.append(line)
        else:
            lines += [f"    when {parts[0]}", *(f"        and {part}" for part in parts[1:])]
            lines.append(f"    then {segment}")
    return "\n".join([*lines, f"    else {last}", "end"])


def condition(paths: Sequence[Path], columns: Sequence[Column]) -> str:
    """The customers on any of the paths, in SQL: true, false, or alternatives a line each."""
    texts = [" and ".join(conditions(path, columns)) or "true" for path in paths]
    if len(texts) <= 1:
        return "".join(texts) or "false"
    return "\nor ".join(f"({alternative})" for alternative in texts)


def description(paths: Sequence[Path], columns: Sequence[Column]) -> str:
    """The customers on any of the paths, in English."""
    if not paths:
        return "no customers: no rule finds this segment"
    return "; or ".join(_in_english(path, columns) or "all customers" for path in paths)


def _in_english(path: Path, columns: Sequence[Column]) -> str:
    parts = []
    for feature, bounds in path.items():
        column = columns[feature]
        if column.is_boolean:
            words = f"not {column.name}" if bounds.low is None else column.name
        else:
            above = [] if bounds.low is None else [f"above {in_words(bounds.low)}"]
            at_most = [] if bounds.high is None else [f"at most {in_words(bounds.high)}"]
            words = f"{column.name} {' and '.join(above + at_most)}"
        is_unknown = column.fill is not None and bounds.holds(column.fill)
        parts.append(words + " (or unknown)" * is_unknown)
    return " and ".join(parts)


def in_words(number: Decimal) -> str:
    """A number in English: thousands apart."""
    written = literal(number)
    return written if "e" in written else format(Decimal(written), ",f")
