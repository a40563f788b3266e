"""The text of a file while it is rewritten: positions, edits, and what is found."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from numpy_rnn.port.kinds import Names


@dataclass(frozen=True)
class Left:
    """A line that has to be changed by hand."""

    line: int
    text: str
    reason: str


@dataclass
class Ported:
    """A file that was rewritten, and what is to be said of it.

    Attributes
    ----------
    source : str
        The new source.
    changed : int
        The number of lines that differ.
    left : list of Left
        What no rule covers, by lines of the old source.
    assumed : list of Left
        What is right only if something holds that the source does not show.
    removed : list of str
        Functions for training that were removed, with the reason.
    missing : list of str
        Layers that numpy_rnn does not have.
    models : list of str
        Classes that are modules.
    """

    source: str
    changed: int = 0
    left: list[Left] = field(default_factory=list)
    assumed: list[Left] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)


class Source:
    """One file while it is rewritten: its names, its edits, and what is found."""

    def __init__(self, source: str, numbers: Sequence[int]) -> None:
        self.source: str = source
        self.numbers: Sequence[int] = numbers
        self.tree: ast.Module = ast.parse(source)
        self.names: Names = Names(self.tree)
        self.result: Ported = Ported(source)
        self.starts: list[int] = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.lines: list[str] = source.splitlines(keepends=True)
        self.edits: list[tuple[int, int, str]] = []
        self.needed: set[str] = set()
        self.deferred: list[ast.expr] = []
        self.losses: set[str] = set()
        self.layers: dict[str, str] = {}
        self.in_module: bool = False
        self.annotating: bool = False
        self.function: ast.FunctionDef | ast.AsyncFunctionDef | None = None
        self.words: dict[str, str] = {
            "np": self.names.called("numpy") or "np",
            "nn": self.names.called("torch.nn") or "nn",
            "F": self.names.called("torch.nn.functional") or "F",
            "arrays": "arrays",
        }
        self.comments: list[tuple[int, str]] = [
            (
                self._offset(token.start[0], len(token.line[: token.start[1]].encode())),
                token.string,
            )
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type == tokenize.COMMENT
        ]

    def _offset(self, line: int, column: int) -> int:
        """Return the place of a line and a column in UTF-8 in the source."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return self.starts[line - 1] + len(text.encode()[:column].decode())

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return where a node begins and ends in the source."""
        return (
            self._offset(node.lineno, node.col_offset),  # type: ignore[attr-defined]
            self._offset(node.end_lineno, node.end_col_offset),  # type: ignore[attr-defined]
        )

    def text(self, node: ast.AST) -> str:
        """Return the source of a node."""
        start, end = self.span(node)
        return self.source[start:end]

    @contextlib.contextmanager
    def within(self, layers: dict[str, str], in_module: bool) -> Iterator[None]:
        """Know the layers of a class while its body is rewritten."""
        before = self.layers, self.in_module
        self.layers, self.in_module = layers, in_module
        yield
        self.layers, self.in_module = before

    @contextlib.contextmanager
    def reporting_apart(self) -> Iterator[Ported]:
        """Collect what is found in an annotation, apart from what is found in the file."""
        whole, self.result = self.result, Ported(self.source)
        self.annotating = True
        yield self.result
        self.annotating = False
        self.result = whole

    def leave(self, node: ast.AST, reason: str) -> None:
        """Note that a line is left as it is."""
        line = node.lineno  # type: ignore[attr-defined]
        text = self.lines[line - 1].strip()
        left = Left(self.numbers[line - 1], text, reason)
        if not any(other.line == left.line for other in self.result.left):
            self.result.left.append(left)

    def edit(self, node: ast.AST, new: str) -> None:
        """Replace a node's source; comments that would be lost go above it."""
        start, end = self.span(node)
        if self.source[start:end] == new:
            return
        lost = [
            text for place, text in self.comments if start <= place < end and text not in new
        ]
        self.edits.append((start, end, new))
        if lost:
            first = self.source.rfind("\n", 0, start) + 1
            indent = re.match(r"[ \t]*", self.source[first:])
            blank = indent.group() if indent else ""
            self.edits.append((first, first, "".join(f"{blank}{text}\n" for text in lost)))

    def remove(self, node: ast.AST) -> None:
        """Remove a statement, its line with it where nothing else is on it."""
        first = min(
            [node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]  # type: ignore[attr-defined]
        )
        last: int = node.end_lineno  # type: ignore[attr-defined]
        start, end = self.starts[first - 1], self.starts[last]
        own_start, own_end = self.span(node)
        rest = re.sub(r"#.*", "", self.source[own_end:end]).strip()
        before = self.source[start:own_start].strip()
        if rest or (before and not before.startswith("@")):
            self.edits.append((own_start, own_end, "pass"))
        else:
            self.edits.append((start, end, ""))
