"""What the names in a file of source are, and what kinds of things its expressions give.

An expression's kind is known from annotations, imports, calls and use; None where it is not.
"""

from __future__ import annotations

import ast
import re

import numpy_rnn
from numpy_rnn.port.binding import rules_by_name
from numpy_rnn.port.rules import (
    ARRAY,
    ARRAYS,
    INTEGERS,
    NUMBER,
    OTHER,
    PAIR,
    RULES,
    SAME,
    SHAPE,
)

LIST, STRING, DICT, MODULE, RECURRENT, PACKED, NUMPY, LIBRARY = (
    "list",
    "string",
    "dict",
    "module",
    "recurrent",
    "packed",
    "numpy",
    "library",
)
"""Further kinds: a layer, a recurrent layer, a packed sequence, what NumPy's own functions
return, and an imported module."""

TENSORS = {ARRAY, INTEGERS}
BY_NAME = rules_by_name(RULES)
AMBIGUOUS = {
    "sort",
    "split",
    "index",
    "count",
    "values",
    "type",
    "to",
    "any",
    "all",
    "new",
    "equal",
    "add",
    "sub",
    "select",
    "float",
    "int",
    "long",
    "double",
    "bool",
}
"""Methods that strings, lists, sets, dicts or layers have too."""

UNMISTAKABLE = {name for name in BY_NAME if "." not in name} - AMBIGUOUS
ANNOTATIONS = {
    "int": NUMBER,
    "float": NUMBER,
    "bool": NUMBER,
    "str": STRING,
    "list": LIST,
    "List": LIST,
    "dict": DICT,
    "Dict": DICT,
    "np.ndarray": NUMPY,
    "PackedSequence": PACKED,
}
BUILTINS = {
    "list": LIST,
    "sorted": LIST,
    "range": LIST,
    "str": STRING,
    "open": OTHER,
    "dict": DICT,
    "int": NUMBER,
    "float": NUMBER,
    "len": NUMBER,
    "round": NUMBER,
}
RECURRENT_LAYERS = {"RNN", "LSTM", "GRU"}


class Names:
    """The names that a file imports, and what they stand for.

    Attributes
    ----------
    paths : dict of str to str
        The imported names, with the dotted path of each.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.paths: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    self.paths[name] = alias.name if alias.asname else name
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                for alias in node.names:
                    self.paths[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def path(self, node: ast.AST) -> str | None:
        """Return the dotted path of an imported thing, such as ``torch.nn.GRU``."""
        if isinstance(node, ast.Name):
            return self.paths.get(node.id)
        if isinstance(node, ast.Attribute):
            base = self.path(node.value)
            return base and f"{base}.{node.attr}"
        return None

    def torch_path(self, node: ast.AST) -> str | None:
        """Return the dotted path of a thing of torch's, or None."""
        path = self.path(node)
        if path is None or path.partition(".")[0] != "torch":
            return None
        for public, *others in (
            ("torch.nn.utils.rnn",),
            ("torch.nn.functional", "torch.functional", "torch.special"),
            ("torch.nn.init",),
            ("torch.nn", "torch.nn.modules.rnn", "torch.nn.modules"),
        ):
            for other in others:
                if path.startswith(f"{other}."):
                    return f"{public}{path[len(other) :]}"
        return re.sub(r"^torch\.nn\.(modules\.\w+|parameter)\.(?=[A-Z])", "torch.nn.", path)

    def called(self, path: str) -> str | None:
        """Return the name that a module was imported as, if it was."""
        return next((name for name, known in self.paths.items() if known == path), None)


class Kinds:
    """The kinds of the names in one function, and of the attributes of its class."""

    def __init__(self, names: Names, attributes: dict[str, str] | None = None) -> None:
        self.names: Names = names
        self.attributes: dict[str, str] = {} if attributes is None else attributes
        self.known: dict[str, str | None] = {}

    def enter(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Kinds:
        """Return the kinds within a function, its parameters known by annotation and use."""
        inner = Kinds(self.names, self.attributes)
        inner.known.update(self.known)
        arguments = function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        used = _kinds_by_use(function, self)
        without = len(every) - len(arguments.kwonlyargs) - len(arguments.defaults)
        defaults: list[ast.expr | None] = [None] * without
        defaults += [*arguments.defaults, *arguments.kw_defaults]
        for argument, default in zip(every, defaults):
            kind = self.of_annotation(argument.annotation)
            if (
                kind is None
                and default is not None
                and self.of(default) in (STRING, LIST, DICT, NUMBER)
            ):
                kind = self.of(default)
            use = used.get(argument.arg)
            inner.known[argument.arg] = use if kind in (None, ARRAY) and use else kind
        for name, kind in used.items():
            if kind == INTEGERS and name not in inner.known:
                inner.known[name] = kind
        return inner

    def of_annotation(self, annotation: ast.expr | None) -> str | None:
        """Return the kind that an annotation means."""
        if annotation is None:
            return None
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            try:
                annotation = ast.parse(annotation.value, mode="eval").body
            except SyntaxError:
                return None
        if self.names.torch_path(annotation) in ("torch.Tensor", "torch.LongTensor"):
            return ARRAY
        if isinstance(annotation, ast.BinOp):  # X | None
            return self.of_annotation(annotation.left)
        text = ast.unparse(annotation)
        if text.startswith(("Optional[", "typing.Optional[")):
            return self.of_annotation(annotation.slice)  # type: ignore[attr-defined]
        return ANNOTATIONS.get(text.partition("[")[0].rpartition("typing.")[2])

    def of(self, node: ast.AST) -> str | None:
        """Return the kind of an expression's value, or None if it is not known."""
        if isinstance(node, ast.Name):
            if node.id in self.known:
                return self.known[node.id]
            return LIBRARY if node.id in self.names.paths else None
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                return STRING
            return NUMBER if isinstance(node.value, int | float) else OTHER
        if isinstance(node, ast.JoinedStr):
            return STRING
        if isinstance(node, ast.List | ast.ListComp | ast.Tuple | ast.GeneratorExp):
            return LIST
        if isinstance(node, ast.Dict | ast.DictComp):
            return DICT
        if isinstance(node, ast.Attribute):
            return self._of_attribute(node)
        if isinstance(node, ast.Subscript):
            return self._of_subscript(node)
        if isinstance(node, ast.UnaryOp):
            return OTHER if isinstance(node.op, ast.Not) else self.of(node.operand)
        if isinstance(node, ast.BinOp):
            kinds = {self.of(node.left), self.of(node.right)}
            if ARRAY in kinds or kinds == {INTEGERS, None}:
                return ARRAY
            return next(
                (kind for kind in (INTEGERS, STRING, LIST, SHAPE) if kind in kinds),
                None if None in kinds else NUMBER,
            )
        if isinstance(node, ast.Compare):
            kinds = {self.of(part) for part in (node.left, *node.comparators)}
            return (
                ARRAY
                if kinds & TENSORS
                and isinstance(
                    node.ops[0], ast.Eq | ast.NotEq | ast.Lt | ast.Gt | ast.LtE | ast.GtE
                )
                else None
            )
        if isinstance(node, ast.IfExp):
            return self.of(node.body) or self.of(node.orelse)
        if isinstance(node, ast.Call):
            return self._of_call(node)
        return None

    def _of_attribute(self, node: ast.Attribute) -> str | None:
        base = self.of(node.value)
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            return self.attributes.get(node.attr)
        if base == PAIR:
            return {"values": ARRAY, "indices": INTEGERS}.get(node.attr)
        if node.attr == "shape":
            return SHAPE
        if node.attr in ("T", "data", "grad") and base in TENSORS:
            return base
        if base == PACKED:
            return {"data": ARRAY, "batch_sizes": INTEGERS}.get(node.attr)
        if base in (MODULE, RECURRENT) and node.attr.startswith(("weight", "bias")):
            return ARRAY
        if base == LIBRARY:
            return NUMBER if self.names.path(node) in ("math.pi", "numpy.pi") else LIBRARY
        return None

    def _of_subscript(self, node: ast.Subscript) -> str | None:
        base = self.of(node.value)
        if base in TENSORS or base == NUMPY:
            return base
        whole = isinstance(node.slice, ast.Slice)
        if base in (ARRAYS, SHAPE):
            return base if whole else {ARRAYS: ARRAY, SHAPE: NUMBER}[base]
        if base == PAIR and isinstance(node.slice, ast.Constant):
            return INTEGERS if node.slice.value == 1 else ARRAY
        if base == "result of recurrent" and isinstance(node.slice, ast.Constant):
            return ARRAY if node.slice.value == 0 else None
        if base == STRING:
            return STRING
        return LIST if base == LIST and whole else None

    def _of_call(self, node: ast.Call) -> str | None:
        path = self.names.torch_path(node.func)
        if path is not None:
            return self._of_torch(path, node)
        if isinstance(node.func, ast.Name):
            if node.func.id in BUILTINS:
                return BUILTINS[node.func.id]
            if node.func.id == "next" and "parameters()" in ast.unparse(node):
                return ARRAY
            if node.func.id in ("max", "min", "sum", "abs") and node.args:
                return self.of(node.args[0]) if node.func.id == "abs" else None
        called = self.of(node.func)
        if called == RECURRENT:
            return "result of recurrent"
        if called == MODULE:
            return ARRAY
        if (self.names.path(node.func) or "").startswith("numpy."):
            return NUMPY
        if isinstance(node.func, ast.Attribute):
            return self._of_method(node.func)
        return None

    def _of_torch(self, path: str, node: ast.Call) -> str | None:
        last = path.rpartition(".")[2]
        if path.startswith("torch.nn.utils.rnn."):
            if last.startswith("pack"):
                return PACKED
            return "result of recurrent" if last == "pad_packed_sequence" else ARRAY
        if path.startswith("torch.nn.functional."):
            return ARRAY
        if path.startswith("torch.nn."):
            if last == "Parameter":
                return ARRAY
            return RECURRENT if last in RECURRENT_LAYERS else MODULE
        if path.startswith("torch.distributions."):
            return "distribution"
        rules = BY_NAME.get(path) or BY_NAME.get(path.removeprefix("torch."))
        if rules is None:
            return ARRAY if path.count(".") == 1 else None
        kind = rules[0][1].kind
        if last in ("max", "min") and len(node.args) + len(node.keywords) > 1:
            return ARRAY if len(node.args) > 1 and self.of(node.args[1]) in TENSORS else PAIR
        if kind == SAME:
            return self.of(node.args[0]) if node.args else None
        return kind

    def _of_method(self, node: ast.Attribute) -> str | None:
        base = self.of(node.value)
        call = node.attr
        if base == "distribution":
            return ARRAY
        if base in (STRING, LIST, DICT, LIBRARY):
            return LIST if base == STRING and call in ("split", "splitlines") else None
        if base in (MODULE, RECURRENT) and call in (
            "to",
            "cuda",
            "cpu",
            "eval",
            "double",
            "float",
        ):
            return base
        if base not in TENSORS and call not in UNMISTAKABLE:
            return None
        rules = BY_NAME.get(call)
        if rules is None:
            return base if call.endswith("_") else None
        return (
            base
            if rules[0][1].kind == SAME
            else {"max": PAIR, "min": PAIR}.get(call, rules[0][1].kind)
        )

    def assign(self, target: ast.AST, value: ast.expr | None, kind: str | None = None) -> None:
        """Note what an assignment makes of its target."""
        if value is not None:
            kind = self.of(value)
            if (
                isinstance(value, ast.Call)
                and isinstance(value.func, ast.Attribute)
                and value.func.attr in ("max", "min")
                and kind == PAIR
                and not value.args
                and not value.keywords
            ):
                kind = ARRAY
        if isinstance(target, ast.Name):
            self.known[target.id] = kind
        elif isinstance(target, ast.Tuple | ast.List):
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                for part, its in zip(target.elts, value.elts):
                    self.assign(part, its)
                return
            for place, part in enumerate(target.elts):
                self.assign(part, None, _part(kind, place))

    def assign_each(self, target: ast.expr, iterable: ast.expr) -> None:
        """Note what a loop over something makes of its target."""
        called = ast.unparse(iterable.func) if isinstance(iterable, ast.Call) else ""
        if called.endswith((".parameters", ".buffers")):
            self.assign(target, None, ARRAY)
            return
        if called.endswith((".named_parameters", ".named_buffers")):
            if isinstance(target, ast.Tuple) and len(target.elts) == 2:
                self.assign(target.elts[0], None, STRING)
                self.assign(target.elts[1], None, ARRAY)
            return
        parts = iterable.args if isinstance(iterable, ast.Call) else []
        if called == "enumerate" and isinstance(target, ast.Tuple) and parts:
            self.assign(target.elts[0], None, NUMBER)
            self.assign_each(target.elts[1], parts[0])
        elif called == "zip" and isinstance(target, ast.Tuple):
            for part, its in zip(target.elts, parts):
                self.assign_each(part, its)
        else:
            kind = self.of(iterable)
            of_each = {ARRAY: ARRAY, "arrays": ARRAY, INTEGERS: INTEGERS, SHAPE: NUMBER}
            is_range = called == "range"
            self.assign(target, None, NUMBER if is_range else of_each.get(kind or ""))


def _part(kind: str | None, place: int) -> str | None:
    """Return the kind of one of the parts that a value of a kind unpacks into."""
    if kind == PAIR:
        return INTEGERS if place else ARRAY
    if kind == "result of recurrent":
        return None if place else ARRAY
    return {SHAPE: NUMBER, ARRAYS: ARRAY, ARRAY: ARRAY, INTEGERS: INTEGERS}.get(kind or "")


def merged(branches: list[dict[str, str | None]]) -> dict[str, str | None]:
    """Return the kinds of names after branches of which one was taken."""
    first, *others = branches
    names = {name for branch in branches for name in branch}
    return {
        name: first.get(name)
        or next((other[name] for other in others if other.get(name)), None)
        if len({branch[name] for branch in branches if branch.get(name)}) < 2
        else None
        for name in names
    }


def attributes_of(cls: ast.ClassDef, kinds: Kinds) -> dict[str, str]:
    """Return the kinds of what a class assigns to attributes of ``self``."""
    found: dict[str, str] = {}
    for function in cls.body:
        if not isinstance(function, ast.FunctionDef):
            continue
        inner = kinds.enter(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if (
                        isinstance(target, ast.Attribute)
                        and ast.unparse(target.value) == "self"
                    ):
                        kind = inner.of(node.value)
                        if kind is not None:
                            found.setdefault(target.attr, kind)
            elif (
                isinstance(node, ast.Call)
                and ast.unparse(node.func) == "self.register_buffer"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                found.setdefault(str(node.args[0].value), ARRAY)
    return found


def has_weights(cls: ast.ClassDef, names: Names) -> bool:
    """Return whether a class is a module that keeps others, or parameters, on ``self``."""
    bases = [names.torch_path(base) or "" for base in cls.bases]
    if not any(base in ("torch.nn.Module", "torch.jit.ScriptModule") for base in bases):
        return False
    return any(
        isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func).rpartition(".")[2][:1].isupper()
        and ast.unparse(node).startswith("self.")
        for node in ast.walk(cls)
    )


def layers_of(cls: ast.ClassDef, names: Names) -> dict[str, str]:
    """Return the attributes that hold one layer of torch's, with its class."""
    found = {}
    for node in ast.walk(cls):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            path = names.torch_path(node.value.func) or ""
            if path.startswith("torch.nn.") and path.count(".") == 2:
                for target in node.targets:
                    if (
                        isinstance(target, ast.Attribute)
                        and ast.unparse(target.value) == "self"
                    ):
                        found[target.attr] = path.removeprefix("torch.nn.")
    return found


def _kinds_by_use(function: ast.AST, kinds: Kinds) -> dict[str, str]:
    """Return the names that only an array can be, by the methods that are called on them."""
    found: dict[str, str] = {}
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        if (
            isinstance(receiver, ast.Name)
            and ast.unparse(node.func).rpartition(".")[2] in UNMISTAKABLE
            and receiver.id not in kinds.names.paths
        ):
            found.setdefault(receiver.id, ARRAY)
        called = ast.unparse(node.func).removeprefix("self.")
        arguments = [part.id for part in node.args if isinstance(part, ast.Name)]
        if "embed" in called.lower() and called in kinds.attributes:
            for name in arguments[:1]:
                found[name] = INTEGERS
        elif kinds.attributes.get(called) in (MODULE, RECURRENT):
            for name in arguments[:1]:
                found.setdefault(name, ARRAY)
    return found


def has_layer(path: str) -> bool:
    """Return whether numpy_rnn has what torch has under a dotted path in ``torch.nn``."""
    value: object = numpy_rnn
    for name in path.split(".")[2:]:
        value = getattr(value, name, None)
    return value is not None
