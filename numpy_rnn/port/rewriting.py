"""Rewrite source that uses torch into source that uses NumPy and numpy_rnn.

The source is parsed, never run. What a rule covers is replaced at its place in the text, so
that comments, strings and layout stay; the rest is left as it is, and listed.
"""

from __future__ import annotations

import ast
import difflib
import io
import tokenize

from numpy_rnn.port.kinds import Kinds, Names
from numpy_rnn.port.source import Left, Ported
from numpy_rnn.port.statements import NO_GRADIENT, Statements

__all__ = ["Left", "Ported", "port", "port_expression"]


def port(source: str) -> Ported:
    """Rewrite the source of a file.

    Parameters
    ----------
    source : str
        Python source that imports torch.

    Raises
    ------
    SyntaxError
        If it is not Python.
    RuntimeError
        If what was written is not, which is a fault of this function.
    """
    compile(source, "<source>", "exec", dont_inherit=True)
    flat, lines = _without_gradient_blocks(source)
    rewriter = Statements(flat, lines)
    result = rewriter.run()
    try:
        compile(result.source, "<ported>", "exec", dont_inherit=True)
    except SyntaxError as error:  # the source was Python before
        raise RuntimeError(
            f"the rewritten source has an error of ours in line {error.lineno}: {error.msg}"
        ) from error
    before, after = source.splitlines(), result.source.splitlines()
    changes = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    result.changed = sum(max(b - a, d - c) for kind, a, b, c, d in changes if kind != "equal")
    return result


IMPORTS = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"


def port_expression(text: str, kinds: dict[str, str] | None = None) -> str | None:
    """Return one expression rewritten, or None where no rule covers a part of it.

    Its names are `torch`, `nn` and `F`, and those in `kinds`.
    """
    rewriter = Statements(IMPORTS + text, list(range(1, 5)))
    known = Kinds(rewriter.names)
    known.known.update(kinds or {})
    (statement,) = (node for node in rewriter.tree.body if isinstance(node, ast.Expr))
    rewritten = rewriter.render(statement.value, known)
    return None if rewriter.result.left else rewritten


def _without_gradient_blocks(source: str) -> tuple[str, list[int]]:
    """Return the source with the bodies of ``with torch.no_grad():`` in their place.

    And the old number of each of its lines.
    """
    numbers = list(range(1, source.count("\n") + 2))
    while True:
        tree = ast.parse(source)
        names = Names(tree)
        blocks = [node for node in ast.walk(tree) if isinstance(node, ast.With)]
        block = next((node for node in blocks if _is_gradient_block(node, names)), None)
        if block is None:
            return source, numbers
        lines = source.splitlines(keepends=True)
        first, header = block.body[0].lineno, block.lineno
        inside = _lines_within_strings(source)
        if first == block.lineno:  # on one line
            start = block.body[0].col_offset
            lines[header - 1] = (
                " " * block.col_offset + lines[header - 1].encode()[start:].decode()
            )
            source = "".join(lines)
            continue
        excess = block.body[0].col_offset - block.col_offset
        head_end = max((item.context_expr.end_lineno or header) for item in block.items)
        for number in range(head_end + 1, (block.end_lineno or header) + 1):
            line = lines[number - 1]
            if number not in inside:
                blank = len(line) - len(line.lstrip(" \t"))
                lines[number - 1] = line[min(excess, blank) :]
        del lines[header - 1 : head_end]
        del numbers[header - 1 : head_end]
        source = "".join(lines)


def _is_gradient_block(node: ast.With, names: Names) -> bool:
    return all(
        isinstance(item.context_expr, ast.Call)
        and NO_GRADIENT.match(names.torch_path(item.context_expr.func) or "")
        and item.optional_vars is None
        for item in node.items
    )


def _lines_within_strings(source: str) -> set[int]:
    """Return the lines that begin within a string."""
    inside: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.start[0] != token.end[0] and token.type not in (tokenize.NEWLINE, tokenize.NL):
            inside.update(range(token.start[0] + 1, token.end[0] + 1))
    return inside
