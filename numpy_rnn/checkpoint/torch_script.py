"""TorchScript archives, which ``torch.jit.save`` writes: weights only.

``data.pkl`` holds the module with its submodules as objects of classes ``__torch__...``.
Their code is in the archive and is neither compiled nor run: only two lines of each class
are read, as text, which name its parameters and its buffers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.memory_budget import MemoryBudget
from numpy_rnn.checkpoint.state_dicts import collect_weights
from numpy_rnn.checkpoint.tensors import Tensor
from numpy_rnn.checkpoint.torch_unpickler import KNOWN_NAMES, InertUnpickler
from numpy_rnn.checkpoint.torch_zip import PICKLE, ZipStorages, is_big_endian
from numpy_rnn.checkpoint.unknown_object import Global, UnknownNameError, UnknownObject
from numpy_rnn.checkpoint.zip_archive import ZipArchive

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

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
"""What gives lists their types. None of these calls holds weights."""


def is_torch_script(archive: ZipArchive, folder: str) -> bool:
    """Return whether a zip file of torch's comes from ``torch.jit.save``."""
    return f"{folder}/{CONSTANTS}" in archive.members


def read_torch_script(archive: ZipArchive, folder: str) -> dict[str, AnyArray]:
    """Return the ``state_dict()`` of a module.

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
            archive.budget,
            ZipStorages(archive, f"{folder}/{storages}", big_endian),
        ).run()

    module = unpickled(PICKLE.lstrip("/"), "data")
    if not isinstance(module, UnknownObject):
        raise CheckpointError(
            f"data.pkl of a TorchScript archive must hold a module, got {shown(module)}"
        )
    classes = _Classes(archive, folder)
    tensors = collect_weights(module, classes.own_weights, classes.submodules, archive.budget)
    if not tensors:
        constants = unpickled(CONSTANTS, "constants")
        if type(constants) is not tuple:
            raise CheckpointError(
                f"{CONSTANTS} of a TorchScript archive must hold a tuple, got "
                f"{shown(constants)}"
            )
        named = ((f"CONSTANTS.c{index}", value) for index, value in enumerate(constants))
        tensors = {name: value for name, value in named if isinstance(value, Tensor)}
    return {name: tensor.array() for name, tensor in tensors.items()}


class ScriptUnpickler(InertUnpickler):
    """Builds a scripted module, with unknown objects for those of the archive's classes."""

    def find(self, name: Global) -> Any:
        """Return the dtype that `name` means, or `name` itself if it is allowed."""
        is_own = name.module == CODE_MODULE or name.module.startswith(CODE_MODULE + ".")
        if not is_own and name not in FUNCTIONS and name not in KNOWN_NAMES:
            raise UnknownNameError(name)
        return super().find(name)


class _Classes:
    """The classes in an archive's code, with the names of their parameters and buffers."""

    def __init__(self, archive: ZipArchive, folder: str) -> None:
        self._archive = archive
        self._folder = folder
        self._parsed: dict[str, dict[str, list[str]]] = {}

    def own_weights(
        self, module: UnknownObject, budget: MemoryBudget
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield the parameters of a module, then its buffers, by name."""
        attributes = module.attributes()
        names = self._names(module.name)
        if names is None:
            raise CheckpointError(
                f"the TorchScript archive has no code for the class {shown(str(module.name))}"
            )
        budget.spend_search(len(names))
        for name in names:
            value = attributes.get(name)
            if isinstance(value, Tensor):
                yield name, value

    def submodules(
        self, module: UnknownObject, budget: MemoryBudget
    ) -> Iterator[tuple[str, UnknownObject]]:
        """Yield the submodules of a module by name."""
        attributes = module.attributes()
        budget.spend_search(len(attributes))
        for name, value in attributes.items():
            is_object = type(name) is str and isinstance(value, UnknownObject)
            if is_object and self._names(value.name) is not None:
                yield name, value

    def _names(self, name: Global) -> list[str] | None:
        """Return the names of the parameters and buffers of a class, if it is a module."""
        if name.module not in self._parsed:
            self._parsed[name.module] = self._parse(name.module)
        return self._parsed[name.module].get(name.name)

    def _parse(self, module: str) -> dict[str, list[str]]:
        path = f"{self._folder}/code/{module.replace('.', '/')}.py"
        if path not in self._archive.members:
            return {}
        code = self._archive.read(path)
        self._archive.budget.spend(4 * len(code), "the code of a module")
        text = code.decode("utf-8", "replace")
        return {
            kind: NAME.findall(parameters) + NAME.findall(buffers)
            for kind, parameters, buffers in CLASS.findall(text)
        }
