"""Expressions: what a name, a call or a method becomes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

import numpy as np

from numpy_rnn import distributions, functional, init
from numpy_rnn.port.binding import (
    Pattern,
    Writer,
    bind,
    bracketed,
    has_only_defaults,
    is_atomic,
    pattern_of,
    rules_by_name,
    sizes_text,
)
from numpy_rnn.port.kinds import (
    AMBIGUOUS,
    BY_NAME,
    DICT,
    LIBRARY,
    LIST,
    MODULE,
    NUMPY,
    PACKED,
    RECURRENT,
    STRING,
    TENSORS,
    UNMISTAKABLE,
    Kinds,
    has_layer,
)
from numpy_rnn.port.rules import ARRAY, IN_PLACE, INTEGERS, NAMES, NUMBER, SHAPE, Rule
from numpy_rnn.port.source import Left, Source

DEVICE_WORDS = re.compile(r"\bdevice\b|\bdev\b|cuda|_device|'cpu'|\"cpu\"|\bgpu\b|\brank\b|mps")

IN_PLACE_RULES = rules_by_name(
    tuple(Rule(f"x.{call}", here, ()) for call, here in IN_PLACE.items())
)
WEIGHTS = dict.fromkeys(("Linear", "Embedding", "Conv1d", "Conv2d"), "weight")
WEIGHTS |= dict.fromkeys(("RNNCell", "LSTMCell", "GRUCell"), "weight_ih")
WEIGHTS |= dict.fromkeys(("RNN", "LSTM", "GRU"), "weight_ih_l0")
"""An attribute of a layer whose dtype new arrays follow."""

PAIR_HALVES = {
    ("max", 0): "x.max(axis=dim, keepdims=keepdim)",
    ("max", 1): "x.argmax(axis=dim, keepdims=keepdim)",
    ("min", 0): "x.min(axis=dim, keepdims=keepdim)",
    ("min", 1): "x.argmin(axis=dim, keepdims=keepdim)",
}
FRESH = {"zero_": "np.zeros_like(x)", "fill_": "np.full_like(x, value)"}


class Expressions(Source):
    """Rewrites expressions."""

    def expression(self, node: ast.expr, kinds: Kinds) -> str:
        """Rewrite an expression where it is, and return its text."""
        new = self.render(node, kinds)
        self.edit(node, new)
        return new

    def render(self, node: ast.AST, kinds: Kinds) -> str:
        """Return the rewritten source of an expression."""
        special = self.rewrite(node, kinds)
        return self.splice(node, kinds) if special is None else special

    def splice(self, node: ast.AST, kinds: Kinds) -> str:
        """Return a node's source with the parts of it rewritten."""
        if isinstance(node, ast.JoinedStr):
            return self._f_string(node, kinds)
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            inner = Kinds(self.names, kinds.attributes)
            inner.known.update(kinds.known)
            for loop in node.generators:
                inner.assign_each(loop.target, loop.iter)
            kinds = inner
        start, end = self.span(node)
        pieces, place = [], start
        for child in sorted(_expressions_in(node), key=lambda part: self.span(part)[0]):
            first, last = self.span(child)
            if first < place:
                continue
            old, new = self.source[first:last], self.render(child, kinds)
            if new != old and is_atomic(child) and not _is_loose(node, child):
                new = bracketed(new)
            pieces += [self.source[place:first], new]
            place = last
        return "".join(pieces) + self.source[place:end]

    def _f_string(self, node: ast.JoinedStr, kinds: Kinds) -> str:
        text = self.text(node)
        for part in node.values:
            if not isinstance(part, ast.FormattedValue):
                continue
            old = ast.unparse(part.value)
            inner = Expressions(old, [self.numbers[node.lineno - 1]])
            inner.names, inner.words, inner.needed, inner.layers = (
                self.names,
                self.words,
                self.needed,
                self.layers,
            )
            (statement,) = inner.tree.body
            new = inner.render(statement.value, kinds)  # type: ignore[attr-defined]
            if inner.result.left:
                self.leave(node, inner.result.left[0].reason)
            elif new != old and old in text and not set("'\"") & set(new) - set(old):
                text = text.replace(old, new)
            elif new != old:
                self.leave(node, f"{old} in an f-string becomes {new}")
        return text

    def rewrite(self, node: ast.AST, kinds: Kinds) -> str | None:
        """Return what an expression becomes as a whole, or None if only its parts change."""
        if isinstance(node, ast.Call):
            return self._call(node, kinds)
        if isinstance(node, ast.Subscript):
            place = node.slice.value if isinstance(node.slice, ast.Constant) else None
            if isinstance(node.value, ast.Call) and place in (0, 1):
                return self._pair_half(node.value, int(place == 1), kinds)
            return None
        if isinstance(node, ast.Name | ast.Attribute):
            return self._name(node, kinds)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            left, right = kinds.of(node.left), kinds.of(node.right)
            if right == INTEGERS and left == ARRAY and isinstance(node.left, ast.Name):
                divisor = bracketed(self.render(node.right, kinds))
                return f"{node.left.id} / {divisor}.astype({node.left.id}.dtype)"
        return None

    def _name(self, node: ast.Name | ast.Attribute, kinds: Kinds) -> str | None:
        path = self.names.torch_path(node)
        if path is not None and (isinstance(node, ast.Attribute) or "." in path):
            return self._torch_name(node, path)
        if isinstance(node, ast.Attribute):
            kind = kinds.of(node.value)
            if isinstance(node.value, ast.Call) and node.attr in ("values", "indices"):
                return self._pair_half(node.value, int(node.attr == "indices"), kinds)
            weights = isinstance(node.value, ast.Attribute) and re.match(
                "weight|bias", node.value.attr
            )
            if node.attr == "data" and (kind in TENSORS or weights):
                return self.render(node.value, kinds)
            if node.attr == "data" and kind is None and ast.unparse(node) != "self.data":
                if self._is_used_as_tensor(node):
                    return self.render(node.value, kinds)
                name = ast.unparse(node.value)
                self.leave(
                    node, f"it is not known whether {name} is an array, which needs no .data"
                )
            if node.attr == "device" and (kind in TENSORS or weights):
                return '"cpu"'
            if node.attr in ("is_cuda", "requires_grad") and kind != LIBRARY:
                return "False"
        return None

    def _is_used_as_tensor(self, node: ast.AST) -> bool:
        """Return whether a method of tensors is called on it, or torch with it."""
        start, end = self.span(node)
        method = re.match(r"\.(\w+?)_?\(", self.source[end:])
        function = re.search(r"([\w.]+)\($", self.source[:start])
        return bool(
            (method and method[1] in UNMISTAKABLE | {"copy"})
            or (function and self.names.paths.get(function[1].partition(".")[0]) == "torch")
        )

    def _torch_name(self, node: ast.Name | ast.Attribute, path: str) -> str | None:
        if self.annotating and path.endswith("Tensor"):
            return self._use("np.ndarray")
        if path in NAMES:
            return self._use(NAMES[path])
        if path == "torch.nn" or path.startswith("torch.nn."):
            return self._nn_name(node, path)
        if path.startswith("torch.distributions") or path == "torch":
            if path == "torch" or path == "torch.distributions":
                return None
            name = path.rpartition(".")[2]
            if name in distributions.__all__:
                if isinstance(node, ast.Name):
                    return None
                self.needed.add("distributions")
                return f"distributions.{name}"
        if path == "torch.jit.ScriptModule":
            return self._use("nn.Module")
        function = path.removeprefix("torch.")
        if function in BY_NAME or path in BY_NAME:
            return self._function_name(node, path)
        self.leave(node, f"no rule for {path}")
        return None

    def _function_name(self, node: ast.AST, path: str) -> str | None:
        """Return a function that is passed and not called, as ``torch.tanh`` is."""
        name = path.removeprefix("torch.")
        if name in functional.__all__:
            return self._use(f"F.{name}")
        for _, rule in BY_NAME[name if name in BY_NAME else path]:
            if rule.here == f"np.{name}(x)":
                return self._use(f"np.{name}")
        self.leave(node, f"{path} is not called here, so that its rule does not apply")
        return None

    def _nn_name(self, node: ast.Name | ast.Attribute, path: str) -> str | None:
        if path.startswith("torch.nn.functional."):
            name = path.rpartition(".")[2]
            if name not in functional.__all__:
                self.leave(node, f"numpy_rnn has no functional.{name}")
                return None
            return None if isinstance(node, ast.Name) else self._use(f"F.{name}")
        if path.startswith("torch.nn.init.") and path.rpartition(".")[2] in init.__all__:
            name = path.rpartition(".")[2]
            if isinstance(node, ast.Name) or self.names.called("torch.nn.init"):
                return None
            return self._use(f"nn.init.{name}")
        if path in (
            "torch.nn",
            "torch.nn.functional",
            "torch.nn.init",
            "torch.nn.utils",
            "torch.nn.utils.rnn",
        ):
            return (
                None if isinstance(node, ast.Name) else self._use(path.removeprefix("torch."))
            )
        if path == "torch.nn.modules" or not has_layer(path):
            layer = path.removeprefix("torch.nn.")
            if f"nn.{layer}" not in self.result.missing:
                self.result.missing.append(f"nn.{layer}")
            self.leave(node, f"numpy_rnn has no {layer}")
            return None
        return None if isinstance(node, ast.Name) else self._use(path.removeprefix("torch."))

    def _use(self, text: str) -> str:
        """Return a dotted name by what the file calls its module, which it now needs."""
        module, dot, rest = text.partition(".")
        if not dot or module not in self.words:
            return text
        self.needed.add(module)
        return f"{self.words[module]}.{rest}"

    def _call(self, node: ast.Call, kinds: Kinds) -> str | None:
        path = self.names.torch_path(node.func)
        if path is not None:
            return self._torch_call(node, path, kinds)
        if not isinstance(node.func, ast.Attribute):
            return None
        return self._method_call(node, node.func, kinds)

    def _torch_call(self, node: ast.Call, path: str, kinds: Kinds) -> str | None:
        name = path.removeprefix("torch.")
        if (
            path in ("torch.max", "torch.min")
            and len(node.args) == 2
            and not isinstance(node.args[1], ast.Constant | ast.UnaryOp)
            and kinds.of(node.args[1]) != NUMBER
        ):
            parts = [self.render(argument, kinds) for argument in node.args]
            return f"{self._use(f'np.{name}imum')}({', '.join(parts)})"
        if name == "Tensor.size" or (
            path.startswith(("torch.nn.", "torch.distributions.")) and path not in BY_NAME
        ):
            return None
        candidates = [(pattern, rule, False) for pattern, rule in BY_NAME.get(path, [])]
        candidates += [
            (pattern, rule, True) for pattern, rule in BY_NAME.get(name, []) if "." not in name
        ]
        written = self._by_rules(node, candidates, kinds)
        if written is None:
            known = " with these arguments" if candidates else ""
            self.leave(node, f"no rule for {path}{known}")
            return self._parts_only(node, kinds)
        return written

    def _parts_only(self, node: ast.Call, kinds: Kinds) -> str:
        """Return a call's source with its arguments rewritten, and not its name."""
        start, end = self.span(node)
        first = self.span(node.func)[1]
        pieces, place = [self.source[start:first]], first
        for child in [*node.args, *(word.value for word in node.keywords)]:
            begin, finish = self.span(child)
            pieces += [self.source[place:begin], self.render(child, kinds)]
            place = finish
        return "".join(pieces) + self.source[place:end]

    def _method_call(self, node: ast.Call, func: ast.Attribute, kinds: Kinds) -> str | None:
        name, kind = func.attr, kinds.of(func.value)
        if name == "to" and kind != LIBRARY:
            return self._to(node, func, kind, kinds)
        if name in ("cuda", "cpu") and kind != LIBRARY:
            return self.render(func.value, kinds)
        if name.endswith("_") and not name.endswith("__") and name not in BY_NAME:
            return self._fresh(node, func, kinds)
        if kind in (
            STRING,
            LIST,
            DICT,
            LIBRARY,
            MODULE,
            RECURRENT,
            NUMPY,
            PACKED,
            "distribution",
        ):
            return None
        if ast.unparse(func.value) in ("self", "super()"):
            return None
        if name == "split" and (not node.args or kinds.of(node.args[0]) == STRING):
            return None
        candidates = [(pattern, rule, False) for pattern, rule in BY_NAME.get(name, [])]
        if not candidates:
            if kind in TENSORS and not hasattr(np.ndarray, name):
                self.leave(node, f"no rule for the method {name}")
            return None
        if kind not in TENSORS and name in AMBIGUOUS and not self._looks_like_array(node, name):
            if name not in (
                "index",
                "count",
                "values",
                "any",
                "all",
                "float",
                "int",
                "bool",
                "type",
            ) and not self._is_statement(node):
                self.leave(
                    node,
                    "it is not known whether "
                    f"{ast.unparse(func.value)} is an array, whose {name} "
                    "has a rule: annotate it",
                )
            return None
        if name in ("max", "min") and len(node.args) == 1 and kinds.of(node.args[0]) in TENSORS:
            parts = [self.render(part, kinds) for part in (func.value, node.args[0])]
            return f"{self._use(f'np.{name}imum')}({', '.join(parts)})"
        written = self._by_rules(node, candidates, kinds)
        if written is None and (kind in TENSORS or not isinstance(func.value, ast.Attribute)):
            self.leave(node, f"no rule for the method {name} with these arguments")
        return written

    def _is_statement(self, node: ast.Call) -> bool:
        return any(
            isinstance(part, ast.Expr) and part.value is node for part in ast.walk(self.tree)
        )

    def _looks_like_array(self, node: ast.Call, name: str) -> bool:
        words = {word.arg for word in node.keywords}
        if words & {"dim", "axis", "descending", "keepdim", "dtype"}:
            return True
        if name in ("float", "long", "int", "double", "bool", "any", "all") and not node.args:
            return True
        if name == "type" and node.args:
            return self._is_dtype(node.args[0])
        return (
            name == "split"
            and len(node.args) == 2
            and not isinstance(node.args[0], ast.Constant)
        )

    def _is_dtype(self, node: ast.AST) -> bool:
        path = self.names.torch_path(node) or ""
        text = ast.unparse(node)
        return (
            (path in NAMES and path not in ("torch.Tensor", "torch.device", "torch.Size"))
            or text.endswith("dtype")
            or (self.names.path(node) or "").startswith("numpy.")
        )

    def _to(
        self, node: ast.Call, func: ast.Attribute, kind: str | None, kinds: Kinds
    ) -> str | None:
        receiver = self.render(func.value, kinds)
        words = {word.arg: word.value for word in node.keywords}
        for argument in node.args:
            words.setdefault("dtype" if self._is_dtype(argument) else "device", argument)
        if "dtype" in words:
            dtype = self.render(words["dtype"], kinds)
            return f"{bracketed(receiver)}.astype({dtype})"
        other = words.get("device")
        if other is not None and kinds.of(other) in TENSORS:
            return f"{bracketed(receiver)}.astype({self.render(other, kinds)}.dtype)"
        if other is None or kind in (MODULE, RECURRENT) or self._is_device(other):
            return receiver
        self.leave(node, f"it is not known whether {ast.unparse(other)} is a device or a dtype")
        return None

    def _is_device(self, node: ast.expr) -> bool:
        return bool(DEVICE_WORDS.search(ast.unparse(node)))

    def _fresh(self, node: ast.Call, func: ast.Attribute, kinds: Kinds) -> str | None:
        """Rewrite a method that changes its array, where the array is nobody else's."""
        name = func.attr
        own = self.function is not None and isinstance(func.value, ast.Call)
        if kinds.of(func.value) not in TENSORS and not own:
            return None
        known = name in IN_PLACE_RULES or name[:-1] in BY_NAME
        if not known:
            self.leave(node, f"no rule for the method {name}")
            return None
        if not isinstance(func.value, ast.Call) and not self._assigned_to_itself(
            node, func.value
        ):
            self.leave(
                node, f"{name} changes {ast.unparse(func.value)} in place within an expression"
            )
            return None
        if name in FRESH:
            pattern, _ = IN_PLACE_RULES[name][0]
            bound = bind(pattern, node)
            if bound is not None:
                return self._write(FRESH[name], pattern, bound, kinds, {})
        if name in ("uniform_", "normal_"):
            (pattern, rule), bound = (
                IN_PLACE_RULES[name][0],
                bind(IN_PLACE_RULES[name][0][0], node),
            )
            if bound is not None:
                return self._write(rule.here.partition(" = ")[2], pattern, bound, kinds, {})
        written = self._by_rules(
            node,
            [(pattern, rule, False) for pattern, rule in BY_NAME.get(name[:-1], [])],
            kinds,
        )
        if written is None:
            self.leave(node, f"no rule for the method {name}")
        return written

    def _assigned_to_itself(self, node: ast.Call, receiver: ast.expr) -> bool:
        text = ast.unparse(receiver)
        return any(
            isinstance(part, ast.Assign)
            and part.value is node
            and [ast.unparse(t) for t in part.targets] == [text]
            for part in ast.walk(self.tree)
        )

    def _by_rules(
        self, node: ast.Call, candidates: Sequence[tuple[Pattern, Rule, bool]], kinds: Kinds
    ) -> str | None:
        """Return a call by the first rule that matches it."""
        for pattern, rule, as_function in candidates:
            bound = bind(pattern, node, as_function=as_function)
            if bound is None or not self._dtypes_match(pattern, bound):
                continue
            if not has_only_defaults(pattern, bound, rule.here):
                continue
            if rule.assumes:
                line = self.numbers[node.lineno - 1]
                self.result.assumed.append(Left(line, ast.unparse(node), rule.assumes))
            if "TENSOR(" in rule.here:
                return self._legacy_tensor(rule, bound, kinds)
            return self._write(
                rule.here, pattern, bound, kinds, self._dtype_words(node, pattern, bound, kinds)
            )
        return None

    def _legacy_tensor(
        self, rule: Rule, bound: dict[str, ast.expr | list[ast.expr]], kinds: Kinds
    ) -> str:
        values = bound["data"]
        dtype = self._use(rule.here.partition(", ")[2].rstrip(")"))
        if not isinstance(values, list):
            values = [values]

        def render(part: ast.expr) -> str:
            return self.render(part, kinds)

        sizes = (
            len(values) > 1
            or isinstance(values[0], ast.Starred)
            or kinds.of(values[0]) in (NUMBER, SHAPE)
        )
        return (
            self._use("np.empty" if sizes else "np.array")
            + f"({sizes_text(values, render)}, {dtype})"
        )

    def _dtypes_match(
        self, pattern: Pattern, bound: dict[str, ast.expr | list[ast.expr]]
    ) -> bool:
        for name, default in pattern.parameters:
            if isinstance(default, ast.Name) and default.id == "DTYPE_ONLY":
                value = bound.get(name)
                if not isinstance(value, ast.AST) or not self._is_dtype(value):
                    return False
        if pattern.name == "type":
            return isinstance(bound["dtype"], ast.AST) and (
                self._is_dtype(bound["dtype"]) or isinstance(bound["dtype"], ast.Call)
            )
        return True

    def _dtype_words(
        self,
        node: ast.Call,
        pattern: Pattern,
        bound: dict[str, ast.expr | list[ast.expr]],
        kinds: Kinds,
    ) -> dict[str, str]:
        """Return the dtypes that a template may name."""
        given = bound.get("dtype")
        if isinstance(given, ast.expr) and not (
            isinstance(given, ast.Constant) and given.value is None
        ):
            dtype = self.render(given, kinds)
            return dict.fromkeys(("DTYPE", "NEW", "LITERAL", "RANGE"), dtype)
        words: dict[str, str] = {}
        template = next(
            (rule.here for known, rule in BY_NAME[pattern.name] if known is pattern), ""
        )
        if "DTYPE" in template:
            words["DTYPE"] = self._follow(node, kinds)
        if "NEW" in template and isinstance(bound.get("x"), ast.expr):
            receiver = self.render(bound["x"], kinds)  # type: ignore[arg-type]
            words["NEW"] = f"{receiver}.dtype"
        if "LITERAL" in template:
            data = bound.get("data", bound.get("fill_value"))
            words["LITERAL"] = self._literal_dtype(node, data, kinds)
        if "RANGE" in template:
            values = bound["bounds"]
            parts = values if isinstance(values, list) else [values]
            numbers = [
                found
                for part in parts
                for found in ast.walk(part)
                if isinstance(found, ast.Constant)
            ]
            fraction = any(isinstance(number.value, float) for number in numbers)
            words["RANGE"] = self._follow(node, kinds) if fraction else ""
        return words

    def _literal_dtype(self, node: ast.Call, data: object, kinds: Kinds) -> str:
        parts = (
            [part for part in ast.walk(data) if isinstance(part, ast.Constant)]
            if isinstance(data, ast.AST)
            else []
        )
        plain = isinstance(data, ast.Constant | ast.List | ast.Tuple | ast.UnaryOp) and not any(
            isinstance(part, ast.Name | ast.Call | ast.Attribute) for part in ast.walk(data)
        )
        values = [part.value for part in parts]
        if plain and values and all(isinstance(value, bool) for value in values):
            return self._use("np.bool_")
        if plain and values and all(isinstance(value, int) for value in values):
            return self._use("np.int64")
        floating = any(isinstance(value, float) for value in values)
        if floating or (isinstance(data, ast.Call) and ast.unparse(data.func) == "float"):
            return self._follow(node, kinds)
        line = self.numbers[node.lineno - 1]
        self.result.assumed.append(
            Left(line, ast.unparse(node), "whole numbers; floats become float64 in NumPy")
        )
        return ""

    def _follow(self, node: ast.Call, kinds: Kinds) -> str:
        """Return the dtype of what a new array is for."""
        function = self.function
        if function is not None and function.name != "__init__":
            for name, layer in self.layers.items():
                if layer in WEIGHTS:
                    return f"self.{name}.{WEIGHTS[layer]}.dtype"
            if self.in_module and "self" in ast.unparse(function.args):
                return "next(self.parameters()).dtype"
        device = next((word.value for word in node.keywords if word.arg == "device"), None)
        if (
            isinstance(device, ast.Attribute)
            and device.attr == "device"
            and kinds.of(device.value) == ARRAY
        ):
            served = self.render(device.value, kinds)
            line = self.numbers[node.lineno - 1]
            self.result.assumed.append(Left(line, ast.unparse(node), f"{served} is of floats"))
            return f"{served}.dtype"
        return self._use("np.float32")

    def _pair_half(self, node: ast.Call, place: int, kinds: Kinds) -> str | None:
        """Return one of the two results of a call of max or min along an axis."""
        path = self.names.torch_path(node.func)
        name = (path or "").removeprefix("torch.") if path else getattr(node.func, "attr", "")
        if (name, place) not in PAIR_HALVES or not (node.args or node.keywords):
            return None
        receiver = None if path else node.func.value  # type: ignore[attr-defined]
        if receiver is not None and kinds.of(receiver) in (LIST, STRING, DICT, LIBRARY, NUMPY):
            return None
        pattern = pattern_of(f"x.{name}(dim, keepdim=False)")
        bound = bind(pattern, node, as_function=path is not None)
        if (
            bound is None
            or not isinstance(bound["dim"], ast.expr)
            or kinds.of(bound["dim"]) in TENSORS
        ):
            return None
        return self._write(PAIR_HALVES[name, place], pattern, bound, kinds, {})

    def _write(
        self,
        template: str,
        pattern: Pattern,
        bound: dict[str, ast.expr | list[ast.expr]],
        kinds: Kinds,
        words: dict[str, str],
    ) -> str:
        for module in self.words:
            if re.search(rf"\b{module}\.", template):
                self.needed.add(module)
        defaults = dict(pattern.parameters)

        def render(part: ast.expr) -> str:
            text = self.render(part, kinds)
            if isinstance(part, ast.Tuple) and not text.startswith("("):
                return f"({text})"
            if isinstance(part, ast.List) and any(
                bound.get(word) is part for word in ("dim", "dims")
            ):
                return f"({text[1:-1]},)" if len(part.elts) == 1 else f"({text[1:-1]})"
            return text

        return Writer(bound, defaults, render, {**self.words, **words}).write(template)


def _expressions_in(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions directly within a node."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and hasattr(child, "lineno"):
            yield child
        else:
            yield from _expressions_in(child)


def _is_loose(parent: ast.AST, child: ast.AST) -> bool:
    """Return whether brackets or commas surround a part of a node."""
    if isinstance(parent, ast.Call):
        return child is not parent.func
    if isinstance(parent, ast.Subscript):
        return child is not parent.value
    return isinstance(
        parent,
        ast.List
        | ast.Tuple
        | ast.Set
        | ast.Dict
        | ast.ListComp
        | ast.GeneratorExp
        | ast.IfExp
        | ast.Slice,
    )
