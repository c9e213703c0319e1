"""Writes errors.md: every code, what to do about it, and the messages that end with it.

Run ``make docs``; a test fails if errors.md is not what this makes, and if a message has no code.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from custseg_duck.errors import CODES, code_of

ROOT = Path(__file__).parent.parent
PAGE = Path(__file__).parent / "errors.md"
GAP = "…"  # stands for what a message is about

# Of no user's making, or around another message, whose code they keep
NOT_SHOWN = {
    f"sql/{GAP}.sql must create a macro in custseg",
    f"table {GAP} of the source: {GAP}",
    f"{GAP}; there are {GAP} customers",
}
# The errors whose first argument is a message; of QueryError it is a step, and of file_errors what
# comes before the reason
RAISED = {"CustsegError", "InputError", "NotLoadedError", "ValueError", "file_errors"}
RAISED |= {"__init__"}  # of an error that makes its message itself


class Message(NamedTuple):
    """What an error says.

    where : its file; text : with ``GAP`` for what comes; code : None if it has none
    """

    where: str
    text: str
    code: str | None


def messages() -> list[Message]:
    """All messages in the sources, in order."""
    found = [*_in_python(), *_in_sql()]
    return [message for message in found if message.text not in NOT_SHOWN]


def _in_python() -> Iterator[Message]:
    for folder in ("custseg_duck", "udfs"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"sql", "udfs"} & set(path.relative_to(ROOT / folder).parts):
                where = path.relative_to(ROOT).as_posix()
                yield from _raised(where, ast.parse(path.read_text(encoding="utf-8")))


def _raised(where: str, tree: ast.Module) -> Iterator[Message]:
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and node.args):
            continue
        error = ast.unparse(node.func).rpartition(".")[2]
        if error not in RAISED:
            continue
        first = node.args[0]
        text = _text(constants.get(first.id, first) if isinstance(first, ast.Name) else first)
        if text.strip(f" :{GAP}"):
            given = node.args[1] if len(node.args) > 1 else None
            default = given.value if isinstance(given, ast.Constant) else None
            if error == "NotLoadedError":
                default = "not-loaded"
            if error == "file_errors":
                text, default = f"{text}: {GAP}", "file"
            yield Message(where, text, code_of(text) or default)


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    return GAP


def _in_sql() -> Iterator[Message]:
    for path in sorted((ROOT / "sql").rglob("*.sql")):
        if path.stem == "require":
            continue
        body = re.sub(r"^\s*--.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for call in re.finditer(r"custseg\.require\(|\berror\(", body):
            arguments = _arguments(body, call.end())
            argument = arguments[1] if call[0].startswith("custseg") else arguments[0]
            where, text = path.relative_to(ROOT).as_posix(), _sql_text(argument)
            code = code_of(text)
            if text != f"{GAP} [{code}]":
                yield Message(where, text, code)
                continue
            for problem in re.finditer(r"then format\(", body):
                text = _sql_text(_arguments(body, problem.end())[0])
                yield Message(where, f"{text} [{code}]", code)


def _arguments(body: str, start: int) -> list[str]:
    """What stands between the commas of a call whose parenthesis opens before ``start``."""
    depth, begin, is_text, found = 1, start, False, []
    for place in range(start, len(body)):
        mark = body[place]
        if mark == "'":
            is_text = not is_text
        elif is_text:
            continue
        elif mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        if not is_text and (depth == 0 or (depth == 1 and mark == ",")):
            found.append(body[begin:place])
            begin = place + 1
        if depth == 0:
            return found
    raise ValueError(f"no end of the call in {body[start : start + 40]}")


def _sql_text(argument: str) -> str:
    """The texts of a message, with a gap for each expression between them."""
    if argument.strip().startswith("format("):
        argument = _arguments(argument, argument.index("(") + 1)[0]
    parts: list[str] = []
    depth = 0
    for piece in re.findall(r"'(?:[^']|'')*'|[()]|[^'()]+", argument):
        if piece in "()":
            depth += 1 if piece == "(" else -1
        if piece.startswith("'") and not depth:
            parts.append(piece[1:-1].replace("''", "'").replace("{}", GAP))
        elif piece.strip(" \n|") and parts[-1:] != [GAP]:
            parts.append(GAP)
    return "".join(parts)


def page() -> str:
    """The whole page."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Errors"
    yield ""
    yield "Made by `make docs` from the messages in the sources."
    yield ""
    yield "Every message of ours says what must hold and what came, and ends with a code: `n_bins"
    yield "must be a whole number from 2 to 9, got 12 [option]`. Codes stay when words change. SQL"
    yield "clients read them in the message; in Python they are also `error.code`, of any"
    yield "`custseg_duck.CustsegError`. A failing statement is a `QueryError` (`step`, `sql`, and"
    yield "the cause), and leaves the database as it was before. Names and types that DuckDB cannot"
    yield "make sense of in SQL, such as a table that is not there, it refuses itself, before a"
    yield "macro of ours begins: those messages are DuckDB's, without a code."
    yield ""
    yield f"In the messages `{GAP}` stands for what came."
    by_code: dict[str | None, list[str]] = {}
    for message in messages():
        texts = by_code.setdefault(message.code, [])
        text = message.text.removesuffix(f" [{message.code}]")
        if text not in texts:
            texts.append(text)
    for code, meaning in CODES.items():
        yield ""
        yield f"## {code}"
        yield ""
        yield meaning
        if by_code.get(code):
            yield ""
        for text in by_code.get(code, []):
            yield f"- {_escaped(text)}"


def _escaped(text: str) -> str:
    """As Markdown shows it: no tag, emphasis or code in it."""
    return re.sub(r"([*_<`\[\]])", r"\\\1", text)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
