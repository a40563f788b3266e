"""TorchScript archives, which ``torch.jit.save`` writes: weights only.

``data.pkl`` holds the module with its submodules as objects of classes ``__torch__...``.
Their code is in the archive and is neither compiled nor run: two lines of each class are
looked at as text, which name its parameters and its buffers.
"""

from __future__ import annotations

import re
from typing import Any

from numpy_rnn.checkpoint.allowance import Allowance
from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.source import Source
from numpy_rnn.checkpoint.stubs import Global, Stub, UnknownNameError
from numpy_rnn.checkpoint.tensors import Tensor
from numpy_rnn.checkpoint.torch_unpickler import InertUnpickler
from numpy_rnn.checkpoint.torch_zip import PICKLE, ZipStorages, is_big_endian
from numpy_rnn.checkpoint.zip_archive import ZipArchive

__all__ = ["is_torch_script", "read_torch_script"]

CONSTANTS = "constants.pkl"

CLASS = re.compile(
    r"^class (\w+)\(Module\):\n"
    r"  __parameters__ = \[([^\]\n]*)\]\n"
    r"  __buffers__ = \[([^\]\n]*)\]$",
    re.MULTILINE,
)
NAME = re.compile(r'"([^"\\]*)"')

CODE_MODULE = "__torch__"

FUNCTIONS = {
    Global("torch.jit._pickle", name)
    for name in (
        "build_boollist",
        "build_doublelist",
        "build_intlist",
        "build_tensor_from_id",
        "build_tensorlist",
        "restore_type_tag",
    )
}
"""What gives lists their types. None of them holds weights of its own."""

DEEPEST = 200
"""Submodules within each other; their names would grow with the square of it."""


def is_torch_script(archive: ZipArchive, folder: str) -> bool:
    """Tell whether a zip file of torch's comes from ``torch.jit.save``."""
    return f"{folder}/{CONSTANTS}" in archive.members


def read_torch_script(source: Source, archive: ZipArchive, folder: str) -> dict[str, Any]:
    """Return the tensors of a module, under the names of its ``state_dict()``.

    A frozen module has constants in place of parameters: they are called as in its code,
    ``CONSTANTS.c0`` and so on.

    Raises
    ------
    CheckpointError
        If the file is damaged, or holds what is not allowed.
    """
    big_endian = is_big_endian(archive, folder)

    def unpickled(name: str, storages: str) -> Any:
        return ScriptUnpickler(
            archive.read(f"{folder}/{name}"),
            source.allowance,
            ZipStorages(archive, f"{folder}/{storages}", source.allowance, big_endian),
        ).run()

    module = unpickled(PICKLE.lstrip("/"), "data")
    if not isinstance(module, Stub):
        raise CheckpointError("the TorchScript archive holds no module")
    weights = _Weights(archive, folder, source.allowance).of(module)
    if weights:
        return weights
    constants = unpickled(CONSTANTS, "constants")
    if type(constants) is not tuple:
        raise CheckpointError("the constants of the TorchScript archive are no tuple")
    return {
        f"CONSTANTS.c{index}": constant
        for index, constant in enumerate(constants)
        if isinstance(constant, Tensor)
    }


class ScriptUnpickler(InertUnpickler):
    """Builds a scripted module: objects of the archive's own classes become stubs."""

    def find(self, name: Global) -> Any:
        """Return `name` if it is on the list, or a class of the archive's."""
        is_own = name.module == CODE_MODULE or name.module.startswith(CODE_MODULE + ".")
        if not is_own and name not in FUNCTIONS:
            found = super().find(name)
            if name in self.unknown:
                raise UnknownNameError(f"the pickle names {name}, which is not allowed")
            return found
        return name


class _Weights:
    """Walks modules for the tensors that their code calls parameters and buffers."""

    def __init__(self, archive: ZipArchive, folder: str, allowance: Allowance) -> None:
        self._archive = archive
        self._folder = folder
        self._allowance = allowance
        self._classes: dict[str, dict[str, list[str]]] = {}

    def of(self, module: Stub) -> dict[str, Tensor]:
        """Return the tensors by name: parameters, buffers, then those of submodules."""
        weights: dict[str, Tensor] = {}
        pending = [("", 0, module)]
        while pending:
            prefix, depth, module = pending.pop()
            self._allowance.take(len(prefix) + 200, "the names of the modules")
            if depth > DEEPEST:
                raise CheckpointError(f"more than {DEEPEST} modules within each other")
            attributes = module.attributes()
            for name in self._names(module, attributes):
                value = attributes.get(name)
                if isinstance(value, Tensor):
                    self._allowance.take(len(prefix) + len(name) + 200, "the names of weights")
                    weights[prefix + name] = value
            children = [
                (f"{prefix}{name}.", depth + 1, value)
                for name, value in attributes.items()
                if type(name) is str and isinstance(value, Stub) and self._is_module(value)
            ]
            pending += reversed(children)
        return weights

    def _is_module(self, stub: Stub) -> bool:
        return self._lists(stub.name) is not None

    def _names(self, module: Stub, attributes: dict[Any, Any]) -> list[str]:
        names = self._lists(module.name)
        if names is None:
            raise CheckpointError(f"the archive has no class {shown(str(module.name))}")
        return [name for name in names if name in attributes]

    def _lists(self, name: Global) -> list[str] | None:
        """Return the names of the parameters and buffers of a class, if it is a module."""
        if name.module not in self._classes:
            self._classes[name.module] = self._parsed(name.module)
        return self._classes[name.module].get(name.name)

    def _parsed(self, module: str) -> dict[str, list[str]]:
        path = f"{self._folder}/code/{module.replace('.', '/')}.py"
        if path not in self._archive.members:
            return {}
        code = self._archive.read(path)
        self._allowance.take(4 * len(code), "code")
        text = code.decode("utf-8", "replace")
        return {
            kind: NAME.findall(parameters) + NAME.findall(buffers)
            for kind, parameters, buffers in CLASS.findall(text)
        }
