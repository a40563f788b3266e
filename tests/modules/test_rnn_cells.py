"""The cells give torch's numbers and errors, and those of a layer's step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import numpy_rnn as nn
from tests.support.compare import assert_parity, assert_same_error, leaves, to_torch
from tests.support.recurrent import CELLS, both_cells, cell_state


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (1,), (4,), (0,)])
@pytest.mark.parametrize("given_hx", [False, True])
def test_cell_every_configuration_equals_torch(rng, kind, bias, dtype, shape, given_hx):
    ours, theirs = both_cells(kind, 3, 5, dtype=dtype, bias=bias)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = rng.standard_normal((*shape, 3)).astype(dtype)
    hx = cell_state(kind, lambda: rng.standard_normal((*shape, 5)).astype(dtype))
    assert_parity(ours, theirs, x, hx if given_hx else None)


@given(
    st.sampled_from(sorted(CELLS)),
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
    st.booleans(),
    st.sampled_from(["float32", "float64"]),
    st.one_of(st.just(()), st.tuples(st.integers(0, 5))),
    st.integers(0, 2**32 - 1),
)
def test_cell_random_configurations_equal_torch(kind, sizes, bias, dtype, shape, seed):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    ours, theirs = both_cells(kind, *sizes, dtype=dtype, bias=bias)
    x = rng.standard_normal((*shape, sizes[0])).astype(dtype)
    hx = cell_state(kind, lambda: rng.standard_normal((*shape, sizes[1])).astype(dtype))
    assert_parity(ours, theirs, x, hx)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("batch", [1, 3])
def test_cell_in_a_loop_equals_the_layer(rng, kind, batch):
    cell, _ = both_cells(kind, 3, 4, dtype="float64")
    layer_class = getattr(nn, type(cell).__name__.removesuffix("Cell"))
    nonlinearity = {"nonlinearity": "relu"} if kind.endswith("relu") else {}
    layer = layer_class(3, 4, dtype=np.float64, **nonlinearity)
    layer.load_state_dict({f"{name}_l0": array for name, array in cell.named_parameters()})
    x = rng.standard_normal((9, batch, 3))
    output, last = layer(x)
    hx = None
    for t in range(9):
        hx = cell(x[t], hx)
        np.testing.assert_allclose(leaves(hx)[0], output[t], rtol=0, atol=1e-14)
    for mine, expected in zip(leaves(hx), leaves(last), strict=True):
        np.testing.assert_allclose(mine, expected[0], rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize(
    ("x", "hx"),
    [
        ((1, 2, 3), None),
        ((1, 2, 3), (1, 2, 4)),
        ((), None),
        ((2, 5), None),
        ((5,), None),
        ((2, 3), (1, 2, 4)),
        ((2, 3), ()),
        ((2, 3), (2, 5)),
        ((2, 3), (3, 4)),
        ((2, 3), (4,)),
        ((3,), (5,)),
        ((3,), (1, 4)),
        ((5,), (1, 2, 4)),
    ],
    ids=repr,
)
def test_cell_wrong_input_raises_as_torch(kind, x, hx):
    ours, theirs = both_cells(kind, 3, 4)
    inputs = (np.zeros(x, np.float32),)
    if hx is not None:
        inputs += (cell_state(kind, lambda: np.zeros(hx, np.float32)),)
    assert_same_error(lambda: ours(*inputs), lambda: theirs(*to_torch(inputs)))


@pytest.mark.parametrize("kind", CELLS)
def test_cell_wrong_dtype_or_state_raises_with_the_argument(kind):
    cell, _ = both_cells(kind, 3, 4)
    zeros = np.zeros
    with pytest.raises(RuntimeError, match=r"input dtype \(float64\) does not match weight"):
        cell(zeros((2, 3)))
    x = zeros((2, 3), np.float32)
    with pytest.raises(RuntimeError, match=r"hidden0 must have the dtype .*float32, but got"):
        cell(x, cell_state(kind, lambda: zeros((2, 4))))
    with pytest.raises(RuntimeError, match="hidden0 must have as many axes as the input, 2"):
        cell(x, cell_state(kind, lambda: zeros(2, np.float32)))
    with pytest.raises(TypeError, match="input must be a NumPy array, got list"):
        cell([[1.0, 2.0, 3.0]])
    with pytest.raises(TypeError, match=r"hx must be (a NumPy array|the pair .*), got int"):
        cell(x, 3)


def test_lstm_cell_wrong_state_raises_with_its_part():
    ours, theirs = both_cells("LSTMCell", 3, 4)
    x, h = np.zeros((2, 3), np.float32), np.zeros((2, 4), np.float32)
    for c in (np.zeros((2, 5), np.float32), np.zeros(4, np.float32), h[None]):
        assert_same_error(lambda: ours(x, (h, c)), lambda: theirs(*to_torch((x, (h, c)))))  # noqa: B023
    with pytest.raises(TypeError, match=r"hx must be the pair \(h_0, c_0\)"):
        ours(x, h)
    with pytest.raises(RuntimeError, match="expects two hidden states, got 3"):
        ours(x, (h, h, h))


def test_rnn_cell_wrong_nonlinearity_raises_when_called():
    x = np.zeros((2, 3), np.float32)
    assert_same_error(
        lambda: nn.RNNCell(3, 4, nonlinearity="gelu")(x),
        lambda: torch.nn.RNNCell(3, 4, nonlinearity="gelu")(to_torch(x)),
    )


@pytest.mark.parametrize("kind", CELLS)
def test_cell_subclass_may_have_its_own_parameters(rng, kind):
    plain, _ = both_cells(kind, 4, 4)
    larger = type("Larger", (type(plain),), {})(
        4, 4, **({"nonlinearity": "relu"} if kind.endswith("relu") else {})
    )
    larger.load_state_dict(plain.state_dict())
    larger.register_parameter("scale", np.ones((4, 4), np.float32))
    larger.head = nn.Linear(4, 4)
    x = rng.standard_normal((2, 4)).astype(np.float32)
    for result in (larger(x), nn.trace(larger, x).hx):
        for mine, expected in zip(leaves(result), leaves(plain(x)), strict=True):
            np.testing.assert_array_equal(mine, expected)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("shape", [(), (1,), (3,)])
def test_cell_inputs_are_neither_written_nor_shared(rng, kind, shape):
    cell, _ = both_cells(kind, 4, 4)
    x = rng.standard_normal((*shape, 4)).astype(np.float32)
    hx = cell_state(kind, lambda: rng.standard_normal((*shape, 4)).astype(np.float32))
    given_arrays = [x, *leaves(hx), *cell.parameters()]
    copies = [array.copy() for array in given_arrays]
    for result in leaves(cell(x, hx)):
        assert not any(np.shares_memory(result, array) for array in given_arrays)
    for array, copy in zip(given_arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
