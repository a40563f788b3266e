"""Rules that the tests keep: what they import, and how they expect errors."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.support.sources import imports_in, modules_in

FOLDERS_OF_THEIR_OWN = (
    "tests.browser",
    "tests.campaign",
    "tests.demo",
    "tests.ports",
    "tests.typing",
)
"""Their files may import from each other; every other file from `tests.support` alone."""

CLOCK_READERS = {
    "tests.campaign.__main__": "a command that prints how long it took",
    "tests.support.mutations": "the same",
}


def is_in(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


def is_allowed(importer: str, imported: str) -> bool:
    """Return whether one file of the tests may import another."""
    if imported.rpartition(".")[2].startswith(("test_", "conftest")):
        return False
    rooms = ["tests.support"]
    rooms += [folder for folder in FOLDERS_OF_THEIR_OWN if is_in(importer, folder)]
    return any(is_in(imported, room) for room in rooms)


def has_open_alternation(pattern: str) -> bool:
    """Return whether a `|` outside of every group splits the whole pattern.

    >>> has_open_alternation(r"float32|float64 \\(3,\\)")
    True
    >>> has_open_alternation(r"(float32|float64) [|] \\|")
    False
    """
    rest = re.sub(r"\\.|\[[^\]]*\]", "", pattern)
    while rest != (rest := re.sub(r"\([^()]*\)", "", rest)):
        pass
    return "|" in rest


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield every function of the tests and benchmarks, with the module it is in."""
    for module, path in (modules_in("tests") | modules_in("benchmarks")).items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield module, node


def expectations(function: ast.FunctionDef) -> Iterator[tuple[ast.Call, str | None]]:
    """Yield the calls of `raises` and `warns` in a function, and the names of ``as``."""
    for node in ast.walk(function):
        if not isinstance(node, ast.With):
            continue
        for item in node.items:
            call, name = item.context_expr, item.optional_vars
            if isinstance(call, ast.Call) and ast.unparse(call.func) in (
                "pytest.raises",
                "pytest.warns",
            ):
                yield call, name.id if isinstance(name, ast.Name) else None


def pattern_of(call: ast.Call) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == "match"), None)


def strings_in(node: ast.AST) -> list[str]:
    return [
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]


def patterns_of(call: ast.Call, function: ast.FunctionDef) -> list[str]:
    """Return the pattern of a call; where that is a variable, whatever it may hold."""
    pattern = pattern_of(call)
    if pattern is None:
        return []
    if isinstance(pattern, ast.Name):
        return strings_in(function)
    return ["".join(strings_in(pattern))]


def test_test_files_import_shared_code_alone():
    wrong = [
        found[:2]
        for found in imports_in("tests")
        if is_in(found.imported, "tests") and not is_allowed(found.importer, found.imported)
    ]
    assert wrong == []


def test_test_files_read_no_clock():
    """A test that measures time fails on a busy machine; `benchmarks/` measures it."""
    readers = {found.importer for found in imports_in("tests") if found.imported == "time"}
    assert readers == set(CLOCK_READERS)


def test_expected_errors_have_their_messages_read():
    """By `match`, or from the error that the test binds and looks at."""
    wrong = [
        (module, function.name, ast.unparse(call))
        for module, function in functions()
        for call, name in expectations(function)
        if pattern_of(call) is None and f"{name}.value" not in ast.unparse(function)
    ]
    assert wrong == []


def test_expected_messages_have_alternatives_in_groups():
    """``match="float32|float64 .*long"`` is satisfied by "float32" alone."""
    wrong = [
        (module, function.name, pattern)
        for module, function in functions()
        for call, _ in expectations(function)
        for pattern in patterns_of(call, function)
        if has_open_alternation(pattern)
    ]
    assert wrong == []
