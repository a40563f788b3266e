"""`Parameter`, and parameters that several modules share."""

from __future__ import annotations

import copy
import io
import itertools
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import numpy_rnn as nn
from tests.support.compare import assert_same_error


def ones(library, *shape):
    """Return ones of float32 as the library has them."""
    return np.ones(shape, np.float32) if library is nn else torch.ones(shape)


def names_of(model):
    return [name for name, _ in model.named_parameters()]


def test_parameter_is_a_plain_array_that_a_module_registers():
    for library in (nn, torch.nn):
        model = library.Module()
        model.scale = library.Parameter(ones(library, 3))
        model.fixed = library.Parameter(ones(library, 2), requires_grad=False)
        model.empty = library.Parameter()
        assert isinstance(model.scale, library.Parameter)
        assert names_of(model) == ["scale", "fixed", "empty"]
        assert list(model.empty.shape) == [0]
        del model.scale
        assert list(model.state_dict()) == ["fixed", "empty"]
    array = nn.Parameter(np.ones(3))
    assert type(array) is np.ndarray
    assert type(array * 2) is np.ndarray
    assert not any(isinstance(x, nn.Parameter) for x in (array * 2, array[:], array.copy(), 3))


def test_parameter_assigned_later_is_registered():
    for library in (nn, torch.nn):
        model = library.Module()
        model.plain, model.child = ones(library, 2), library.Linear(1, 1)
        model.register_buffer("buffer", ones(library, 1))
        model.register_parameter("none", None)
        for name in ("none", "plain", "child", "buffer"):
            setattr(model, name, library.Parameter(ones(library, 2)))
        assert names_of(model) == ["none", "plain", "child", "buffer"]
        assert not list(model.buffers())
        assert not list(model.children())


def test_parameter_replaces_one_of_another_shape_as_torch():
    for library in (nn, torch.nn):
        layer = library.Linear(3, 2)
        layer.weight = library.Parameter(ones(library, 1, 3))
        assert tuple(layer.state_dict()["weight"].shape) == (1, 3)


def test_parameter_copies_the_callers_array(rng):
    mine = rng.standard_normal((3, 2)).astype(np.float32)
    model = nn.Module()
    model.weight = nn.Parameter(mine.T)
    kept = mine.copy()
    model.weight[...] = 0
    np.testing.assert_array_equal(mine, kept)
    assert model.weight.flags.c_contiguous
    model.twice = nn.Parameter(model.weight)
    assert not np.shares_memory(model.twice, model.weight)


def test_parameter_takes_tensors_and_integers_without_gradient():
    assert nn.Parameter(torch.ones(2)).tolist() == [1, 1]
    for dtype in (np.int64, np.uint8, np.bool_):
        assert nn.Parameter(np.ones(2, dtype), requires_grad=False).dtype == dtype
        with pytest.raises(RuntimeError, match="pass requires_grad=False"):
            nn.Parameter(np.ones(2, dtype))
    assert_same_error(
        lambda: torch.nn.Parameter(torch.ones(2, dtype=torch.int64)),
        lambda: torch.nn.Parameter(torch.ones(2, dtype=torch.bool)),
    )


def test_parameter_wrong_value_raises():
    with pytest.raises(TypeError, match="data must be a NumPy array, got list"):
        nn.Parameter([1.0])
    for dtype in (np.float16, np.complex64, "U1"):
        with pytest.raises(TypeError, match=r"data must be a float32 or float64 array, got"):
            nn.Parameter(np.zeros(2, dtype))


def test_parameter_before_super_init_raises_as_torch():
    def forgetful(library):
        class Forgetful(library.Module):
            def __init__(self):
                self.scale = library.Parameter(ones(library, 1))

        return Forgetful

    assert_same_error(forgetful(nn), forgetful(torch.nn))


def test_parameter_of_a_class_attributes_name_raises_as_torch():
    for library in (nn, torch.nn):
        with pytest.raises(KeyError, match="attribute 'forward' already exists"):
            library.Module().forward = library.Parameter(ones(library, 1))


# A plain array that a checkpoint has a value for


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = np.ones(3, np.float32)
        self.rate = 3.0


def test_load_state_dict_names_a_plain_array():
    model = nn.Sequential(Plain())
    state = {"0.scale": np.zeros(3), "0.rate": np.zeros(1)}
    advice = "`0.scale` is a plain array here: wrap it in nn.Parameter or register_buffer"
    with pytest.raises(RuntimeError, match=rf'"0.rate"\. \n\t{advice}\.$'):
        model.load_state_dict(state)
    result = model.load_state_dict(state, strict=False)
    missing, unexpected = result
    assert (missing, unexpected, result.plain_arrays) == ([], [*state], ["0.scale"])
    assert repr(result).endswith(advice + ".")
    assert advice not in repr(model.load_state_dict({"0.rate": np.zeros(1)}, strict=False))


# Tied weights


def tied(library):
    model = library.Module()
    model.embedding = library.Embedding(5, 3)
    model.decoder = library.Linear(3, 5)
    model.decoder.weight = model.embedding.weight
    return model


def test_tied_weights_are_one_array_as_in_torch():
    for library in (nn, torch.nn):
        model = tied(library)
        assert model.decoder.weight is model.embedding.weight
        assert names_of(model) == ["embedding.weight", "decoder.bias"]
        everything = [n for n, _ in model.named_parameters(remove_duplicate=False)]
        assert everything == ["embedding.weight", "decoder.weight", "decoder.bias"]
        assert list(model.state_dict()) == everything


def test_tied_weights_edit_and_load_are_seen_in_both(rng):
    model, x = tied(nn), rng.standard_normal((2, 3)).astype(np.float32)
    model.embedding.weight[...] = 2
    np.testing.assert_array_equal(
        model.decoder(x),
        nn.functional.linear(x, np.full((5, 3), 2, np.float32), model.decoder.bias),
    )
    model.load_state_dict({"decoder.weight": np.full((5, 3), 7)}, strict=False)
    assert (model.embedding.weight == 7).all()
    model.state_dict()["decoder.weight"][...] = 3
    assert (model.embedding(np.array([1])) == 3).all()


def test_tied_weights_are_read_back_as_saved():
    model, file = tied(nn), io.BytesIO()
    nn.save(model, file, format="torch_zip")
    file.seek(0)
    loaded = torch.load(file, weights_only=True)
    pointers = [loaded[name].data_ptr() for name in ("embedding.weight", "decoder.weight")]
    assert pointers[0] == pointers[1]


def test_state_dict_array_assigned_is_copied():
    source, target = nn.Linear(2, 2), nn.Linear(2, 2)
    target.weight = source.state_dict()["weight"]
    np.testing.assert_array_equal(target.weight, source.weight)
    assert not np.shares_memory(target.weight, source.weight)


def test_register_buffer_of_a_parameter_copies():
    layer = nn.Linear(2, 2)
    layer.register_buffer("start", layer.weight)
    assert not np.shares_memory(layer.start, layer.weight)


NAMES = ("first.weight", "second.weight", "third.weight", "first.bias", "own", "more")


def place(model, name):
    """Return the module that has a parameter, and its last name."""
    path, _, leaf = name.rpartition(".")
    return model.get_submodule(path), leaf


def three(library):
    model = library.Module()
    for name in ("first", "second", "third"):
        setattr(model, name, library.Linear(2, 2))
    model.own = library.Parameter(ones(library, 2, 2))
    return model


def assign(model, library, target, source):  # noqa: ARG001
    module, leaf = place(model, source)
    value = getattr(module, leaf, None)
    if value is not None:
        target_module, name = place(model, target)
        setattr(target_module, name, value)
    return model


def replace(model, library, target, source):  # noqa: ARG001  # as all
    module, leaf = place(model, target)
    setattr(module, leaf, library.Parameter(ones(library, 2, 2)))
    return model


def fill(model, library, target, source):  # noqa: ARG001
    found = model.state_dict().get(target)
    if found is not None:
        found[...] = len(names_of(model))
    return model


def load(model, library, target, source):
    shape = model.state_dict().get(target, ones(library, 1)).shape
    model.load_state_dict({target: ones(library, *shape) * len(source)}, strict=False)
    return model


def delete(model, library, target, source):  # noqa: ARG001
    module, leaf = place(model, target)
    if hasattr(module, leaf):
        delattr(module, leaf)
    return model


def deep(model, library, target, source):  # noqa: ARG001
    return copy.deepcopy(model)


def pickled(model, library, target, source):  # noqa: ARG001
    return pickle.loads(pickle.dumps(model))


def cast(model, library, target, source):  # noqa: ARG001
    return model.double().float()


def ties(model):
    """Return the first name of each parameter's array."""
    first = {}
    return {
        name: first.setdefault(id(array), name)
        for name, array in model.named_parameters(remove_duplicate=False)
    }


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([assign, assign, replace, fill, load, delete, deep, pickled, cast]),
            st.sampled_from(NAMES),
            st.sampled_from(NAMES),
        ),
        max_size=12,
    )
)
def test_ties_after_any_changes_equal_torch(changes):
    ours, theirs = three(nn), three(torch.nn)
    ours.load_state_dict(theirs.state_dict())
    for change, target, source in changes:
        ours = change(ours, nn, target, source)
        theirs = change(theirs, torch.nn, target, source)
        assert ties(ours) == ties(theirs)
        assert names_of(ours) == names_of(theirs)
        for (name, mine), (its_name, its) in itertools.zip_longest(
            ours.state_dict().items(), theirs.state_dict().items()
        ):
            assert name == its_name
            np.testing.assert_array_equal(mine, its.numpy())
