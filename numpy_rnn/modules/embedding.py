"""The table that turns indices into vectors; torch has it in ``torch.nn.modules.sparse``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, TypeVar

from numpy_rnn import functional, init
from numpy_rnn._typing import AnyArray, Array, DTypeLike
from numpy_rnn.arguments import as_array, check_device, refuse_bool
from numpy_rnn.modules.weighted import Declared, Shape, WeightedLayer

__all__ = ["Embedding"]

E = TypeVar("E", bound="Embedding")


class Embedding(WeightedLayer):
    """A table with a vector for each index: ``y = weight[x]``.

    Parameters
    ----------
    num_embeddings : int
        Rows of the table, V.
    embedding_dim : int
        Size of each vector, E.
    padding_idx : int, optional
        The row that is first zero; negative counts from the last.
    max_norm : float, optional
        Vectors with a larger norm are scaled to it in the output; torch scales them in
        ``weight`` too.
    norm_type : float, default 2.0
        The p of that p-norm.
    scale_grad_by_freq, sparse : bool
        Kept, but without effect: they concern training.
    device : None or 'cpu'
        Accepted for torch's sake: arrays are on the CPU.
    dtype : dtype, default float32
        float32 or float64.

    Attributes
    ----------
    weight : ndarray of shape (V, E)
        First drawn from the standard normal distribution.

    Raises
    ------
    AssertionError
        If `padding_idx` is not a row, or a given table has another shape.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html

    Examples
    --------
    >>> import numpy as np
    >>> import numpy_rnn as nn
    >>> embedding = nn.Embedding(10, 3, padding_idx=0)
    >>> embedding(np.array([[1, 2, 4, 5], [4, 3, 2, 0]])).shape
    (2, 4, 3)
    """

    weight: Array

    _declared: ClassVar = {"weight": Declared(("num_embeddings", "embedding_dim"))}
    # norm_type matters with max_norm alone.
    _immaterial = WeightedLayer._immaterial | {
        *("padding_idx", "norm_type", "scale_grad_by_freq", "sparse", "_weight", "_freeze")
    }
    _embedding_names = re.compile(r"emb|lookup|token|vocab|wte|wpe", re.IGNORECASE)

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Array | None = None,
        _freeze: bool = False,
        device: object = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        if padding_idx is not None:
            refuse_bool(padding_idx, "padding_idx")
            if not -num_embeddings <= padding_idx < max(num_embeddings, 1):
                raise AssertionError("Padding_idx must be within num_embeddings")
            padding_idx += num_embeddings if padding_idx < 0 else 0
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is None:
            self._create_weights(device, dtype)
            return
        check_device(device)
        self.register_parameter("weight", _weight)
        if self.weight.shape != (num_embeddings, embedding_dim):
            raise AssertionError(
                "Shape of weight does not match num_embeddings and embedding_dim"
            )

    @classmethod
    def _likelihood(cls, name: str, shapes: Mapping[str, Shape]) -> float:  # noqa: ARG003
        return 2 if cls._embedding_names.search(name) else 0.5

    @classmethod
    def from_pretrained(
        cls: type[E],
        embeddings: Array,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> E:
        """Return a layer with a copy of a table.

        Parameters
        ----------
        embeddings : ndarray of shape (V, E)
            float32 or float64.
        freeze : bool
            Without effect: it concerns training.
        padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse
            As in the class; no row is set to zero.

        Raises
        ------
        AssertionError
            If `embeddings` does not have two axes.
        TypeError
            If it is not a float array.

        Examples
        --------
        >>> import numpy as np
        >>> import numpy_rnn as nn
        >>> nn.Embedding.from_pretrained(np.ones((4, 2), np.float32))
        Embedding(4, 2)
        """
        table = as_array(embeddings, "embeddings")
        if table.ndim != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, size = table.shape
        options = padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse
        return cls(rows, size, *options, _weight=table, _freeze=freeze)

    def reset_parameters(self) -> None:
        """Draw the table again from the default generator."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight[self.padding_idx] = 0

    def forward(self, input: AnyArray) -> Array:
        """Return the vectors that `input` names.

        Parameters
        ----------
        input : ndarray of any shape
            int32 or int64, from 0 to V - 1.

        Returns
        -------
        ndarray of shape (*input.shape, E)

        Raises
        ------
        IndexError
            If an index is out of range.
        RuntimeError
            If `input` is of another dtype.
        """
        return functional.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type
        )

    def extra_repr(self) -> str:
        """Return the sizes and the options that are not at their defaults."""
        options = self._changed(
            padding_idx=None, max_norm=None, norm_type=2, scale_grad_by_freq=False
        )
        sparse = ", sparse=True" if self.sparse is not False else ""
        return f"{self.num_embeddings}, {self.embedding_dim}{options}{sparse}"
