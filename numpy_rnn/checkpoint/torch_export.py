"""Archives of ``torch.export.save`` (``.pt2``): the weights of the program.

A JSON file maps each name of the state_dict to a member with the elements and to dtype,
shape and strides. The program itself is not read.

Source: ``torch/export/pt2_archive/constants.py`` and ``torch/_export/serde/schema.py``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from numpy_rnn.checkpoint.dtypes import TORCH_DTYPES
from numpy_rnn.checkpoint.errors import CheckpointError, shown
from numpy_rnn.checkpoint.strict_json import parse_json
from numpy_rnn.checkpoint.tensors import Storage, Tensor, TypedStorage, count_elements
from numpy_rnn.checkpoint.torch_zip import is_big_endian
from numpy_rnn.checkpoint.zip_archive import ZipArchive

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray

__all__ = ["find_weights_config", "read_torch_export"]

CONFIG = "_weights_config.json"

SCALAR_TYPES = {
    1: "uint8",
    2: "int8",
    3: "int16",
    4: "int32",
    5: "int64",
    6: "float16",
    7: "float32",
    8: "float64",
    10: "complex64",
    11: "complex128",
    12: "bool",
    13: "bfloat16",
    28: "uint16",
    29: "float8_e4m3fn",
    30: "float8_e5m2",
    31: "float8_e4m3fnuz",
    32: "float8_e5m2fnuz",
}
"""torch's dtypes by their numbers in the program."""


def find_weights_config(archive: ZipArchive) -> str | None:
    """Return the member that describes the weights, if the archive is an exported program."""
    found = [
        name
        for name in archive.members
        if name.count("/") == 3 and "/data/weights/" in name and name.endswith(CONFIG)
    ]
    return found[0] if len(found) == 1 else None


def read_torch_export(archive: ZipArchive, config: str) -> dict[str, AnyArray]:
    """Return the ``state_dict`` of an exported program.

    Raises
    ------
    CheckpointError
        If the file is damaged, or a weight is not a dense tensor.
    """
    text = parse_json(archive.read(config), archive.budget, shown(config))
    entries = text.get("config")
    if type(entries) is not dict:
        raise CheckpointError(f"{shown(config)} must have an object as its config")
    folder = config.rpartition("/")[0]
    big_endian = is_big_endian(archive, config.partition("/")[0])
    storages: dict[str, Storage] = {}

    def storage(path: str) -> Storage:
        member = archive.members.get(path)
        if member is None:
            raise CheckpointError(f"the zip file has no member {shown(path)}")
        if path not in storages:
            storages[path] = Storage(
                member.size,
                partial(archive.array, path),
                archive.budget,
                big_endian,
                is_compressed=archive.is_compressed(path),
            )
        return storages[path]

    def weight(name: str, entry: Any) -> AnyArray:
        try:
            return _tensor(storage(f"{folder}/{entry['path_name']}"), entry).array()
        except (CheckpointError, LookupError, TypeError) as error:
            raise CheckpointError(f"{shown(name)} in {shown(config)}: {error}") from None

    return {name: weight(name, entry) for name, entry in entries.items()}


def _tensor(storage: Storage, entry: dict[str, Any]) -> Tensor:
    meta = entry["tensor_meta"]
    dtype = SCALAR_TYPES.get(meta["dtype"], "")
    if entry["use_pickle"] or dtype not in TORCH_DTYPES:
        raise CheckpointError(f"a weight must be dense, of a known dtype, got {shown(dtype)}")
    typed = TypedStorage(storage, dtype, 0, count_elements(storage.size, dtype))
    shape, strides = (tuple([n["as_int"] for n in meta[part]]) for part in ("sizes", "strides"))
    return Tensor(typed, meta["storage_offset"]["as_int"], shape, strides)
