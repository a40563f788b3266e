"""What source files import, read without running them."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Import(NamedTuple):
    """That one module imports another; `for_types` if a type checker alone sees it."""

    importer: str
    imported: str
    for_types: bool


def modules_in(folder: str) -> dict[str, Path]:
    """Return the files below a folder of the repository, by the names of their modules."""
    return {module_name(path): path for path in sorted((ROOT / folder).rglob("*.py"))}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def imports_in(folder: str) -> list[Import]:
    """Return every import statement below a folder, those inside functions too.

    ``from package import name`` imports `package.name` where that is a module.
    """
    modules = modules_in(folder)
    return [
        Import(importer, imported, for_types)
        for importer, path in modules.items()
        for statement, for_types in _import_statements(ast.parse(path.read_text("utf-8")))
        for imported in _imported(statement, modules)
    ]


def _import_statements(
    tree: ast.AST, for_types: bool = False
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, for_types
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from _import_statements(node, for_types=True)
        else:
            yield from _import_statements(node, for_types)


def _imported(statement: ast.Import | ast.ImportFrom, modules: dict[str, Path]) -> list[str]:
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    if statement.level:
        raise ValueError(f"a relative import: {ast.unparse(statement)}")
    package = str(statement.module)
    names = [f"{package}.{alias.name}" for alias in statement.names]
    return [name if name in modules else package for name in names]
