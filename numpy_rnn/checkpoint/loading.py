"""`load` and `read_state_dict`: checkpoints without torch."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from numpy_rnn._typing import AnyArray
from numpy_rnn.arguments import check_device
from numpy_rnn.checkpoint.errors import CheckpointError

if TYPE_CHECKING:
    from numpy_rnn.checkpoint.source import Source
    from numpy_rnn.checkpoint.unknown_object import Global

__all__ = ["Contents", "examine", "load", "read_state_dict"]


class Contents(NamedTuple):
    """The weights in a file, and how it holds them.

    Attributes
    ----------
    weights : dict of str and ndarray
    format : str
        What the file is.
    key : str
        Where in it the weights are, names with dots between.
    metadata : dict of str and str
        The notes in a safetensors file.
    stored : dict of str and str
        The dtypes in the file, by the names of the weights where it has these.
    """

    weights: dict[str, AnyArray]
    format: str
    key: str
    metadata: dict[str, str]
    stored: dict[str, str]


MOST_NAMES = 10
"""Unknown classes that an error lists."""

# The readers are imported inside the functions: with mmap, json and re they would take a
# third of the time of importing the package.


def load(
    f: str | os.PathLike[str] | IO[bytes],
    map_location: object = None,
    *,
    weights_only: bool = True,
    mmap: bool = True,
) -> Any:
    """Read what torch or NumPy saved, without torch.

    It replaces ``torch.load(f, weights_only=True)`` and reads, by content and not by name,

    - what ``torch.save`` writes: a zip file since torch 1.6, before it a stream,
    - ``torch.jit.save``: the ``state_dict()`` of the module, of which no code is compiled,
    - ``.safetensors``, ``.npz`` and ``.npy`` files,
    - pickles of arrays and containers, in any protocol.

    Parameters
    ----------
    f : str, path, or binary file
        A file object must be seekable, at its beginning, and hold nothing else.
    map_location : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU, wherever the tensors were saved from.
    weights_only : True
        As in torch; no other value is possible.
    mmap : bool, default True
        Whether a large file may be mapped: see below.

    Returns
    -------
    object
        The saved object with an array for each tensor, wherever it was saved from: a
        state_dict is a dict of names and arrays. Tensors that shared memory still do, and
        an expanded one takes none. float16, bfloat16 and float8 tensors are widened to
        float32; arrays that NumPy saved keep their dtype, in native byte order.
        torch.Size becomes a tuple, torch.device a str, a dtype NumPy's.

        Arrays are writeable, and writing never reaches the file. A file of 64 MiB or more
        that is not compressed is mapped, unless `mmap` is False: its arrays take the memory
        of what is used. It must not be overwritten in place while they exist: if it becomes
        shorter, reading an array ends the process with a SIGBUS.

    Raises
    ------
    CheckpointError
        A ValueError: if the file is damaged, in another format, or holds anything but
        tensors, arrays, numbers, strings and containers of them. Unknown classes are
        listed with their places. Nothing in a file is executed.
    OSError
        If the file cannot be read.
    TypeError
        If `f` is neither a path nor a binary file.
    ValueError
        If `weights_only` is not True.
    RuntimeError
        If `map_location` is another device.

    See Also
    --------
    read_state_dict : The weights alone, from whole models and training checkpoints.

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
    check_device(map_location, "map_location")
    if weights_only is not True:
        raise ValueError(
            f"weights_only must be True, got {weights_only!r}: load never executes what a file "
            "contains. To read the weights of a pickled model, use read_state_dict"
        )
    from numpy_rnn.checkpoint.detect import read
    from numpy_rnn.checkpoint.source import open_source
    from numpy_rnn.checkpoint.torch_unpickler import TorchUnpickler
    from numpy_rnn.checkpoint.unknown_object import ForeignError, UnknownNameError

    with open_source(f, mmap) as source:
        try:
            return read(source, TorchUnpickler)
        except ForeignError as error:
            refusal, is_name = str(error), isinstance(error, UnknownNameError)
        # Here what was read so far is no longer in memory.
        raise _with_places(refusal, is_name, source)


def read_state_dict(
    file: str | os.PathLike[str] | IO[bytes],
    key: str | None = None,
    *,
    prefix: str = "",
    mmap: bool = True,
) -> dict[str, AnyArray]:
    """Read the weights in a file, whatever they are wrapped in.

    Reads what `load` reads, and what `load` refuses: models that were pickled whole, and
    checkpoints with objects of unknown classes. These are not built; they are only
    searched for parameters and buffers.

    Parameters
    ----------
    file : str, path, or binary file
        As in `load`.
    key : str, optional
        Which weights, where a file has several: the names of the containers around them
        with dots between, such as ``"ema"`` or ``"models.0"``; ``""`` for arrays that are
        in no container.
    prefix : str, default ""
        What the wanted names begin with, as ``"model."`` in checkpoints of Lightning. It is
        removed, and weights with other names are left out.
    mmap : bool, default True
        Whether a large file may be mapped, as in `load`.

    Returns
    -------
    dict of str and ndarray
        In torch's naming and order. ``module`` and ``_orig_mod`` in names, which are from
        DataParallel, AveragedModel and torch.compile, are removed. What is not an array is
        left out. The arrays are as those of `load`.

    Raises
    ------
    CheckpointError
        If there are no weights; if there are several sets, which it lists with their
        keys; if there are tensors among them that have no name, which it lists with their
        places; or if the file is damaged or in another format.
    OSError
        If the file cannot be read.
    TypeError
        If `file` is neither a path nor a binary file, or `key` or `prefix` is not a str.

    Notes
    -----
    Sets of weights are pickled modules and dicts with arrays, however deep, except those
    of optimisers and ``_extra_state``. Of several, the only one with a usual name
    (``model``, ``state_dict``, ``model_state_dict``, ``net``, ``ema``, ...) is taken, in a
    checkpoint of Lightning its ``state_dict``. Other tensors are not read from the file.

    Examples
    --------
    >>> import numpy_rnn as nn
    >>> from numpy_rnn.demo import classifier
    >>> list(nn.read_state_dict(classifier.DATA / "names.pt"))[-2:]
    ['linear.weight', 'linear.bias']
    """
    return examine(file, key, prefix=prefix, mmap=mmap).weights


def examine(
    file: str | os.PathLike[str] | IO[bytes],
    key: str | None = None,
    *,
    prefix: str = "",
    mmap: bool = True,
) -> Contents:
    """Read the weights in a file as `read_state_dict` does, and how it holds them."""
    if key is not None and not isinstance(key, str):
        raise TypeError(f"key must be a str, got {type(key).__name__}")
    if not isinstance(prefix, str):
        raise TypeError(f"prefix must be a str, got {type(prefix).__name__}")
    from numpy_rnn.checkpoint.detect import read
    from numpy_rnn.checkpoint.source import open_source
    from numpy_rnn.checkpoint.state_dicts import find_weights
    from numpy_rnn.checkpoint.torch_unpickler import InertUnpickler

    with open_source(file, mmap) as source:
        found = find_weights(read(source, InertUnpickler), key, prefix, source.budget)
        stored = {**found.stored, **source.stored}
        return Contents(found.arrays, source.format, found.key, source.metadata, stored)


def _with_places(refusal: str, is_name: bool, source: Source) -> CheckpointError:
    """Return an error that lists the unknown classes in a file, with their places.

    Parameters
    ----------
    refusal : str
        The first thing that was refused.
    is_name : bool
        Whether that was such a class.
    source : Source
    """
    try:
        places = _unknown_names(source)
    except CheckpointError:  # the file is damaged too
        places = {}
    if not places:
        return CheckpointError(refusal)
    listed = [f"{name} ({place})" for name, place in list(places.items())[:MOST_NAMES]]
    if len(places) > MOST_NAMES:
        listed.append(f"{len(places) - MOST_NAMES} more")
    other = "" if is_name else f", and {refusal}"
    return CheckpointError(
        f"load allows only tensors, arrays and plain values, but the pickle names "
        f"{', '.join(listed)}{other}. To read the weights alone, use read_state_dict, which "
        "executes nothing"
    )


def _unknown_names(source: Source) -> dict[Global, str]:
    """Return the names in a file's pickle that are not allowed, and where they are."""
    from numpy_rnn.checkpoint.detect import read
    from numpy_rnn.checkpoint.torch_unpickler import KNOWN_NAMES, InertUnpickler
    from numpy_rnn.checkpoint.unknown_object import find_places

    unknown: dict[Global, None] = {}

    class Recorder(InertUnpickler):
        """Notes the names that are not allowed."""

        def find(self, name: Global) -> Any:
            if name not in KNOWN_NAMES:
                unknown[name] = None
            return super().find(name)

    source.budget.reset()
    places = find_places(read(source, Recorder), unknown, source.budget)
    return {name: places.get(name, "nowhere in the result") for name in unknown}
