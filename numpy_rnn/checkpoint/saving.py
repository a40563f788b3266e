"""`save`: weights in the formats that others read."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import IO, Any, Protocol

from numpy_rnn._typing import AnyArray, Format
from numpy_rnn.arguments import as_array

__all__ = ["FORMATS", "save"]

FORMATS: dict[str, tuple[str, ...]] = {
    "safetensors": (".safetensors",),
    "npz": (".npz",),
    "torch_zip": (".pt", ".pth", ".ckpt", ".bin"),
}
"""The formats, and the suffixes of their files."""


class HasStateDict(Protocol):
    """A module."""

    def state_dict(self) -> Mapping[str, Any]:
        """Return its arrays by name."""


def save(
    obj: HasStateDict | Mapping[str, Any],
    f: str | os.PathLike[str] | IO[bytes],
    format: Format | None = None,
    *,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a module's weights, or a state_dict, to a file.

    The safetensors package reads ``.safetensors``, ``numpy.load`` reads ``.npz``,
    ``torch.load(f, weights_only=True)`` reads a torch zip file, and `load` reads them all.

    Parameters
    ----------
    obj : Module or mapping of str to array
        A module's ``state_dict()`` is written. Arrays may have any strides and either
        byte order; CPU tensors of torch are taken as arrays.
    f : str, path, or binary file
        An existing file is replaced once the new one is complete. A file object is written
        from its current position, once nothing can fail but writing.
    format : {'safetensors', 'npz', 'torch_zip'}, optional
        If omitted, the suffix determines it: ``.safetensors``, ``.npz``, or ``.pt``, ``.pth``,
        ``.ckpt`` and ``.bin`` for torch's.
    metadata : mapping of str to str, optional
        Notes for a safetensors file, beside ``{"format": "pt"}``.

    Raises
    ------
    TypeError
        If `obj` holds anything but arrays by name, or a dtype that the format lacks, or
        `metadata` anything but strings.
    ValueError
        For an unknown format or suffix, a name that the format cannot hold, or `metadata`
        for another format than safetensors.
    OSError
        If the file cannot be written.

    Notes
    -----
    In a torch zip file, arrays that are the same memory stay shared. Arrays that overlap in
    part, and all arrays in other formats, are written separately. Equal weights give equal
    files.

    Examples
    --------
    >>> import io
    >>> import numpy_rnn as nn
    >>> linear, file = nn.Linear(3, 2), io.BytesIO()
    >>> nn.save(linear, file, format="torch_zip")
    >>> _ = file.seek(0)
    >>> {name: array.shape for name, array in nn.load(file).items()}
    {'weight': (2, 3), 'bias': (2,)}
    """
    arrays = _arrays(obj)
    if isinstance(f, (str, os.PathLike)):
        name = _format_of(os.fspath(f), format)
    elif hasattr(f, "write") and not hasattr(f, "encoding"):  # a text file has one
        name = _format_of(None, format)
    else:
        raise TypeError(f"f must be a path or a binary file, got {type(f).__name__}")
    notes = dict(metadata or {})
    if notes and name != "safetensors":
        raise ValueError(
            f"metadata must be omitted for the format {name}: it has no place there"
        )
    if not all(type(part) is str for note in notes.items() for part in note):
        raise TypeError("metadata must map str to str")
    # Imported here since zipfile and tempfile take longer than the rest of the package.
    from pathlib import Path

    from numpy_rnn.checkpoint import destination

    write = functools.partial(_writer(name, notes), arrays)
    if isinstance(f, (str, os.PathLike)):
        destination.replace(Path(f), write)
    else:
        destination.copy_to(f, write)


def _writer(
    format: str, metadata: Mapping[str, str]
) -> Callable[[Mapping[str, AnyArray], IO[bytes]], None]:
    """Return the function that writes arrays to a new, empty, seekable file."""
    if format == "safetensors":
        from numpy_rnn.checkpoint.safetensors import write_safetensors

        return functools.partial(write_safetensors, metadata=metadata)
    if format == "npz":
        from numpy_rnn.checkpoint.numpy_files import write_npz

        return write_npz
    from numpy_rnn.checkpoint.torch_zip import write_torch_zip

    return write_torch_zip


def _arrays(obj: Any) -> dict[str, AnyArray]:
    state_dict = obj.state_dict() if hasattr(obj, "state_dict") else obj
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"obj must be a Module or a state_dict, got {type(obj).__name__}")
    arrays = {}
    for name, value in state_dict.items():
        if not isinstance(name, str):
            raise TypeError(f"the names in a state_dict must be str, got {name!r}")
        try:
            name.encode()
        except UnicodeEncodeError:
            raise ValueError(f"the name {name!r} is not valid Unicode: rename it") from None
        try:
            arrays[name] = as_array(value, repr(name))
        except TypeError as error:
            if str(getattr(value, "dtype", "")) != "torch.bfloat16":
                raise
            raise TypeError(
                f"{name!r} has the dtype bfloat16, which NumPy lacks: convert it by .float()"
            ) from error
    return arrays


def _format_of(path: str | None, format: str | None) -> str:
    """Return the format that is asked for, or that a path's suffix determines."""
    if format is not None:
        if format not in FORMATS:
            raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {format!r}")
        return format
    if path is None:
        raise ValueError(f"format must be given for a file object: one of {', '.join(FORMATS)}")
    for name, suffixes in FORMATS.items():
        if path.lower().endswith(suffixes):
            return name
    known = ", ".join(suffix for suffixes in FORMATS.values() for suffix in suffixes)
    raise ValueError(f"f must end in one of {known}, got {path!r}: rename it, or pass format")
