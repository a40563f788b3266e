"""`Module`: parameters, state dicts, the tree, and weights that are always live."""

from __future__ import annotations

import copy
import inspect
import pickle

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from tests.support.compare import assert_same_error

CONFIGURATIONS = [
    {},
    {"num_layers": 2},
    {"num_layers": 3, "bidirectional": True, "bias": False},
    {"nonlinearity": "relu", "batch_first": True},
    {"num_layers": 2, "dropout": 0.25, "batch_first": True, "bias": False},
]


ATTRIBUTES = [
    "mode",
    "input_size",
    "hidden_size",
    "num_layers",
    "nonlinearity",
    "bias",
    "batch_first",
    "dropout",
    "bidirectional",
    "training",
]


class Pair(nn.Module):
    """A model of two layers, as torch code writes one."""

    def __init__(self, kind="RNN"):
        super().__init__()
        self.rnn = getattr(nn, kind)(3, 4, 2)
        self.linear = nn.Linear(4, 2)

    def forward(self, x):
        return self.linear(self.rnn(x)[0])


class TorchPair(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = torch.nn.RNN(3, 4, 2)
        self.linear = torch.nn.Linear(4, 2)

    def forward(self, x):
        return self.linear(self.rnn(x)[0])


@pytest.fixture
def x(rng):
    return rng.standard_normal((5, 2, 3)).astype(np.float32)


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=repr)
def test_rnn_parameters_and_repr_equal_torch(configuration):
    ours, theirs = nn.RNN(3, 4, **configuration), torch.nn.RNN(3, 4, **configuration)
    expected = [(name, tuple(p.shape)) for name, p in theirs.named_parameters()]
    assert [(name, p.shape) for name, p in ours.named_parameters()] == expected
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [p.shape for p in ours.parameters()] == [shape for _, shape in expected]
    assert repr(ours) == repr(theirs)
    for attribute in ATTRIBUTES:
        assert getattr(ours, attribute) == getattr(theirs, attribute), attribute


def test_rnn_signatures_equal_torch():
    parameters = list(inspect.signature(nn.RNN).parameters.values())[:-1]
    assert [(p.name, p.default) for p in parameters] == [
        ("input_size", inspect.Parameter.empty),
        ("hidden_size", inspect.Parameter.empty),
        ("num_layers", 1),
        ("nonlinearity", "tanh"),
        ("bias", True),
        ("batch_first", False),
        ("dropout", 0.0),
        ("bidirectional", False),
        ("device", None),
        ("dtype", None),
    ]


def test_all_weights_are_the_parameters():
    rnn = nn.RNN(3, 4, 2, bidirectional=True)
    assert len(rnn.all_weights) == 4
    flat = [array for weights in rnn.all_weights for array in weights]
    assert all(a is b for a, b in zip(flat, rnn.parameters(), strict=True))


def test_module_repr_and_names_equal_torch():
    ours, theirs = Pair(), TorchPair()
    assert repr(ours) == repr(theirs).replace("TorchPair", "Pair")
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert [n for n, _ in ours.named_modules()] == [n for n, _ in theirs.named_modules()]
    assert [n for n, _ in ours.named_children()] == [n for n, _ in theirs.named_children()]
    assert [n for n, _ in ours.named_parameters("m")] == [
        n for n, _ in theirs.named_parameters("m")
    ]
    assert list(ours.named_parameters(recurse=False)) == []
    assert list(ours.state_dict(prefix="m.")) == list(theirs.state_dict(prefix="m."))


def test_module_shared_child_is_walked_once_and_saved_under_each_name():
    ours, theirs = Pair(), TorchPair()
    ours.again, theirs.again = ours.linear, theirs.linear
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in ours.named_modules(remove_duplicate=False)] == [
        n for n, _ in theirs.named_modules(remove_duplicate=False)
    ]
    assert len(list(ours.children())) == 2


def test_module_apply_visits_children_before_parents():
    order = []
    model = Pair()
    assert model.apply(lambda module: order.append(type(module).__name__)) is model
    assert order == ["RNN", "Linear", "Pair"]


def test_module_train_and_eval_reach_every_child():
    model = Pair()
    assert model.training
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    model.train()
    assert model.rnn.training
    assert_same_error(lambda: model.train(1), lambda: TorchPair().train(1))


def test_module_without_forward_raises():
    assert_same_error(lambda: nn.Module()(1), lambda: torch.nn.Module()(1))


# State dicts


def test_load_state_dict_of_torch_equals_torch(x):
    ours, theirs = Pair(), TorchPair()
    result = ours.load_state_dict(theirs.state_dict())
    assert result == ([], [])
    assert (result.missing_keys, result.unexpected_keys) == ([], [])
    expected = theirs(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(ours(x), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.int8])
def test_load_state_dict_other_dtype_is_cast_as_torch(dtype):
    ours, theirs = nn.Linear(3, 2), torch.nn.Linear(3, 2)
    state = {name: (p * 3).to(dtype) for name, p in theirs.state_dict().items()}
    ours.load_state_dict(state)
    theirs.load_state_dict(state)
    np.testing.assert_array_equal(ours.weight, theirs.weight.detach().numpy())
    assert ours.weight.dtype == np.float32


def test_load_state_dict_tensors_that_require_grad_are_taken():
    theirs = torch.nn.Linear(3, 2)
    ours = nn.Linear(3, 2)
    ours.load_state_dict(dict(theirs.named_parameters()))
    np.testing.assert_array_equal(ours.weight, theirs.weight.detach().numpy())


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        {"rnn.weight_ih_l0": None},
        {"linear.bias": None, "rnn.bias_hh_l1": None},
        {"extra": (2,), "rnn.extra": (2,), "linear.weight.extra": (1,), "rnns.x": (1,)},
        {"rnn.weight_ih_l0": (4, 4), "linear.bias": (3,), "linear.weight": ()},
        {"rnn.weight_hh_l0": (4, 4, 1), "linear.bias": None, "more": (1,)},
    ],
    ids=repr,
)
def test_load_state_dict_wrong_keys_raise_as_torch_and_change_nothing(change, strict, x):
    ours, theirs = Pair(), TorchPair()
    ours.load_state_dict(theirs.state_dict())
    before = ours(x)
    state = {name: value + 1 for name, value in theirs.state_dict().items()}
    for name, shape in change.items():
        if shape is None:
            del state[name]
        else:
            state[name] = torch.ones(shape)
    numpy_state = {name: value.numpy() for name, value in state.items()}
    mismatched = any(name in theirs.state_dict() for name, shape in change.items() if shape)
    if strict or mismatched:
        assert_same_error(
            lambda: ours.load_state_dict(numpy_state, strict),
            lambda: TorchPairNamedPair().load_state_dict(state, strict),
        )
        np.testing.assert_array_equal(ours(x), before)
    else:
        assert ours.load_state_dict(numpy_state, strict) == theirs.load_state_dict(
            state, strict
        )
        assert not np.array_equal(ours(x), before)


def TorchPairNamedPair():  # noqa: N802  # stands for a class
    """A torch model whose class has our model's name, which the errors mention."""
    model = TorchPair()
    model.__class__ = type("Pair", (TorchPair,), {})
    return model


@pytest.mark.parametrize("value", [[1.0], 3, "weights", None], ids=repr)
def test_load_state_dict_value_not_an_array_raises(value):
    ours, theirs = nn.Linear(3, 2), torch.nn.Linear(3, 2)
    state = {**theirs.state_dict(), "bias": value}
    assert_same_error(
        lambda: ours.load_state_dict(state), lambda: theirs.load_state_dict(state)
    )


@pytest.mark.parametrize("dtype", [np.complex64, "U3", object, "M8[s]"])
def test_load_state_dict_complex_or_object_array_raises(dtype):
    state = {"weight": np.zeros((2, 3)), "bias": np.zeros(2, dtype)}
    with pytest.raises(RuntimeError, match=r'"bias", expected real numbers .* received'):
        nn.Linear(3, 2).load_state_dict(state)


def test_load_state_dict_not_a_dict_raises():
    assert_same_error(
        lambda: nn.RNN(3, 4).load_state_dict([1]),
        lambda: torch.nn.RNN(3, 4).load_state_dict([1]),
    )
    with pytest.raises(TypeError, match="keys of state_dict to be str, got 3"):
        nn.RNN(3, 4).load_state_dict({3: np.zeros(1)})


def test_state_dict_views_the_parameters():
    model = Pair()
    state = model.state_dict()
    assert not any(isinstance(value, nn.Parameter) for value in state.values())
    assert np.shares_memory(state["rnn.weight_ih_l0"], model.rnn.weight_ih_l0)
    model.load_state_dict({name: np.full_like(a, 2) for name, a in state.items()})
    assert (state["linear.bias"] == 2).all()


def test_load_state_dict_overlapping_arrays_are_copied_first():
    rnn = nn.RNN(4, 4)
    ih, hh = rnn.weight_ih_l0.copy(), rnn.weight_hh_l0.copy()
    state = rnn.state_dict()
    state["weight_ih_l0"], state["weight_hh_l0"] = (
        state["weight_hh_l0"].T,
        state["weight_ih_l0"],
    )
    rnn.load_state_dict(state)
    np.testing.assert_array_equal(rnn.weight_ih_l0, hh.T)
    np.testing.assert_array_equal(rnn.weight_hh_l0, ih)


def test_load_state_dict_every_layout_and_byte_order_is_read():
    values = np.arange(6, dtype=np.float64).reshape(2, 3)
    layouts = [
        values.astype(">f4"),
        np.asfortranarray(values),
        values[::-1, ::-1][::-1, ::-1],
        np.broadcast_to(values, (2, 2, 3))[1],
        values.astype(np.int16),
    ]
    for layout in layouts:
        linear = nn.Linear(3, 2, bias=False)
        linear.load_state_dict({"weight": layout})
        np.testing.assert_array_equal(linear.weight, values)


# Live weights


def edited(model, weights):
    model.rnn.weight_hh_l0[...] = weights


def assigned(model, weights):
    model.rnn.weight_hh_l0 = weights


def loaded(model, weights):
    model.load_state_dict({"rnn.weight_hh_l0": weights}, strict=False)


def state_edited(model, weights):
    model.state_dict()["rnn.weight_hh_l0"][:] = weights


@pytest.mark.parametrize("change", [edited, assigned, loaded, state_edited])
@pytest.mark.parametrize(
    "duplicate", [lambda m: m, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
@pytest.mark.parametrize("steps", [1, 20])
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_module_edited_weight_changes_the_output(rng, change, duplicate, steps, kind):
    x = rng.standard_normal((steps, 2, 3)).astype(np.float32)
    hx = rng.standard_normal((2, 2, 4)).astype(np.float32)
    hx = (hx, hx) if kind == "LSTM" else hx
    original = Pair(kind)
    first = original.rnn(x, hx)[0]
    model = duplicate(original)
    np.testing.assert_array_equal(model.rnn(x, hx)[0], first)
    weights = rng.standard_normal(model.rnn.weight_hh_l0.shape).astype(np.float32)
    change(model, weights)
    fresh = Pair(kind)
    fresh.load_state_dict(model.state_dict())
    assert np.array_equal(fresh.rnn.weight_hh_l0, weights)
    np.testing.assert_array_equal(model.rnn(x, hx)[0], fresh.rnn(x, hx)[0])
    assert not np.array_equal(model.rnn(x, hx)[0], first)
    if model is not original:
        np.testing.assert_array_equal(original.rnn(x, hx)[0], first)


def test_module_assigned_array_is_copied(rng):
    mine = rng.standard_normal((4, 4)).astype(np.float32)
    kept = mine.copy()
    rnn = nn.RNN(4, 4)
    rnn.weight_hh_l0 = mine
    rnn.weight_hh_l0[...] = 0
    np.testing.assert_array_equal(mine, kept)
    rnn.weight_ih_l0, rnn.weight_hh_l0 = rnn.weight_hh_l0, rnn.weight_ih_l0
    assert not np.shares_memory(rnn.weight_ih_l0, rnn.weight_hh_l0)
    assert (rnn.weight_ih_l0 == 0).all()


def test_module_assignment_wrong_shape_or_dtype_raises():
    rnn = nn.RNN(3, 4)
    with pytest.raises(
        ValueError, match=r"shape \(4, 4\) as parameter 'weight_ih_l0' of shape"
    ):
        rnn.weight_ih_l0 = np.zeros((4, 4), np.float32)
    with pytest.raises(TypeError, match=r"an array of float64 as parameter .* Convert it with"):
        rnn.weight_ih_l0 = np.zeros((4, 3))
    with pytest.raises(TypeError, match="cannot assign an array of int64 as parameter"):
        rnn.weight_ih_l0 = np.zeros((4, 3), np.int64)
    for value in ([[0.0]], None, 3.0):
        with pytest.raises(TypeError, match=r"cannot assign '.*' as parameter 'weight_ih_l0'"):
            rnn.weight_ih_l0 = value
    with pytest.raises(TypeError, match="the module was built without it"):
        nn.Linear(2, 2, bias=False).bias = np.zeros(2, np.float32)
    with pytest.raises(TypeError, match="cannot assign 'int' as child module 'rnn'"):
        Pair().rnn = 3


def test_module_in_place_operator_keeps_the_array():
    rnn = nn.RNN(3, 4)
    state, held = rnn.state_dict(), rnn.weight_hh_l0
    rnn.weight_hh_l0 += 1
    rnn.weight_hh_l0[...] = 5
    assert held is rnn.weight_hh_l0
    assert (state["weight_hh_l0"] == 5).all()


def test_module_shallow_copy_changes_alone():
    model = Pair()
    twin = copy.copy(model)
    twin.more = nn.Linear(1, 1)
    assert len(model.state_dict()) + 2 == len(twin.state_dict())
    assert twin.rnn is model.rnn


def test_module_deleted_parameter_raises_with_its_name():
    rnn = nn.RNN(3, 4)
    del rnn.weight_hh_l0
    with pytest.raises(AttributeError, match="the parameter 'weight_hh_l0' was deleted"):
        rnn(np.zeros((2, 1, 3), np.float32))


def test_load_state_dict_read_only_parameter_changes_nothing():
    linear = nn.Linear(3, 2)
    linear.bias.flags.writeable = False
    before = linear.weight.copy()
    with pytest.raises(RuntimeError, match='the parameter named "bias" is read-only'):
        linear.load_state_dict({"weight": np.ones((2, 3)), "bias": np.ones(2)})
    np.testing.assert_array_equal(linear.weight, before)


@pytest.mark.parametrize("value", [torch.eye(2).to_sparse(), torch.zeros(2, device="meta")])
def test_load_state_dict_sparse_tensor_raises(value):
    with pytest.raises(RuntimeError, match='"bias", an exception occurred'):
        nn.Linear(3, 2).load_state_dict({"weight": np.ones((2, 3)), "bias": value})


def test_module_child_may_stay_in_eval_mode():
    class Frozen(nn.Linear):
        def train(self, mode=True):  # noqa: ARG002  # this is what it is about
            return super().train(False)

    model = nn.Module()
    model.frozen, model.free = Frozen(1, 1).eval(), nn.Linear(1, 1)
    model.train()
    assert (model.training, model.frozen.training, model.free.training) == (True, False, True)


def test_module_attribute_is_replaced_by_a_module():
    model = nn.Module()
    model.head = False
    model.head = nn.Linear(1, 1)
    assert [name for name, _ in model.named_children()] == ["head"]
    with pytest.raises(KeyError, match="attribute 'head' already exists"):
        model.register_parameter("head", np.ones(1))


def test_module_assignment_tensor_becomes_an_array():
    rnn = nn.RNN(3, 4)
    rnn.weight_ih_l0 = torch.nn.Parameter(torch.ones(4, 3))
    assert type(rnn.weight_ih_l0) is np.ndarray
    assert (rnn.weight_ih_l0 == 1).all()


def test_module_registered_names_are_listed_until_deleted():
    module = nn.Module()
    module.register_parameter("scale", np.ones(3, np.float32))
    module.register_parameter("none", None)
    module.child = None
    module.child = nn.Linear(1, 1)
    assert [name for name, _ in module.named_parameters()] == [
        "scale",
        "child.weight",
        "child.bias",
    ]
    del module.scale
    del module.child
    assert list(module.named_parameters()) == []
    for name, message in [("", "be empty string"), ("a.b", 'contain "."'), ("none", "exists")]:
        with pytest.raises(KeyError, match=message):
            module.register_parameter(name, np.ones(1))
    with pytest.raises(TypeError, match="name should be a string"):
        module.register_parameter(3, np.ones(1))
    with pytest.raises(TypeError, match="is not a Module subclass"):
        module.add_module("m", 3)


def test_module_subclass_without_super_init_raises():
    class Forgetful(nn.Module):
        def __init__(self):
            self.rnn = nn.RNN(1, 1)

    with pytest.raises(AttributeError, match=r"before Module.__init__\(\) call"):
        Forgetful()


# Buffers and names


class Stateful(nn.Module):
    """A model that carries a state in buffers."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.register_buffer("mean", np.arange(2, dtype=np.float32))
        self.register_buffer("count", np.array(3))
        self.register_buffer("scratch", np.zeros(4, np.float32), persistent=False)
        self.register_buffer("later", None)


class TorchStateful(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(2, 2)
        self.register_buffer("mean", torch.arange(2.0))
        self.register_buffer("count", torch.tensor(3))
        self.register_buffer("scratch", torch.zeros(4), persistent=False)
        self.register_buffer("later", None)


def test_buffers_names_and_state_dict_equal_torch():
    ours, theirs = nn.Sequential(Stateful()), torch.nn.Sequential(TorchStateful())
    for options in ({}, {"prefix": "m"}, {"recurse": False}):
        assert [n for n, _ in ours.named_buffers(**options)] == [
            n for n, _ in theirs.named_buffers(**options)
        ]
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [b.shape for b in ours.buffers()] == [tuple(b.shape) for b in theirs.buffers()]
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert list(ours.buffers(recurse=False)) == []


def test_named_modules_remove_duplicate_equals_torch():
    shared, torch_shared = Stateful(), TorchStateful()
    ours, theirs = nn.ModuleList([shared] * 2), torch.nn.ModuleList([torch_shared] * 2)
    for walk in ("named_parameters", "named_buffers"):
        for once in (True, False):
            names = [
                [n for n, _ in getattr(model, walk)(remove_duplicate=once)]
                for model in (ours, theirs)
            ]
            assert names[0] == names[1]


def test_load_state_dict_buffers_are_loaded_and_missed_like_parameters():
    ours, theirs = Stateful(), TorchStateful()
    theirs.mean += 5
    theirs.count += 5
    state, held = theirs.state_dict(), ours.mean
    assert repr(ours.load_state_dict(state)) == repr(theirs.load_state_dict(state))
    assert held is ours.mean
    np.testing.assert_array_equal(ours.mean, [5, 6])
    assert (ours.count, ours.count.dtype) == (8, np.int64)
    for change in ({"mean": torch.zeros(3)}, {"later": torch.zeros(1)}, {"count": [1]}):
        renamed = type("Stateful", (TorchStateful,), {})()
        assert_same_error(
            lambda: ours.load_state_dict({**state, **change}),  # noqa: B023
            lambda: renamed.load_state_dict({**state, **change}),  # noqa: B023
        )
    del state["mean"]
    renamed = type("Stateful", (TorchStateful,), {})()
    assert_same_error(
        lambda: ours.load_state_dict(state), lambda: renamed.load_state_dict(state)
    )
    got, expected = ours.load_state_dict(state, False), theirs.load_state_dict(state, False)
    assert got == tuple(expected)
    assert repr(got) == repr(expected).removeprefix("_")


def test_load_state_dict_scalar_buffer_takes_array_of_one():
    """As torch before 0.4 saved it."""
    ours, theirs = Stateful(), TorchStateful()
    state = {**theirs.state_dict(), "count": torch.tensor([7])}
    ours.load_state_dict(state)
    theirs.load_state_dict(state)
    assert ours.count == theirs.count == 7
    assert ours.count.shape == ()


def test_module_buffer_assigned_any_array_is_copied():
    model, state = Stateful(), np.ones((2, 3))
    for value in (state, None, torch.ones(2), np.array([True])):
        model.mean = value
        assert ("mean" in dict(model.named_buffers())) == (value is not None)
    model.mean = state
    state[...] = 7
    assert (model.mean == 1).all()
    held = model.mean
    model.mean += 1
    assert model.mean is held
    with pytest.raises(TypeError, match="cannot assign 'list' as buffer 'mean'"):
        model.mean = [1.0]
    for dtype in (np.complex64, np.float16, "U3"):
        with pytest.raises(TypeError, match=r"as buffer 'mean' \(float32, float64, integers"):
            model.mean = np.zeros(2, dtype)


def test_register_buffer_wrong_arguments_raise_as_torch():
    model = Stateful()
    model.register_buffer("scratch", np.ones(1, np.float32))
    model.register_buffer("mean", None, persistent=False)
    model.mean = np.ones(2)
    assert list(model.state_dict()) == ["count", "scratch", "linear.weight", "linear.bias"]
    del model.scratch
    assert [name for name, _ in model.named_buffers()] == ["mean", "count"]
    model.count = nn.Linear(1, 1)
    assert [name for name, _ in model.named_buffers()] == ["mean"]
    for name, message in [("", "empty string"), ("a.b", 'contain "."'), ("train", "exists")]:
        with pytest.raises(KeyError, match=message):
            model.register_buffer(name, None)
    with pytest.raises(TypeError, match="buffer name should be a string"):
        model.register_buffer(3, None)
    with pytest.raises(TypeError, match="cannot assign 'list' as buffer 'more'"):
        model.register_buffer("more", [1.0])
    assert not hasattr(model, "more")

    class Forgetful(nn.Module):
        def __init__(self):
            self.register_buffer("state", None)

    with pytest.raises(AttributeError, match=r"buffer before Module.__init__\(\) call"):
        Forgetful()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_module_copies_have_their_own_buffers(duplicate):
    model = Stateful()
    twin = duplicate(model)
    twin.mean += 1
    twin.register_buffer("more", np.zeros(1))
    assert not np.array_equal(model.mean, twin.mean)
    assert [name for name, _ in model.named_buffers()] == ["mean", "count", "scratch"]
    assert "scratch" not in twin.state_dict()


@pytest.mark.parametrize(
    "call",
    [
        lambda model: model.get_submodule("x"),
        lambda model: model.get_submodule("train"),
        lambda model: model.get_submodule("0.linear.v"),
        lambda model: model.get_parameter("0.mean"),
        lambda model: model.get_parameter("0.linear"),
        lambda model: model.get_parameter("0.linear.q"),
        lambda model: model.get_parameter(""),
        lambda model: model.get_buffer("0.x"),
        lambda model: model.get_buffer("training"),
        lambda model: model.get_buffer("0.linear.weight"),
    ],
)
def test_module_absent_attribute_raises_as_torch(call):
    ours, theirs = nn.Sequential(Stateful()), torch.nn.Sequential(TorchStateful())
    theirs[0].__class__ = type("Stateful", (TorchStateful,), {})
    assert_same_error(lambda: call(ours), lambda: call(theirs))


def test_get_submodule_and_parameter_dotted_names_equal_torch():
    model = nn.Sequential(Stateful())
    assert model.get_submodule("") is model
    assert model.get_submodule("0.linear") is model[0].linear
    assert model.get_parameter("0.linear.weight") is model[0].linear.weight
    assert model.get_buffer("0.mean") is model[0].mean
    assert model.get_buffer("0.later") is None
    model.register_parameter("none", None)
    with pytest.raises(AttributeError, match="`none` is not an"):
        model.get_parameter("none")
    model.register_module("last", nn.ReLU())
    assert len(model) == 2


def test_module_repr_of_several_lines_is_indented():
    class Lines(nn.Linear):
        def extra_repr(self):
            return "one\ntwo"

    class TorchLines(torch.nn.Linear):
        def extra_repr(self):
            return "one\ntwo"

    assert repr(Lines(1, 1)) == repr(TorchLines(1, 1)).replace("TorchLines", "Lines")


# torch's mappings, and what it has for training and devices


def test_module_mappings_equal_torch():
    ours, theirs = nn.Sequential(Stateful()), torch.nn.Sequential(TorchStateful())
    for path in ("", "0", "0.linear"):
        mine, its = ours.get_submodule(path), theirs.get_submodule(path)
        for mapping in ("_modules", "_parameters", "_buffers"):
            assert list(getattr(mine, mapping)) == list(getattr(its, mapping))
    assert ours[0]._buffers["mean"] is ours[0].mean
    assert repr(ours[0].linear._modules) == "{}"


def test_module_mappings_can_be_edited():
    model = Stateful()
    model._modules["linear"] = nn.ReLU()
    model._modules["last"] = model.linear
    model._parameters["scale"] = np.ones(2, np.float32)
    model._parameters["scale"] = np.zeros(2, np.float32)
    model._buffers["later"] = np.ones(1)
    del model._buffers["mean"]
    assert [name for name, _ in model.named_modules(remove_duplicate=False)] == [
        *("", "linear", "last")
    ]
    assert list(model.state_dict()) == ["scale", "count", "later"]
    assert (model.scale == 0).all()
    assert len(model._buffers) == 3
    for change in (model._buffers.__getitem__, model._buffers.__delitem__):
        with pytest.raises(KeyError, match="scale"):
            change("scale")


def test_module_forward_over_its_modules_runs():
    class Chain(nn.Module):
        def __init__(self):
            super().__init__()
            for number in range(3):
                self.add_module(f"layer{number}", nn.Linear(2, 2))

        def forward(self, x):
            for name, module in self._modules.items():
                x = module(x) if name != "layer1" else self._modules["layer1"](x)
            return x

    chain, x = Chain(), np.ones((1, 2), np.float32)
    np.testing.assert_array_equal(chain(x), nn.Sequential(*chain.children())(x))


def test_set_submodule_equals_torch():
    for library in (nn, torch.nn):
        model = library.Sequential(library.Sequential(library.ReLU()))
        model.set_submodule("0.0", library.Tanh(), strict=True)
        model.set_submodule("0.last", library.Sigmoid())
        model.set_submodule("more", library.Tanh())
        assert [type(module).__name__ for module in model.modules()] == [
            *("Sequential", "Sequential", "Tanh", "Sigmoid", "Tanh")
        ]


@pytest.mark.parametrize(
    "arguments",
    [("",), ("0.x", True), ("1.x",), ("0.weight",), ("0.weight.x",), ("train",)],
    ids=repr,
)
def test_set_submodule_wrong_name_raises_as_torch(arguments):
    name, *strict = arguments
    ours, theirs = (library.Sequential(library.Linear(1, 1)) for library in (nn, torch.nn))
    assert_same_error(
        lambda: ours.set_submodule(name, nn.ReLU(), *strict),
        lambda: theirs.set_submodule(name, torch.nn.ReLU(), *strict),
    )
    assert_same_error(lambda: ours.set_submodule("0", 3), lambda: theirs.set_submodule("0", 3))


def test_module_training_methods_do_nothing():
    model = Pair()
    before = pickle.dumps(model)
    assert model.requires_grad_() is model.requires_grad_(False) is model
    assert model.zero_grad() is model.zero_grad(set_to_none=True) is None
    assert pickle.dumps(model) == before


def test_module_half_and_cuda_raise():
    for call in (Pair().half, Pair().bfloat16):
        with pytest.raises(TypeError, match="modules are float32 or float64: leave half"):
            call()
    for arguments in ((), (0,), ("cuda:1",)):
        with pytest.raises(RuntimeError, match="runs on the CPU only"):
            Pair().cuda(*arguments)


# Dtypes


def test_module_cast_changes_float_buffers_alone():
    model = nn.Sequential(Stateful())
    weight, count = model[0].linear.weight, model[0].count
    model.double()
    assert weight.dtype == np.float32
    assert {name: str(array.dtype) for name, array in model.named_buffers()} == {
        "0.mean": "float64",
        "0.count": "int64",
        "0.scratch": "float64",
    }
    assert model[0].count is count


def test_module_to_and_casts_reach_every_child(x):
    model = Pair()
    weights = model.rnn.weight_ih_l0
    assert model.to("cpu").to(np.float32).cpu().float() is model
    assert model.rnn.weight_ih_l0 is weights
    assert model.double() is model
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float64)}
    assert model(x.astype(np.float64)).dtype == np.float64
    assert model.to("float32").to("float64").rnn.weight_ih_l0.dtype == np.float64
    model.to("cpu", np.float32)
    assert model.rnn.weight_ih_l0.dtype == np.float32
    model.to(dtype="float64", device=torch.device("cpu"))
    assert model(x.astype(np.float64)).dtype == np.float64
    with pytest.raises(RuntimeError, match="device must be None or 'cpu', got 'cuda'"):
        model.to("cuda")
    with pytest.raises(TypeError, match=r"dtype must be numpy.float32 or numpy.float64"):
        model.to(np.float16)


def test_module_float_beyond_float32_gives_infinity_without_warning():
    linear = nn.Linear(1, 1, dtype=np.float64)
    linear.weight[...] = 1e300
    assert np.isinf(linear.float().weight).all()


def test_load_state_dict_nested_checkpoint_raises_with_advice():
    checkpoint = {"epoch": 3, "model": nn.Linear(2, 1).state_dict()}
    with pytest.raises(RuntimeError, match=r"alone, use numpy_rnn.read_state_dict"):
        nn.Linear(2, 1).load_state_dict(checkpoint)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (0, 2)])
def test_module_to_array_takes_its_dtype(dtype, shape):
    array = np.zeros(shape, dtype)
    for given_array in (array, torch.from_numpy(array), np.dtype(dtype).type(0)):
        for module in (nn.BatchNorm1d(2), nn.BatchNorm1d(2, dtype=np.float64)):
            assert module.to(given_array) is module
            assert module.weight.dtype == module.running_mean.dtype == dtype
            assert module.num_batches_tracked.dtype == np.int64


def test_module_to_array_with_more_arguments_raises():
    array = np.zeros(3)
    for dtype in ("int64", "float16"):
        with pytest.raises(TypeError, match=f"must be numpy.float32 or .* got '{dtype}'"):
            nn.Linear(1, 1).to(array.astype(dtype))
    for more in ({"dtype": "float32"}, {"device": "cpu"}):
        with pytest.raises(TypeError, match="takes an array as its only argument, but got"):
            nn.Linear(1, 1).to(array, **more)
        with pytest.raises(TypeError, match="takes an array as its only argument, but got"):
            nn.Linear(1, 1).to(*more.values(), array)
    with pytest.raises(TypeError, match="invalid combination of arguments"):
        torch.nn.Linear(1, 1).to(torch.zeros(3), torch.float32)
