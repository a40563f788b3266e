"""Statements: what is rewritten, and what is removed as it only trains."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from numpy_rnn.port.binding import bind
from numpy_rnn.port.expressions import IN_PLACE_RULES
from numpy_rnn.port.imports import LOSS, Imports
from numpy_rnn.port.kinds import BY_NAME, Kinds, attributes_of, has_weights, layers_of, merged
from numpy_rnn.port.source import Ported

NO_GRADIENT = re.compile(
    r"torch\.(no_grad|inference_mode|enable_grad|set_grad_enabled|autocast|cuda\.amp\.autocast"
    r"|amp\.autocast|cpu\.amp\.autocast|autograd\.(no_grad|set_detect_anomaly|profiler.*)"
    r"|cuda\.device|jit\.optimized_execution|cuda\.stream|random\.fork_rng)$"
)
"""Contexts and decorators that mean nothing where no gradient is computed."""

DECORATORS = re.compile(
    r"torch\.(jit\.\w+|compile|compiler\.\w+|cuda\.amp\.\w+|no_grad|inference_mode|_jit_internal\.\w+)$"
)
SETTINGS = re.compile(
    r"torch\.(backends\..*|set_grad_enabled|set_num_threads|set_num_interop_threads|cuda\..*"
    r"|autograd\.set_detect_anomaly|set_float32_matmul_precision|use_deterministic_algorithms"
    r"|set_default_dtype|set_default_tensor_type|set_printoptions|multiprocessing\..*|jit\.\w+)$"
)
"""Statements that only set torch up."""

LOSS_FUNCTION = re.compile(
    r"torch\.nn\.functional\.(\w*_loss|cross_entropy|binary_cross_entropy\w*|kl_div)$"
)
TRAINING = {
    "training_step",
    "validation_step",
    "test_step",
    "configure_optimizers",
    "training_epoch_end",
    "validation_epoch_end",
    "on_train_epoch_end",
    "train_dataloader",
    "val_dataloader",
    "test_dataloader",
}


class Statements(Imports):
    """Rewrites a file, statement by statement."""

    def run(self) -> Ported:
        """Rewrite the file."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign) and self._is_loss(node.value):
                self.losses.update(ast.unparse(target) for target in node.targets)
        self.body(self.tree.body, Kinds(self.names))
        self.imports()
        text = self.source
        for start, end, new in sorted(self.edits, reverse=True):
            text = text[:start] + new + text[end:]
        self.result.source = text
        self.result.left = sorted(set(self.result.left), key=lambda left: left.line)
        return self.result

    def body(self, statements: Sequence[ast.stmt], kinds: Kinds) -> None:
        """Rewrite statements in their order; ``pass`` where none would be left."""
        kept = False
        for statement in statements:
            before = len(self.edits)
            removed = self.statement(statement, kinds)
            if removed:
                del self.edits[before:]
                self.remove(statement)
            documents = isinstance(statement, ast.Expr) and isinstance(
                statement.value, ast.Constant
            )
            kept = kept or not (removed or documents)
        if not kept and statements and statements is not self.tree.body:
            last = statements[-1]
            if not (isinstance(last, ast.Expr) and isinstance(last.value, ast.Constant)):
                start, end, _ = self.edits.pop()
                line = self.starts[last.lineno - 1]
                blank = re.match(r"[ \t]*", self.source[line:])
                whole = start == line
                new = f"{blank.group() if blank else ''}pass\n" if whole else "pass"
                self.edits.append((start, end, new))

    def statement(self, node: ast.stmt, kinds: Kinds) -> bool:
        """Rewrite one statement; return whether it is to be removed."""
        if isinstance(node, ast.Import | ast.ImportFrom):
            return False
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return self._function(node, kinds)
        if isinstance(node, ast.ClassDef):
            return self._class(node, kinds)
        if isinstance(node, ast.Assign | ast.AnnAssign):
            return self._assign(node, kinds)
        if isinstance(node, ast.Expr):
            return self._expression_statement(node, kinds)
        if self._is_question_for_cuda(node):
            return True
        if isinstance(node, ast.For | ast.AsyncFor):
            self.expression(node.iter, kinds)
            kinds.assign_each(node.target, node.iter)
        elif isinstance(node, ast.AugAssign):
            self.expression(node.target, kinds)
            self.expression(node.value, kinds)
        else:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.expression(child, kinds)
                elif isinstance(child, ast.withitem):
                    self.expression(child.context_expr, kinds)
        before, branches = dict(kinds.known), []
        for name in ("body", "orelse", "finalbody"):
            if getattr(node, name, None):
                kinds.known = dict(before)
                self.body(getattr(node, name), kinds)
                branches.append(kinds.known)
        if isinstance(node, ast.If) and not node.orelse:
            branches.append(before)
        if branches:
            kinds.known = merged(branches)
        for handler in getattr(node, "handlers", []):
            self.body(handler.body, kinds)
        return False

    def _is_question_for_cuda(self, node: ast.stmt) -> bool:
        """Return whether a statement acts on a GPU alone; an ``elif`` stays."""
        return (
            isinstance(node, ast.If)
            and not node.orelse
            and self._asks_for_cuda(node.test)
            and self.text(node).startswith("if")
        )

    def _asks_for_cuda(self, test: ast.expr) -> bool:
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            return any(self._asks_for_cuda(value) for value in test.values)
        if isinstance(test, ast.Attribute) and test.attr == "is_cuda":
            return True
        called = isinstance(test, ast.Call) and self.names.torch_path(test.func)
        return called == "torch.cuda.is_available" or ast.unparse(test) in (
            "use_cuda",
            "self.use_cuda",
            "USE_CUDA",
        )

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, kinds: Kinds) -> bool:
        reason = self._training(node)
        if reason:
            self.result.removed.append(f"{node.name}: {reason}")
            return True
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            path = self.names.torch_path(called) or ""
            if DECORATORS.match(path) or NO_GRADIENT.match(path):
                line = decorator.lineno
                self.edits.append(
                    (self.starts[line - 1], self.starts[decorator.end_lineno or line], "")
                )
            else:
                self.expression(decorator, kinds)
        inner = kinds.enter(node)
        arguments = node.args
        for argument in [
            *arguments.posonlyargs,
            *arguments.args,
            *arguments.kwonlyargs,
            arguments.vararg,
            arguments.kwarg,
        ]:
            if argument is not None and argument.annotation is not None:
                self._annotation(argument.annotation, kinds)
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default is not None:
                self.expression(default, kinds)
        if node.returns is not None:
            self._annotation(node.returns, kinds)
        outer, self.function = self.function, node
        self.body(node.body, inner)
        self.function = outer
        return False

    def _training(self, node: ast.AST) -> str:
        """Return why a function only trains, or nothing."""
        name = node.name  # type: ignore[attr-defined]
        if name in ("forward", "__init__", "__call__"):
            return ""
        if name in TRAINING:
            return "training"
        for part in ast.walk(node):
            if isinstance(part, ast.Call):
                if isinstance(part.func, ast.Attribute) and part.func.attr == "backward":
                    return "it computes gradients"
                path = self.names.torch_path(part.func) or ""
                if LOSS.match(path) or LOSS_FUNCTION.match(path):
                    return "it computes a loss"
                if ast.unparse(part.func) in self.losses:
                    return "it computes a loss"
        return ""

    def _class(self, node: ast.ClassDef, kinds: Kinds) -> bool:
        bases = [self.names.torch_path(base) or "" for base in node.bases]
        if any(
            base.startswith(("torch.autograd.Function", "torch.utils.data", "torch.optim"))
            for base in bases
        ):
            self.result.removed.append(f"{node.name}: training")
            return True
        for base in node.bases:
            self.expression(base, kinds)
        for keyword in node.keywords:
            self.expression(keyword.value, kinds)
        if any(base in ("torch.nn.Module", "torch.jit.ScriptModule") for base in bases):
            self.result.models.append(node.name)
        for decorator in node.decorator_list:
            self.expression(decorator, kinds)
        inner = Kinds(self.names, {})
        inner.known.update(kinds.known)
        for _ in range(2):  # the second look knows what the first one found
            inner.attributes.update(attributes_of(node, inner))
        layers = layers_of(node, self.names)
        with self.within(layers, has_weights(node, self.names) or bool(layers)):
            self.body(node.body, inner)
        return False

    def _annotation(self, node: ast.expr, kinds: Kinds) -> None:
        """Rewrite an annotation; one that has no NumPy form is evaluated no more."""
        with self.reporting_apart() as found:
            self.expression(node, kinds)
        if found.left:
            self.deferred.append(node)

    def _is_loss(self, value: ast.AST | None) -> bool:
        if not isinstance(value, ast.Call):
            return False
        if isinstance(value.func, ast.Attribute) and value.func.attr in ("to", "cuda"):
            return self._is_loss(value.func.value)
        return bool(LOSS.match(self.names.torch_path(value.func) or ""))

    def _assign(self, node: ast.Assign | ast.AnnAssign, kinds: Kinds) -> bool:
        value = node.value
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if self._is_loss(value):
            return True
        if any(self._is_setting(target) for target in targets):
            return True
        if isinstance(value, ast.Call) and self._inits_weights(value):
            return True
        if isinstance(node, ast.AnnAssign):
            self._annotation(node.annotation, kinds)
        if value is None:
            if isinstance(node, ast.AnnAssign):
                kinds.assign(node.target, None, kinds.of_annotation(node.annotation))
            return False
        for target in targets:
            self.expression(target, kinds)
        half = self._half(targets[0], value, kinds)
        if half is not None:
            self.edit(targets[0], half[0])
            self.edit(value, half[1])
        else:
            new = self.expression(value, kinds)
            if (
                len(targets) == 1
                and isinstance(node, ast.Assign)
                and self.text(targets[0]) == new != self.text(value)
            ):
                return True
        for target in targets:
            kinds.assign(target, value)
        return False

    def _is_setting(self, target: ast.expr) -> bool:
        """Return whether an assignment sets torch up, or says of which weights to train."""
        trains = isinstance(target, ast.Attribute) and target.attr == "requires_grad"
        return trains or bool(SETTINGS.match(self.names.torch_path(target) or ""))

    def _half(self, target: ast.expr, value: ast.expr, kinds: Kinds) -> tuple[str, str] | None:
        """Return ``_, i = x.max(1)`` as a name and what it becomes."""
        if not (
            isinstance(target, ast.Tuple)
            and len(target.elts) == 2
            and isinstance(value, ast.Call)
        ):
            return None
        unused = [ast.unparse(part) in ("_", "__") for part in target.elts]
        if sum(unused) != 1:
            return None
        place = 0 if unused[1] else 1
        written = self._pair_half(value, place, kinds)
        return None if written is None else (self.text(target.elts[place]), written)

    def _expression_statement(self, node: ast.Expr, kinds: Kinds) -> bool:
        value = node.value
        if isinstance(value, ast.Call):
            path = self.names.torch_path(value.func) or ""
            if SETTINGS.match(path) or self._inits_weights(value):
                return True
            if isinstance(value.func, ast.Attribute):
                name = value.func.attr
                if (
                    name.endswith("_")
                    and name in IN_PLACE_RULES
                    and self._in_place(node, value, kinds)
                ):
                    return False
                if self._reshape_in_place(node, value, kinds):
                    return False
                if name in ("cuda", "cpu", "to") and not path:
                    return True
        self.expression(value, kinds)
        return False

    def _inits_weights(self, value: ast.Call) -> bool:
        """Return whether a call draws first weights, which the loaded ones replace."""
        if not isinstance(value.func, ast.Attribute) or not value.func.attr.endswith("_"):
            return False
        if self.names.torch_path(value.func):
            return False
        receiver = ast.unparse(value.func.value)
        drawn = value.func.attr in (
            "uniform_",
            "normal_",
            "zero_",
            "fill_",
            "copy_",
            "mul_",
            "trunc_normal_",
        )
        of_weights = re.search(r"\.data\b|weight|bias", receiver)
        building = self.function is None or re.search("init|reset", self.function.name)
        return bool(drawn and of_weights and building)

    def _in_place(self, node: ast.Expr, call: ast.Call, kinds: Kinds) -> bool:
        receiver = call.func.value  # type: ignore[attr-defined]
        if isinstance(receiver, ast.Attribute) and receiver.attr == "data":
            receiver = receiver.value
        if not isinstance(receiver, ast.Name | ast.Subscript | ast.Attribute):
            return False
        for pattern, rule in IN_PLACE_RULES[call.func.attr]:  # type: ignore[attr-defined]
            bound = bind(pattern, call)
            if bound is None:
                continue
            bound["x"] = receiver
            text = self._write(rule.here, pattern, bound, kinds, {})
            if isinstance(receiver, ast.Subscript):
                text = text.replace(f"{self.text(receiver)}[...]", self.text(receiver), 1)
            self.edit(node, text)
            return True
        return False

    def _reshape_in_place(self, node: ast.Expr, call: ast.Call, kinds: Kinds) -> bool:
        """Rewrite ``x.squeeze_(0)`` as an assignment of what ``x.squeeze(0)`` becomes."""
        receiver, name = call.func.value, call.func.attr  # type: ignore[attr-defined]
        if not (isinstance(receiver, ast.Name) and name.endswith("_") and name[:-1] in BY_NAME):
            return False
        candidates = [(pattern, rule, False) for pattern, rule in BY_NAME[name[:-1]]]
        written = self._by_rules(call, candidates, kinds)
        if written is None:
            return False
        self.edit(node, f"{receiver.id} = {written}")
        return True
