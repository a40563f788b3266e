"""Reading checkpoints without torch.

``load`` is what the package offers; one module a format stands behind it, and nothing in
a file is executed.
"""

from __future__ import annotations

import os
from typing import IO, Any

from numpy_rnn.arguments import check_device
from numpy_rnn.checkpoint.errors import CheckpointError
from numpy_rnn.checkpoint.saving import save
from numpy_rnn.checkpoint.state_dict import read_state_dict

__all__ = ["CheckpointError", "load", "read_state_dict", "save"]

ZIP = b"PK\x03\x04"


def load(
    f: str | os.PathLike[str] | IO[bytes],
    map_location: object = None,
    *,
    weights_only: bool = True,
) -> Any:
    """Read what ``torch.save`` wrote, without torch.

    It stands for ``torch.load(f, weights_only=True)`` and reads the zip files that torch
    writes since 1.6.

    Parameters
    ----------
    f : str, path, or binary file
        A file object must be seekable, stand at its beginning, and hold nothing else.
    map_location : None or 'cpu'
        There is one device, wherever the tensors were saved from.
    weights_only : True
        As in torch; nothing else can be had.

    Returns
    -------
    object
        The saved object with an array for each tensor, wherever it was saved from: a
        state_dict is a dict of names and arrays. Tensors that shared memory still do.
        float16 and bfloat16 are widened to float32, torch.Size is a tuple, torch.device
        a str, a dtype NumPy's.

    Raises
    ------
    CheckpointError
        A ValueError: if the file is damaged, in another format, or holds anything but
        tensors, numbers, strings and containers of them. Nothing in it is executed.
    OSError
        If the file cannot be read.
    TypeError
        If `f` is neither a path nor a binary file.
    ValueError
        If `weights_only` is not True.
    RuntimeError
        If `map_location` is another device.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.load.html

    Examples
    --------
    >>> import numpy_rnn as nn
    >>> from numpy_rnn.demo import classifier
    >>> checkpoint = nn.load(classifier.DATA / "names.pt")
    >>> checkpoint["state_dict"]["linear.bias"].dtype
    dtype('float32')
    """
    check_device(map_location)
    if weights_only is not True:
        raise ValueError("weights_only must be True: nothing in a file is executed")
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:  # noqa: PTH123  # pathlib is slow to import
            return _load(file)
    if not hasattr(f, "read") or not hasattr(f, "seek"):
        raise TypeError(f"f must be a path or a binary file, got {type(f).__name__}")
    return _load(f)


def _load(file: IO[bytes]) -> Any:
    if file.tell() != 0:
        raise CheckpointError("the file must stand at its beginning: call seek(0) before")
    magic = file.read(len(ZIP))
    file.seek(0)
    if not magic:
        raise CheckpointError("the file is empty")
    if magic != ZIP:
        raise CheckpointError(
            f"the file begins with {magic!r} and is not one that torch.save wrote since "
            "torch 1.6 (a zip file); an older one can be loaded and saved again with torch"
        )
    # A reader is imported when it is wanted: zipfile and pickletools would take a third of
    # the time that importing the package does.
    from numpy_rnn.checkpoint.torch_zip import load_torch_zip

    return load_torch_zip(file)
