"""The changes that there are of a file, in Python and in SQL."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent.parent

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
