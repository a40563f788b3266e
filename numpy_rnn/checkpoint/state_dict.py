"""Stand-in for the reader of all formats, until that is merged: replace this file."""

from __future__ import annotations

import json
import os
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from numpy_rnn.checkpoint.errors import CheckpointError

if TYPE_CHECKING:
    from numpy_rnn._typing import AnyArray


def read_state_dict(
    file: str | os.PathLike[str] | IO[bytes], key: str | None = None
) -> dict[str, AnyArray]:
    """Return the flat weights in a file, whatever the wrapping."""
    if isinstance(file, (str, os.PathLike)):
        with open(file, "rb") as stream:  # noqa: PTH123
            return read_state_dict(stream, key)
    start = file.read(10)
    file.seek(0)
    if start[8:9] == b"{":
        return _safetensors(file.read())
    if start[:4] == b"PK\x03\x04":
        from zipfile import ZipFile

        if any(name.endswith(".npy") for name in ZipFile(file).namelist()):
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                return dict(arrays)
        file.seek(0)
    from numpy_rnn.checkpoint import load

    return _picked(load(file), key)


def _picked(loaded: Any, key: str | None) -> dict[str, AnyArray]:
    if key is not None:
        if not isinstance(loaded, dict) or key not in loaded:
            raise CheckpointError(f"the file has no {key!r}")
        loaded = loaded[key]
    for name in ("state_dict", "model_state_dict", "model_state", "model"):
        if isinstance(loaded, dict) and isinstance(loaded.get(name), dict):
            loaded = loaded[name]
    if not isinstance(loaded, dict):
        raise CheckpointError("the file holds no state_dict")
    return {k: v for k, v in loaded.items() if isinstance(v, np.ndarray)}


def _safetensors(data: bytes) -> dict[str, AnyArray]:
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    found = {}
    for name, item in header.items():
        begin, end = (8 + size + offset for offset in item["data_offsets"])
        kind = item["dtype"]
        dtype = np.dtype(bool if kind == "BOOL" else f"<{kind[0].lower()}{int(kind[1:]) // 8}")
        found[name] = np.frombuffer(data[begin:end], dtype).reshape(item["shape"]).copy()
    return found
