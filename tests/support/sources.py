"""What source files import, read without running them."""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Import(NamedTuple):
    """That one module imports another."""

    importer: str
    imported: str


def modules_in(folder: str) -> dict[str, Path]:
    """Return the files below a folder of the repository, by the names of their modules."""
    return {module_name(path): path for path in sorted((ROOT / folder).rglob("*.py"))}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def imports_in(folder: str) -> list[Import]:
    """Return every import below a folder, those inside functions and for types too.

    ``from package import name`` imports `package.name` where that is a module.
    """
    modules = modules_in(folder)
    return [
        Import(importer, imported)
        for importer, path in modules.items()
        for statement in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for imported in _imported(statement, modules)
    ]


def _imported(statement: ast.Import | ast.ImportFrom, modules: dict[str, Path]) -> list[str]:
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    if statement.level:
        raise ValueError(f"a relative import: {ast.unparse(statement)}")
    package = str(statement.module)
    names = [f"{package}.{alias.name}" for alias in statement.names]
    return [name if name in modules else package for name in names]
