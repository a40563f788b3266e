"""The containers, of modules and of parameters, do what torch's do."""

from __future__ import annotations

import copy
import pickle
import re
from collections import OrderedDict

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from tests.support.compare import assert_parity, assert_same_error, raised_by

LIBRARIES = (nn, torch.nn)


def layers(library, count=3):
    return [library.Linear(size, size + 1) for size in range(1, count + 1)]


def both(build):
    return build(nn), build(torch.nn)


def assert_same(ours, theirs):
    assert repr(ours) == repr(theirs)
    assert len(ours) == len(theirs)
    assert [n for n, _ in ours.named_modules()] == [n for n, _ in theirs.named_modules()]
    assert list(ours.state_dict()) == list(theirs.state_dict())


def test_sequential_output_and_repr_equal_torch(rng):
    ours, theirs = both(
        lambda lib: lib.Sequential(lib.Linear(3, 4), lib.ReLU(), lib.Linear(4, 2))
    )
    assert_same(ours, theirs)
    assert_parity(ours, theirs, rng.standard_normal((5, 3)).astype(np.float32))


def test_sequential_ordered_dict_has_its_names(rng):
    ours, theirs = both(
        lambda lib: lib.Sequential(
            OrderedDict([("first", lib.Linear(3, 4)), ("act", lib.Tanh())])
        )
    )
    assert_same(ours, theirs)
    assert_parity(ours, theirs, rng.standard_normal((5, 3)).astype(np.float32))
    assert_same(ours[1:], theirs[1:])
    assert ours.act is ours[1]
    assert_same(nn.Sequential(), torch.nn.Sequential())
    assert nn.Sequential()(3) == 3


def test_sequential_empty_returns_a_copy():
    x = np.arange(3.0)
    got = nn.Sequential()(x)
    np.testing.assert_array_equal(got, x)
    assert not np.shares_memory(got, x)


def test_sequential_insert_keeps_earlier_names():
    def build(lib):
        held = lib.Sequential(OrderedDict([("first", lib.Linear(3, 4)), ("act", lib.Tanh())]))
        held.insert(2, lib.ReLU())
        held.insert(2, lib.Sigmoid())
        return held

    assert_same(*both(build))


CHANGES = {
    "append": lambda lib, c: c.append(lib.ReLU()),
    "append None": lambda _, c: c.append(None),
    "extend": lambda lib, c: c.extend(layers(lib, 2)),
    "extend by itself": lambda _, c: c.extend(list(c)),
    "insert first": lambda lib, c: c.insert(0, lib.ReLU()),
    "insert": lambda lib, c: c.insert(2, lib.ReLU()),
    "insert last": lambda lib, c: c.insert(3, lib.ReLU()),
    "replace": lambda lib, c: c.__setitem__(1, lib.ReLU()),
    "replace from the end": lambda lib, c: c.__setitem__(-1, lib.ReLU()),
    "delete": lambda _, c: c.__delitem__(1),
    "delete from the end": lambda _, c: c.__delitem__(-1),
    "delete some": lambda _, c: c.__delitem__(slice(0, 2)),
    "delete every other": lambda _, c: c.__delitem__(slice(None, None, 2)),
    "pop": lambda _, c: c.pop(0),
    "pop some": lambda _, c: c.pop(slice(1, None)),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", ["Sequential", "ModuleList"])
def test_container_edits_equal_torch(kind, change):
    results = []
    containers = []
    for library in LIBRARIES:
        held = layers(library)
        container = getattr(library, kind)(*([held] if kind == "ModuleList" else held))
        results.append(CHANGES[change](library, container))
        containers.append(container)
    assert repr(containers[0]) == repr(containers[1])
    assert len(containers[0]) == len(containers[1])
    assert list(containers[0].state_dict()) == list(containers[1].state_dict())
    assert repr(results[0]) == repr(results[1])
    assert (results[0] is containers[0]) == (results[1] is containers[1])


@pytest.mark.parametrize("index", [0, -1, slice(1, None), slice(None, None, 2), slice(5, 9)])
@pytest.mark.parametrize("kind", ["Sequential", "ModuleList"])
def test_container_slices_hold_the_same_modules(kind, index):
    for library in LIBRARIES:
        held = layers(library)
        container = getattr(library, kind)(*([held] if kind == "ModuleList" else held))
        part, expected = container[index], held[index]
        if isinstance(index, slice):
            assert type(part) is type(container)
            assert all(a is b for a, b in zip(part, expected, strict=True))
        else:
            assert part is expected


def test_container_concatenation_equals_torch():
    def sums(lib):
        one, two = lib.Sequential(*layers(lib, 2)), lib.Sequential(lib.ReLU())
        listed = lib.ModuleList(layers(lib, 2))
        grown, repeated = lib.Sequential(lib.Tanh()), two * 2
        listed_grown = listed + layers(lib, 1)
        grown += two
        repeated *= 2
        listed_grown += layers(lib, 1)
        return [one + two, grown, one * 2, 3 * two, repeated, listed + listed, listed_grown]

    for ours, theirs in zip(*both(sums), strict=True):
        assert_same(ours, theirs)


OF_A_SEQUENTIAL = [
    lambda held: held[3],
    lambda held: held[-4],
    lambda held: held["a"],
    lambda held: held.insert(5, held[0]),
    lambda held: held.append(3),
    lambda held: held.__add__([1]),
    lambda held: held.__iadd__([1]),
    lambda held: held.__delitem__(9),
    lambda held: held.__setitem__(9, held[0]),
]
OF_A_LIBRARY = [
    lambda lib: lib.Sequential(3),
    lambda lib: lib.ModuleList([3]),
    lambda lib: lib.ModuleList(3),
    lambda lib: lib.ModuleList()(3),
    lambda lib: lib.ModuleList(layers(lib))[3],
    lambda lib: lib.ModuleDict(3),
    lambda lib: lib.ModuleDict([(3,)]),
    lambda lib: lib.ModuleDict({"a": 3}),
    lambda lib: lib.ModuleDict({3: lib.ReLU()}),
    lambda lib: lib.ModuleDict({"keys": lib.ReLU()}),
    lambda lib: lib.ModuleDict({"a.b": lib.ReLU()}),
    lambda lib: lib.ModuleDict({"": lib.ReLU()}),
    lambda lib: lib.ModuleDict()["a"],
    lambda lib: lib.ModuleDict().pop("a"),
    lambda lib: lib.ModuleDict().__delitem__("a"),
]


@pytest.mark.parametrize("call", OF_A_SEQUENTIAL)
def test_sequential_wrong_arguments_raise_as_torch(call):
    ours, theirs = both(lambda lib: lib.Sequential(*layers(lib)))
    assert_same_error(lambda: call(ours), lambda: call(theirs))


@pytest.mark.parametrize("call", OF_A_LIBRARY)
def test_container_wrong_arguments_raise_as_torch(call):
    assert_same_error(lambda: call(nn), lambda: call(torch.nn))


def test_container_wrong_module_raises_with_its_name():
    held = nn.Sequential(nn.ReLU())
    with pytest.raises(AssertionError, match=r"module should be of type: .*Module"):
        held.insert(0, 3)
    with pytest.raises(TypeError, match="cannot assign 'int' as child module '0'"):
        held[0] = 3
    for factor, error in [(0, ValueError), ("a", TypeError)]:
        for operate in (held.__mul__, held.__imul__):
            assert type(raised_by(lambda: operate(factor))) is error  # noqa: B023
    with pytest.raises(TypeError, match=r"element #0 should be Iterable; is int"):
        nn.ModuleDict([3])
    with pytest.raises(TypeError, match=r"Sequential\.extend should be called with"):
        held.extend(3)
    assert len(held) == 1


def test_modulelist_insert_equals_list_insert():
    """Where torch's breaks: from the end, and beyond it."""
    modules = nn.ModuleList(layers(nn, 2))
    modules.insert(-1, nn.ReLU())
    assert [type(module).__name__ for module in modules] == ["Linear", "ReLU", "Linear"]
    with pytest.raises(IndexError, match="Index out of range: 9"):
        modules.insert(9, nn.ReLU())
    assert len(modules) == 3


def test_sequential_slice_insert_equals_torch():
    """Where torch's breaks: its names begin at another number."""
    part = nn.Sequential(*layers(nn))[1:]
    part.insert(2, nn.ReLU())
    part.insert(1, nn.Tanh())
    assert [type(module).__name__ for module in part] == ["Linear", "Tanh", "Linear", "ReLU"]
    assert [name for name, _ in part.named_children()] == ["0", "1", "2", "3"]


def test_modulelist_repr_repeated_modules_once():
    def build(lib):
        blocks = [lib.Sequential(lib.Linear(2, 2), lib.ReLU()) for _ in range(3)]
        return lib.ModuleList([lib.Tanh(), *blocks, lib.Tanh(), lib.Tanh()])

    assert_same(*both(build))
    assert_same(*both(lambda lib: lib.ModuleList()))
    assert_same(*both(lambda lib: lib.Sequential(build(lib), lib.ModuleDict())))


def test_moduledict_behaves_as_a_dict():
    def build(lib):
        heads = lib.ModuleDict({"state": lib.Linear(4, 2), "language": lib.Linear(4, 3)})
        heads["more"] = lib.ReLU()
        heads["state"] = lib.Linear(4, 5)
        heads.update([["x", lib.Tanh()], ("y", lib.Sigmoid())])
        heads.update(lib.ModuleDict({"z": lib.Tanh()}))
        del heads["x"]
        heads.removed = heads.pop("more")
        return heads

    ours, theirs = both(build)
    assert_same(ours, theirs)
    assert list(ours) == list(ours.keys()) == list(theirs.keys())
    assert [name for name, _ in ours.items()] == [name for name, _ in theirs.items()]
    assert list(ours.values()) == [ours[name] for name in ours]
    assert "state" in ours
    assert "x" not in ours
    ours.clear()
    theirs.clear()
    assert_same(ours, theirs)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_container_copies_are_independent(duplicate):
    for original in (
        nn.Sequential(*layers(nn)),
        nn.ModuleList(layers(nn)),
        nn.ModuleDict({"a": nn.Linear(1, 2)}),
    ):
        twin = duplicate(original)
        assert repr(twin) == repr(original)
        twin.extra = nn.ReLU()
        assert len(twin) == len(original) + 1
        next(twin.parameters())[...] = 9
        assert (next(original.parameters()) != 9).all()


# Parameters


def holders(library, kind, content):
    """Return a container of parameters of a library that holds what `content` makes."""
    return getattr(library, kind)(content(library))


def ones(library, *shape):
    return np.ones(shape, np.float32) if library is nn else torch.ones(shape)


def shown(container):
    """Return how it prints, with the dtype as both call it, and its parameters."""
    text = re.sub(
        r"(torch\.float32|torch\.FloatTensor|torch.nn\S+)", "float32", repr(container)
    )
    return text, [name for name, _ in container.named_parameters()]


@pytest.mark.parametrize(
    "change",
    [
        lambda held, library: held.append(ones(library, 2)),
        lambda held, library: held.extend([library.Parameter(ones(library, 1)), 3]),
        lambda held, library: held.__setitem__(0, ones(library, 4)),
        lambda held, library: held.__setitem__(-1, library.Parameter(ones(library, 4, 5))),
        lambda held, library: held.__iadd__((ones(library),)),
        lambda held, library: library.ParameterList(held[::-1]),
        lambda held, _: held[1:],
        lambda held, _: [held[0], held[-2]],
        lambda held, _: held[5],
        lambda held, _: held.__setitem__(2, 3),
        lambda held, library: held.extend(ones(library, 3)),
        lambda held, _: held.extend(3),
        lambda held, _: held(),
    ],
)
def test_parameter_list_changed_equals_torch(change):
    results = []
    for library in (nn, torch.nn):
        held = holders(library, "ParameterList", lambda library: [ones(library, 2, 3), "text"])
        try:
            outcome = change(held, library)
        except Exception as error:
            results.append((type(error), str(error)))
            assert shown(held)[1] == ["0"]
            continue
        after = outcome if isinstance(outcome, library.ParameterList) else held
        results.append((shown(after), [len(held), len(after), len(list(after))]))
    if isinstance(results[0][0], type):
        assert results[0][0] is results[1][0]
        assert results[0][1].replace("ndarray", "Tensor") == results[1][1]
    else:
        assert results[0] == results[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda held, library: held.update({"z": ones(library, 1), "c": ones(library, 2)}),
        lambda held, library: held.update([("z", ones(library, 1)), ("c", 3)]),
        lambda held, library: held.update(library.ParameterDict({"b": ones(library, 1)})),
        lambda held, library: held.__setitem__("b", library.Parameter(ones(library, 4, 5))),
        lambda held, _: held.__delitem__("a"),
        lambda held, _: [held.pop("b"), len(held)][1],
        lambda held, _: held.popitem()[0],
        lambda held, _: held.setdefault("a", 3).shape[0],
        lambda held, _: held.setdefault("new", 3),
        lambda held, _: [held.get("none"), held.get("none", 4), len(held.get("a"))],
        lambda held, _: held.clear(),
        lambda held, _: held.copy(),
        lambda held, _: held.fromkeys(["x", "y"], 2),
        lambda held, library: held | library.ParameterDict({"a": ones(library, 9)}),
        lambda held, library: held.__ior__({"a": ones(library, 9)}),
        lambda held, _: [*reversed(held), *held.keys(), "a" in held, "c" in held],
        lambda held, _: [len(list(held.values())), [key for key, _ in held.items()]],
        lambda held, _: held[0],
        lambda held, _: held["none"],
        lambda held, _: held.__delitem__("none"),
        lambda held, _: held.update(3),
        lambda held, _: held.update([3]),
        lambda held, _: held.update([(1, 2, 3)]),
        lambda held, library: held.__setitem__("update", ones(library, 1)),
        lambda held, _: held(1),
    ],
)
def test_parameter_dict_changed_equals_torch(change):
    results = []
    for library in (nn, torch.nn):
        held = holders(
            library,
            "ParameterDict",
            lambda library: {"b": ones(library, 2, 3), "a": ones(library, 2)},
        )
        try:
            outcome = change(held, library)
        except Exception as error:
            results.append(type(error))
            continue
        if isinstance(outcome, library.ParameterDict):
            outcome = shown(outcome)
        results.append((shown(held), len(held), outcome))
    assert results[0] == results[1]


def test_parameter_containers_share_parameters_and_copy_arrays():
    mine = np.ones(2, np.float32)
    held = nn.ParameterList([mine])
    again = nn.ParameterDict({"first": held[0]})
    held[0][...] = 5
    assert (again["first"] == 5).all()
    assert (mine == 1).all()
    assert [*again.state_dict()] == ["first"]
    assert [*(nn.ParameterDict({"x": mine}) | again)] == ["x", "first"]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_parameter_containers_copied_change_alone(duplicate):
    held = nn.ParameterList([np.ones(2, np.float32)])
    twin = duplicate(held)
    twin.append(np.zeros(3))
    assert (len(held), len(twin)) == (1, 2)
    assert [*twin.state_dict()] == ["0", "1"]
    with pytest.raises(KeyError, match="dictionary is empty"):
        nn.ParameterDict().popitem()
