"""Imports: what replaces those of torch, and what the new source needs besides."""

from __future__ import annotations

import ast
import re

import numpy_rnn
from numpy_rnn import distributions, functional, init
from numpy_rnn.port.expressions import Expressions
from numpy_rnn.port.rules import NAMES
from numpy_rnn.utils import parametrizations, rnn

LOSS = re.compile(
    r"torch\.nn\.(\w*Loss)$|torch\.optim\b.*|torch\.cuda\.amp\.GradScaler$|torch\.amp\.GradScaler$"
)
DROPPED_IMPORTS = (
    "torch.autograd",
    "torch.optim",
    "torch.jit",
    "torch.cuda",
    "torch.backends",
    "torch.utils",
    "torch.amp",
    "torch.fx",
    "torch.distributed",
    "torch.multiprocessing",
    "torch.hub",
)


class Imports(Expressions):
    """Rewrites imports, after everything else."""

    def imports(self) -> None:
        """Replace the imports of torch, and add what the new source needs."""
        torch_imports = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Import | ast.ImportFrom) and self._is_torch_import(node)
        ]
        made: set[str] = set()
        replaced = [(node, self._import_lines(node, made)) for node in torch_imports]
        wanted = {
            "np": "import numpy as np",
            "nn": "import numpy_rnn as nn",
            "F": "from numpy_rnn import functional as F",
            "arrays": "from numpy_rnn import arrays",
            "distributions": "from numpy_rnn import distributions",
        }
        extra = []
        for name, line in wanted.items():
            called = self.words.get(name, name)
            known = (name == "np" and self.names.called("numpy")) or called in made
            if name in self.needed and not known:
                extra.append(line)
        future = (
            ["from __future__ import annotations"]
            if self.deferred and "annotations" not in self.names.paths
            else []
        )
        first = True
        for node, lines in replaced:
            top = node in self.tree.body
            if top and first:
                lines, first = [*extra, *(lines or [])], False
            self._replace_import(node, lines)
        if first and extra:
            self._insert_at_top(extra)
        if future:
            self._insert_at_top(future)

    def _is_torch_import(self, node: ast.Import | ast.ImportFrom) -> bool:
        modules = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
        )
        relative = isinstance(node, ast.ImportFrom) and node.level > 0
        roots = {module.partition(".")[0] for module in modules}
        for root in sorted(
            roots & {"torchvision", "torchaudio", "torchtext", "pytorch_lightning", "lightning"}
        ):
            self.leave(node, f"{root} needs torch")
        return "torch" in roots and not relative

    def _import_lines(
        self, node: ast.Import | ast.ImportFrom, made: set[str]
    ) -> list[str] | None:
        """Return the imports that replace one, or None where a part of its text is replaced."""
        if isinstance(node, ast.Import):
            lines = []
            for alias in node.names:
                lines += self._module_import(alias.name, alias.asname, made)
            return lines
        module = node.module or ""
        whole = {
            "torch.nn": "numpy_rnn",
            "torch.nn.functional": "numpy_rnn.functional",
            "torch.nn.init": "numpy_rnn.init",
            "torch.nn.utils": "numpy_rnn.utils",
            "torch.nn.utils.rnn": "numpy_rnn.utils.rnn",
            "torch.nn.parameter": "numpy_rnn",
            "torch.nn.modules": "numpy_rnn",
            "torch.nn.utils.parametrizations": "numpy_rnn.utils.parametrizations",
            "torch.distributions": "numpy_rnn.distributions",
        }
        if module.startswith("torch.nn.modules."):
            whole[module] = "numpy_rnn"
        if module.startswith("torch.distributions."):
            whole[module] = "numpy_rnn.distributions"
        if module in whole:
            return self._names_import(node, whole[module], made)
        lines = []
        for alias in node.names:
            path = f"{module}.{alias.name}"
            if path in ("torch.nn", "torch.nn.functional", "torch.distributions"):
                lines += self._module_import(path, alias.asname or alias.name, made)
            elif module != "torch" and not module.startswith(DROPPED_IMPORTS):
                self.leave(node, f"no rule for {path}")
        return lines

    def _names_import(self, node: ast.ImportFrom, module: str, made: set[str]) -> list[str]:
        kept, lines = [], []
        for alias in node.names:
            name = alias.name
            shown = name if alias.asname is None else f"{name} as {alias.asname}"
            path = f"{node.module}.{name}"
            if name == "*" or _has(module, name):
                kept.append(shown)
                made.add(alias.asname or name)
            elif (
                LOSS.match(f"torch.nn.{name}")
                or name in ("clip_grad_norm_", "DataParallel")
                or path in NAMES
            ):
                continue
            else:
                self.leave(node, f"{module} has no {name}")
        if kept:
            lines.append(f"from {module} import {', '.join(kept)}")
        if lines and len(lines[0]) > 88:
            inner = "".join(f"    {name},\n" for name in kept)
            lines = [f"from {module} import (\n{inner})"]
        return lines

    def _module_import(self, module: str, name: str | None, made: set[str]) -> list[str]:
        known = {
            "torch.nn": "import numpy_rnn as {}",
            "torch.nn.functional": "from numpy_rnn import functional as {}",
            "torch.nn.init": "from numpy_rnn import init as {}",
            "torch.nn.utils": "from numpy_rnn import utils as {}",
            "torch.nn.utils.rnn": "from numpy_rnn.utils import rnn as {}",
            "torch.distributions": "from numpy_rnn import distributions as {}",
        }
        if module not in known or name is None:
            return []
        line = known[module]
        made.add(name)
        plain = line.partition(" as ")[0]
        return [plain if plain.endswith(f" {name}") else line.format(name)]

    def _replace_import(self, node: ast.AST, lines: list[str] | None) -> None:
        if not lines:
            start, end = self.span(node)
            alone = self.source[self.starts[node.lineno - 1] : start].strip() == ""  # type: ignore[attr-defined]
            if alone and not self._is_only_statement(node):
                self.remove(node)
            else:
                self.edits.append((start, end, "pass"))
            return
        start, _ = self.span(node)
        indent = self.source[self.starts[node.lineno - 1] : start]  # type: ignore[attr-defined]
        self.edit(node, f"\n{indent}".join(lines))

    def _is_only_statement(self, node: ast.AST) -> bool:
        return any(
            getattr(parent, part, None) == [node]
            for parent in ast.walk(self.tree)
            for part in ("body", "orelse", "finalbody")
            if not isinstance(parent, ast.Module)
        )

    def _insert_at_top(self, lines: list[str]) -> None:
        """Put lines after the docstring and imports from ``__future__``."""
        place = 0
        for node in self.tree.body:
            documents = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if documents or (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
                place = self.starts[node.end_lineno or 0]
            else:
                break
        if place == 0:
            while self.source[place:].startswith("#"):
                place = self.source.find("\n", place) + 1 or len(self.source)
        self.edits.append((place, place, "".join(f"{line}\n" for line in lines)))


def _has(module: str, name: str) -> bool:
    """Return whether a module of numpy_rnn has a name."""
    known = {
        "numpy_rnn": numpy_rnn,
        "numpy_rnn.functional": functional,
        "numpy_rnn.init": init,
        "numpy_rnn.utils": numpy_rnn.utils,
        "numpy_rnn.utils.rnn": rnn,
        "numpy_rnn.utils.parametrizations": parametrizations,
        "numpy_rnn.distributions": distributions,
    }
    names: list[str] = known[module].__all__
    return name in names
