"""Match a call with a rule, and write the rule's other side with what the call passes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from numpy_rnn.port.rules import Rule

IGNORED = {
    "device",
    "layout",
    "memory_format",
    "non_blocking",
    "pin_memory",
    "requires_grad",
    "generator",
    "weights_only",
    "map_location",
    "device_ids",
    "volatile",
    "sorted",
    "stable",
}
"""Keywords that mean nothing here, in any call."""


Bound: TypeAlias = Mapping[str, ast.expr | list[ast.expr]]
"""What a call passes, by a pattern's names."""


@dataclass(frozen=True)
class Pattern:
    """The side of a rule that is torch's, taken apart.

    `name` is a method's name, or a function's with its modules. `parameters` are names with
    their defaults, None where there is none, constants among them; `variadic` the name after
    a star.
    """

    name: str
    receiver: str | None
    parameters: tuple[tuple[str, ast.expr | None], ...]
    positional: tuple[str | ast.Constant | ast.UnaryOp, ...]
    variadic: str | None
    after: tuple[str, ...]


@cache
def pattern_of(rule_torch: str) -> Pattern:
    """Return a rule's torch side, parsed."""
    call = ast.parse(rule_torch, mode="eval").body
    if not isinstance(call, ast.Call):
        raise ValueError(f"rule is not a call: {rule_torch}")
    dotted = ast.unparse(call.func)
    is_method = not dotted.startswith("torch.")
    receiver, _, method = dotted.partition(".")
    positional: list[str | ast.Constant | ast.UnaryOp] = []
    variadic = None
    for argument in call.args:
        if isinstance(argument, ast.Starred):
            variadic = ast.unparse(argument.value)
        elif isinstance(argument, ast.Name):
            positional.append(argument.id)
        else:
            positional.append(argument)  # type: ignore[arg-type]  # a number
    keywords = tuple((word.arg or "", word.value) for word in call.keywords)
    required = tuple((name, None) for name in positional if isinstance(name, str))
    if variadic is None:
        positional += [name for name, _ in keywords]
    return Pattern(
        method if is_method else dotted,
        receiver if is_method else None,
        (*required, *keywords),
        tuple(positional),
        variadic,
        tuple(name for name, _ in keywords),
    )


def has_only_defaults(pattern: Pattern, bound: Bound, here: str) -> bool:
    """Return whether a call passes what NumPy's side does not mention as its default alone."""
    mentioned = {node.id for node in ast.walk(ast.parse(here)) if isinstance(node, ast.Name)}
    mentioned |= {"dtype"} if mentioned & {"DTYPE", "NEW", "LITERAL", "RANGE"} else set()
    for name, default in pattern.parameters:
        value = bound.get(name)
        if name in mentioned or not isinstance(default, ast.Constant):
            continue
        if isinstance(value, ast.AST) and ast.dump(value) != ast.dump(default):
            return False
    return True


def bind(
    pattern: Pattern, call: ast.Call, *, as_function: bool = False
) -> dict[str, ast.expr | list[ast.expr]] | None:
    """Return what a call passes for each of a pattern's names, or None if it does not match.

    Parameters
    ----------
    pattern : Pattern
    call : ast.Call
        A call of the pattern's name.
    as_function : bool
        Whether a method is called as a function, with its array as the first argument.
    """
    bound: dict[str, ast.expr | list[ast.expr]] = {}
    positional = list(call.args)
    keywords = {word.arg: word.value for word in call.keywords}
    if None in keywords:
        return None
    for word in IGNORED - {name for name, _ in pattern.parameters}:
        keywords.pop(word, None)
    if pattern.receiver is not None:
        if not as_function:
            bound[pattern.receiver] = call.func.value  # type: ignore[attr-defined]
        elif positional:
            bound[pattern.receiver] = positional.pop(0)
        elif "input" in keywords:
            bound[pattern.receiver] = keywords.pop("input")
        else:
            return None
    if pattern.variadic is not None:
        fixed = len(pattern.positional)
        starred = any(isinstance(argument, ast.Starred) for argument in positional[:fixed])
        if len(positional) < fixed or starred:
            return None
        rest, positional = positional[fixed:], positional[:fixed]
        for word in ("size", "dims", "shape", pattern.variadic):
            if word in keywords and not rest and word not in dict(pattern.parameters):
                rest = [keywords.pop(word)]
        if not rest and pattern.variadic in ("sizes", "shape", "bounds", "data", "dims"):
            return None
        bound[pattern.variadic] = rest
    elif any(isinstance(argument, ast.Starred) for argument in positional):
        return None
    if len(positional) > len(pattern.positional):
        return None
    for wanted, argument in zip(pattern.positional, positional):
        if isinstance(wanted, str):
            bound[wanted] = argument
        elif ast.dump(wanted) != ast.dump(argument):
            return None
    rest_of_pattern = pattern.positional[len(positional) :]
    names = dict(pattern.parameters)
    for keyword, value in keywords.items():
        word = keyword or ""
        if word == "axis" and "dim" in names:
            word = "dim"
        if word in bound:
            return None
        constants = [w for w in rest_of_pattern if not isinstance(w, str)]
        if word in names:
            bound[word] = value
        elif word == "dim" and constants and ast.dump(constants[0]) == ast.dump(value):
            rest_of_pattern = tuple(w for w in rest_of_pattern if w is not constants[0])
        else:
            return None
    for wanted in rest_of_pattern:
        if not isinstance(wanted, str) or (wanted not in bound and names[wanted] is None):
            return None
    return bound


Render = Callable[[ast.expr], str]
"""Returns the text of a part of the source, rewritten."""


def is_atomic(node: ast.AST) -> bool:
    """Return whether an expression needs no brackets wherever it is put."""
    return isinstance(
        node,
        ast.Name
        | ast.Attribute
        | ast.Call
        | ast.Subscript
        | ast.Constant
        | ast.List
        | ast.Dict
        | ast.Set
        | ast.ListComp
        | ast.JoinedStr,
    )


def bracketed(text: str) -> str:
    """Return an expression with brackets around it, if it needs them within another."""
    return text if is_atomic(ast.parse(f"({text}\n)", mode="eval").body) else f"({text})"


@dataclass(frozen=True)
class Writer:
    """Writes the NumPy side of rules with what a call passes.

    Attributes
    ----------
    bound, defaults : mapping
        What the call passes, and the defaults of what it does not.
    render : callable
        Returns the rewritten source of an argument.
    words : mapping
        Names that become texts: dtypes, and what the file calls its modules.
    """

    bound: Bound
    defaults: Mapping[str, ast.expr | None]
    render: Render
    words: Mapping[str, str]

    def write(self, template: str) -> str:
        """Return a template with its names replaced by what is bound to them."""
        edits = self._edits(ast.parse(template).body[0], template, loose=True)
        for start, end, text in sorted(edits, reverse=True):
            template = template[:start] + text + template[end:]
        return template

    def _edits(
        self, node: ast.AST, template: str, loose: bool
    ) -> Iterator[tuple[int, int, str]]:
        """Yield the edits of a part of a template; `loose` where brackets surround it."""
        if isinstance(node, ast.Call):
            yield from self._edits(node.func, template, loose=False)
            arguments = [text for part in node.args for text in self._argument(part, template)]
            for word in node.keywords:
                arguments += [f"{word.arg}={text}" for text in self._keyword(word, template)]
            start, end = node.func.end_col_offset or 0, node.end_col_offset or 0
            yield start, end, f"({', '.join(arguments)})"
        elif isinstance(node, ast.Name):
            text = self._name(node.id, loose)
            if text is not None:
                yield node.col_offset, node.end_col_offset or 0, text
        else:
            for child in ast.iter_child_nodes(node):
                inside = isinstance(node, ast.Subscript) and child is node.slice
                inside = inside or isinstance(node, ast.Expr | ast.Assign | ast.Tuple)
                yield from self._edits(child, template, inside)

    def _keyword(self, word: ast.keyword, template: str) -> list[str]:
        """Return the text of a keyword's value, or nothing where it is left out."""
        name = word.value.id if isinstance(word.value, ast.Name) else ""
        if name in self.words:
            return [self.words[name]] if self.words[name] else []
        if name in self.defaults and name not in self.bound:
            return []
        return self._argument(word.value, template)

    def _argument(self, node: ast.expr, template: str) -> list[str]:
        """Return the texts of one argument of a template's call: several after a star."""
        if isinstance(node, ast.Starred) and isinstance(node.value, ast.Name):
            values = self.bound.get(node.value.id, [])
            return [*map(self.render, values if isinstance(values, list) else [values])]
        text = ast.get_source_segment(template, node) or ""
        if isinstance(node, ast.Name):
            found = self._name(node.id, loose=True)
            return [text if found is None else found]
        return [self.write(text)]

    def _name(self, name: str, loose: bool) -> str | None:
        """Return what a name of a template becomes, or None if it stays."""
        if name in self.words:
            return self.words[name]
        if name not in self.bound:
            default = self.defaults.get(name)
            return None if default is None else ast.unparse(default)
        value = self.bound[name]
        if isinstance(value, list):
            return sizes_text(value, self.render)
        text = self.render(value)
        return text if loose else bracketed(text)


def sizes_text(values: list[ast.expr], render: Render) -> str:
    """Return sizes as one expression: a tuple if they come apart."""
    if len(values) == 1 and not isinstance(values[0], ast.Starred):
        return render(values[0])
    texts = [render(value) for value in values]
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def rules_by_name(rules: tuple[Rule, ...]) -> dict[str, list[tuple[Pattern, Rule]]]:
    """Return the rules under the names that they are looked for by, in their order."""
    found: dict[str, list[tuple[Pattern, Rule]]] = {}
    for rule in rules:
        pattern = pattern_of(rule.torch)
        found.setdefault(pattern.name, []).append((pattern, rule))
    return found
