"""`nn.describe` names the layers in a state_dict, and `from_state_dict` builds them."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

import numpy_rnn as nn
from numpy_rnn import modules, random
from tests.support.compare import assert_close

CONSTRUCTORS = [
    "nn.RNN(3, 4)",
    "nn.RNN(3, 4, num_layers=3, bias=False)",
    "nn.LSTM(8, 32, num_layers=2, bidirectional=True)",
    "nn.LSTM(3, 4, num_layers=2, bias=False, bidirectional=True, proj_size=2)",
    "nn.LSTM(3, 1)",
    'nn.GRU(1, 1, dtype="float64")',
    "nn.GRU(5, 2, bidirectional=True)",
    "nn.RNNCell(3, 4)",
    "nn.RNNCell(1, 1, bias=False)",
    "nn.LSTMCell(3, 4, bias=False)",
    'nn.GRUCell(3, 4, dtype="float64")',
    "nn.Linear(3, 4)",
    "nn.Conv1d(2, 3, 5)",
    "nn.Conv1d(2, 3, 5, bias=False)",
    "nn.Conv2d(2, 3, (5, 4))",
    "nn.ConvTranspose1d(2, 3, 5)",
    "nn.ConvTranspose2d(2, 3, (5, 4))",
    "nn.BatchNorm1d(4)",
    "nn.BatchNorm1d(4, affine=False)",
    "nn.LayerNorm(4)",
    "nn.LayerNorm((2, 3))",
    "nn.PReLU()",
    "nn.Linear(3, 4)",
    "nn.Linear(3, 4, bias=False)",
]

TORCH_CONSTRUCTORS = [
    "nn.Embedding(27, 50)",
    "nn.BatchNorm1d(4, bias=False)",
]


@pytest.mark.parametrize("prefix", ["", "encoder.rnn"])
@pytest.mark.parametrize("line", CONSTRUCTORS)
def test_describe_layer_line_equals_its_constructor_call(line, prefix):
    module = eval(line)
    state_dict = module.state_dict(prefix=prefix and f"{prefix}.")
    description = nn.describe(state_dict)
    (layer,) = description
    assert layer.constructor == line
    assert (layer.prefix, layer.kind) == (prefix, type(module).__name__)
    assert layer.parameters == tuple(state_dict)
    assert not description.inconsistent
    assert not description.unrecognised
    built = layer.build(state_dict)
    assert repr(built) == repr(module)
    for ours, theirs in zip(built.parameters(), module.parameters(), strict=True):
        assert ours.dtype == theirs.dtype
        assert not np.shares_memory(ours, theirs)
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("line", CONSTRUCTORS[:-2] + TORCH_CONSTRUCTORS)
def test_describe_torch_state_dict_names_its_layers(line):
    module = eval(line.replace('"float64"', "torch.float64"), {"nn": torch.nn, "torch": torch})
    state_dict = {f"m.emb.{name}": value for name, value in module.state_dict().items()}
    (layer,) = nn.describe(state_dict)
    assert layer.constructor == line
    assert set(layer.parameters) == set(state_dict)


def test_describe_unknown_arguments_are_named():
    state_dict = nn.RNN(1, 2).state_dict(prefix="a.") | nn.LSTM(1, 2).state_dict(prefix="b.")
    description = nn.describe(state_dict)
    assert description["a"].unknown == ("nonlinearity", "batch_first", "dropout")
    assert description["b"].unknown == ("batch_first", "dropout")
    assert str(description[1]) == "b = nn.LSTM(1, 2)  # unknown: batch_first, dropout"


WEIGHTED = [
    name for name in modules.__all__ if hasattr(getattr(modules, name), "from_state_dict")
]


def test_from_state_dict_is_on_the_classes_whose_weights_determine_them():
    assert [
        *("GRU", "LSTM", "RNN", "BatchNorm1d", "BatchNorm2d", "Bilinear", "Conv1d", "Conv2d"),
        *(
            "ConvTranspose1d",
            "ConvTranspose2d",
            "Embedding",
            "GRUCell",
            "GroupNorm",
            "InstanceNorm1d",
            "InstanceNorm2d",
            "LSTMCell",
        ),
        *("LayerNorm", "Linear", "PReLU", "RNNBase", "RNNCell"),
    ] == WEIGHTED


@pytest.mark.parametrize("kind", WEIGHTED)
def test_layer_declared_arguments_are_those_of_its_constructor(kind):
    layer = getattr(nn, kind)
    takes = set(inspect.signature(layer).parameters)
    assert layer._immaterial <= takes
    if kind != "RNNBase":
        sizes = [
            name
            for name, parameter in inspect.signature(layer).parameters.items()
            if parameter.default is parameter.empty and parameter.kind != parameter.VAR_KEYWORD
        ]
        affine = {"affine": True} if "affine" in takes else {}
        module = layer(*[4 for _ in sizes], **affine)
        shapes = {name: array.shape for name, array in module.state_dict().items()}
        assert set(layer._arguments_from(shapes)) <= takes


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("head", "nn.Linear(50, 27, bias=False)", "nn.Embedding(27, 50)"),
        ("word_Embeddings", "nn.Embedding(27, 50)", "nn.Linear(50, 27, bias=False)"),
        ("embedder.out", "nn.Linear(50, 27, bias=False)", "nn.Embedding(27, 50)"),
        ("norm1", "nn.Linear(50, 27, bias=False)", "nn.Embedding(27, 50)"),
    ],
)
def test_describe_lone_matrix_is_told_by_its_name(name, first, second):
    (layer,) = nn.describe({f"{name}.weight": np.zeros((27, 50), np.float32)})
    assert (layer.constructor, layer.alternatives) == (first, (second,))
    assert str(layer) == f"{name} = {first}  # or {second}" + (
        "; unknown: max_norm" if layer.kind == "Embedding" else ""
    )
    linear = nn.Linear.from_state_dict({f"{name}.weight": np.ones((27, 50))}, name)
    assert repr(linear) == "Linear(in_features=50, out_features=27, bias=False)"


def lstm(**changes):
    """Return the state_dict of an LSTM with entries changed, or left out where None."""
    state_dict = nn.LSTM(3, 4, num_layers=3, bidirectional=True, proj_size=2).state_dict()
    state_dict |= {name: value for name, value in changes.items() if value is not None}
    return {name: a for name, a in state_dict.items() if changes.get(name, a) is not None}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"weight_hh_l0": None}, "weight_hh_l0 is missing"),
        ({"weight_ih_l0": None}, "weight_ih_l0 is missing"),
        ({"weight_hh_l2_reverse": None}, "weight_hh_l2_reverse is missing"),
        ({"bias_ih_l1": None}, "bias_ih_l1 is missing"),
        ({"weight_hr_l1": None}, "weight_hr_l1 is missing"),
        ({"weight_hr_l0": None}, "weight_hh_l0 must have .* got 16 rows for 2 hidden units"),
        ({"weight_hh_l0": np.ones(16)}, r"weight_hh_l0 must have two axes, got shape \(16,\)"),
        (
            {"weight_hh_l0": np.ones((16, 0))},
            r"weight_hh_l0 must have the shape \(16, 2\), got \(16, 0\)",
        ),
        ({"weight_hh_l0": np.ones((0, 0))}, "weight_hh_l0 must have .* got 0 rows for 4"),
        ({"weight_ih_l0": np.ones((16, 0))}, "weight_ih_l0 must have at least one column"),
        ({"weight_ih_l1": np.ones((16, 3))}, r"weight_ih_l1 must .* \(16, 4\), got \(16, 3\)"),
        ({"bias_hh_l1": np.ones(15)}, r"bias_hh_l1 must .* \(16,\), got \(15,\)"),
        (
            {"weight_hr_l0": np.ones((4, 4))},
            r"weight_hr_l0 has shape \(4, 4\), but only an LSTM may have a projection",
        ),
        ({"weight_hr_l3": np.ones((2, 4))}, "weight_ih_l3 is missing"),
        (
            {"weight_ih_l9": np.ones((2, 4))},
            "layers must be numbered .* without gaps, got 0, 1, 2, 9",
        ),
        ({"bias_ih_l0": np.ones(16, np.int8)}, "bias_ih_l0 must be float32, .* got int8"),
    ],
    ids=repr,
)
def test_describe_inconsistent_rnn_weights_are_reported(changes, problem):
    state_dict = lstm(**changes) | nn.Linear(1, 1).state_dict(prefix="head.")
    description = nn.describe(state_dict)
    assert [layer.prefix for layer in description] == ["head"]
    (inconsistency,) = description.inconsistent
    assert inconsistency.prefix == ""
    with pytest.raises(ValueError, match=f"without a prefix are inconsistent: .*{problem}"):
        nn.LSTM.from_state_dict(state_dict)
    assert "# inconsistent: (no prefix): " in repr(description)


@pytest.mark.parametrize(
    ("state_dict", "problem"),
    [
        ({"weight": (2, 3), "bias": (3,)}, r"bias must have the shape \(2,\), got \(3,\)"),
        (
            {"running_mean": (2,), "running_var": (3,)},
            r"running_var must have the shape \(2,\), got \(3,\)",
        ),
        ({"running_var": (3,)}, "running_mean is missing"),
        ({"running_mean": ()}, r"running_mean must .* \(num_features\), got \(\)"),
        ({"running_mean": (2,), "running_var": (2,), "bias": (2,)}, "weight is missing"),
        ({"weight_ih": (8, 3)}, "weight_hh is missing"),
        ({"weight_ih": (8, 3), "weight_hh": (8, 4)}, "weight_hh must have .* got 8 rows for 4"),
        ({"weight_ih": (4, 3), "weight_hh": (4, 4), "bias_ih": (4,)}, "bias_hh is missing"),
        (
            {"weight_ih_l0": (3, 1), "weight_hh_l0": (3, 2), "weight_hr_l0": (2, 3)},
            "projection",
        ),
    ],
    ids=repr,
)
def test_describe_inconsistent_other_weights_are_reported(state_dict, problem):
    arrays = {name: np.ones(shape, np.float32) for name, shape in state_dict.items()}
    description = nn.describe(arrays)
    assert len(description) == 0
    (inconsistency,) = description.inconsistent
    assert set(inconsistency.parameters) == set(arrays)
    assert re.search(problem, str(inconsistency))


def test_describe_other_tensors_are_listed():
    state_dict = {
        "scale": np.ones(3),
        "conv3d.weight": np.ones((1, 2, 3, 4, 5)),
        "conv3d.bias": np.ones(1),
        "gain.weight": np.ones(3),
        "lone.bias": np.ones(3),
        "scalar.weight": np.ones(()),
        "weight_ih_l01": np.ones((1, 1)),
        "weight_hh_l" + "9" * 5000: np.ones((1, 1)),
        "model_state_dict": {},
        "epoch": 3,
    }
    description = nn.describe(state_dict)
    assert len(description) == len(description.inconsistent) == 0
    assert list(description.unrecognised) == list(state_dict)
    assert description.unrecognised["conv3d.weight"] == "float64 (1, 2, 3, 4, 5)"
    assert description.unrecognised["model_state_dict"] == "a dict"
    assert repr(description).startswith("no layers recognised\n# unrecognised: scale, float64")


def test_describe_control_characters_in_names_are_escaped():
    state_dict = nn.Linear(1, 1).state_dict(prefix="\x1b[2J.") | {"\n": np.ones(1)}
    assert repr(nn.describe(state_dict)).splitlines() == [
        r"nn.Linear(1, 1)  # of '\x1b[2J'",
        r"# unrecognised: '\n', float64 (1,)",
    ]


def test_describe_names_that_are_no_attributes_are_never_code():
    """Its lines are made to be copied into a program."""
    for prefix in ("x = f(1); y", "a\nb", "rnn,", "a b", "1+1", "a..b"):
        line = repr(nn.describe(nn.LSTM(1, 2).state_dict(prefix=f"{prefix}.")))
        code, _, comment = line.partition("  # ")
        assert code == "nn.LSTM(1, 2)"
        assert comment.startswith(f"of {prefix!r}")
        assert "\n" not in line
    for prefix in ("head.1", "encoder.rnn", "größe"):
        line = repr(nn.describe(nn.LSTM(1, 2).state_dict(prefix=f"{prefix}.")))
        assert line.startswith(f"{prefix} = nn.LSTM(1, 2)")


def test_describe_not_a_state_dict_raises():
    with pytest.raises(TypeError, match="Expected state_dict to be dict-like, got <class 'lis"):
        nn.describe([])
    with pytest.raises(TypeError, match="Expected the keys of state_dict to be str, got 1"):
        nn.describe({1: np.ones(1)})
    with pytest.raises(KeyError, match="no layer 'a': the recognised layers are none"):
        nn.describe({})["a"]


LEAVES = [
    f"{kind}{end}"
    for kind in ("weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh")
    for end in ("", "_l0", "_l0_reverse", "_l1", "_l3")
] + ["weight", "bias", "running_mean", "running_var", "num_batches_tracked", "other"]


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["", "a.", "a.emb."]), st.sampled_from(LEAVES)).map("".join),
        st.lists(st.sampled_from([0, 1, 2, 3, 4, 8]), max_size=4).map(tuple),
        max_size=12,
    )
)
def test_describe_every_name_belongs_to_one_layer_that_can_be_built(shapes):
    state_dict = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    description = nn.describe(state_dict)
    named = [name for layer in description for name in layer.parameters]
    named += [name for item in description.inconsistent for name in item.parameters]
    assert sorted([*named, *description.unrecognised]) == sorted(state_dict)
    for layer in description:
        if hasattr(modules, layer.kind):
            built = layer.build(state_dict)
            assert len(list(built.state_dict())) == len(layer.parameters)


# from_state_dict


SIZE, OPTION = st.integers(1, 4), st.booleans()
STACK = {"input_size": SIZE, "hidden_size": SIZE, "num_layers": SIZE}
STACK |= {"bias": OPTION, "bidirectional": OPTION}
UNSEEN = {"batch_first": OPTION, "dropout": st.sampled_from([0.0, 0.5])}
CELL = {"input_size": st.integers(0, 4), "hidden_size": SIZE, "bias": OPTION}
NONLINEARITY = {"nonlinearity": st.sampled_from(["tanh", "relu"])}
EPS = {"eps": st.sampled_from([1e-5, 0.1])}

CHANNELS = {
    "num_features": SIZE,
    "affine": OPTION,
    "bias": OPTION,
    "track_running_stats": OPTION,
}
TRANSPOSED = {
    "in_channels": st.sampled_from([2, 4]),
    "out_channels": st.sampled_from([2, 6]),
    "groups": st.sampled_from([1, 2]),
    "bias": st.just(True),  # without it, groups do not show
}
TRANSPOSED_UNSEEN = {
    "stride": SIZE,
    "padding": st.just(0),
    "output_padding": st.just(0),
    "dilation": SIZE,
    "padding_mode": st.just("zeros"),
}
ARGUMENTS = {
    "RNN": (STACK, UNSEEN | NONLINEARITY),
    "GRU": (STACK, UNSEEN),
    "LSTM": (STACK | {"proj_size": st.integers(0, 3)}, UNSEEN),
    "RNNCell": (CELL, NONLINEARITY),
    "GRUCell": (CELL, {}),
    "LSTMCell": (CELL, {}),
    "Linear": ({"in_features": SIZE, "out_features": SIZE, "bias": OPTION}, {}),
    "Embedding": (
        {"num_embeddings": SIZE, "embedding_dim": SIZE},
        {
            "padding_idx": st.sampled_from([None, 0, -1]),
            "max_norm": st.sampled_from([None, 0.5]),
            "norm_type": st.sampled_from([1.0, 2.0]),
            "scale_grad_by_freq": OPTION,
            "sparse": OPTION,
        },
    ),
    "Conv1d": (
        {
            "in_channels": st.sampled_from([2, 4]),
            "out_channels": st.sampled_from([2, 6]),
            "kernel_size": SIZE,
            "bias": OPTION,
        },
        {
            "stride": SIZE,
            "padding": st.one_of(SIZE, st.just("valid")),
            "dilation": SIZE,
            "groups": st.sampled_from([1, 2]),
            "padding_mode": st.sampled_from(["zeros", "replicate"]),
        },
    ),
    "Conv2d": (
        {
            "in_channels": st.sampled_from([2, 4]),
            "out_channels": st.sampled_from([2, 6]),
            "kernel_size": st.tuples(SIZE, SIZE),
            "bias": OPTION,
        },
        {
            "stride": SIZE,
            "padding": st.one_of(SIZE, st.just("valid")),
            "dilation": SIZE,
            "groups": st.sampled_from([1, 2]),
            "padding_mode": st.sampled_from(["zeros", "replicate"]),
        },
    ),
    "ConvTranspose1d": ({"kernel_size": SIZE, **TRANSPOSED}, TRANSPOSED_UNSEEN),
    "ConvTranspose2d": (
        {"kernel_size": st.tuples(SIZE, SIZE), **TRANSPOSED},
        TRANSPOSED_UNSEEN,
    ),
    "BatchNorm1d": (CHANNELS, EPS | {"momentum": st.sampled_from([0.1, None])}),
    "BatchNorm2d": (CHANNELS, EPS | {"momentum": st.sampled_from([0.1, None])}),
    "InstanceNorm1d": (CHANNELS, EPS | {"momentum": st.sampled_from([0.1, None])}),
    "InstanceNorm2d": (CHANNELS, EPS | {"momentum": st.sampled_from([0.1, None])}),
    "GroupNorm": (
        {"num_channels": st.sampled_from([2, 4]), "affine": OPTION, "bias": OPTION},
        EPS | {"num_groups": st.sampled_from([1, 2])},
    ),
    "PReLU": ({"num_parameters": SIZE}, {"init": st.sampled_from([0.25, 1.0])}),
    "Bilinear": (
        {"in1_features": SIZE, "in2_features": SIZE, "out_features": SIZE, "bias": OPTION},
        {},
    ),
    "LayerNorm": (
        {
            "normalized_shape": st.one_of(SIZE, st.lists(SIZE, min_size=1, max_size=3)),
            "elementwise_affine": OPTION,
            "bias": OPTION,
        },
        EPS,
    ),
}
"""Of each class, the arguments that weights determine, and those that they do not."""


def test_every_argument_of_every_class_is_drawn():
    assert {*ARGUMENTS, "RNNBase"} == set(WEIGHTED)
    for kind, drawn in ARGUMENTS.items():
        takes = set(inspect.signature(getattr(nn, kind)).parameters)
        without = {"device", "dtype", "_weight", "_freeze"}
        if kind in ("RNN", "GRU"):
            without.add("unsupported")  # which they take to refuse it
        assert set(drawn[0]) | set(drawn[1]) == takes - without, kind


@pytest.mark.filterwarnings("ignore:dropout option adds dropout")
@pytest.mark.parametrize("kind", ARGUMENTS)
@given(st.data())
def test_from_state_dict_every_layer_equals_the_original(kind, data):
    determined, undetermined = [
        data.draw(st.fixed_dictionaries(drawn)) for drawn in ARGUMENTS[kind]
    ]
    assume(determined.get("proj_size", 0) < determined.get("hidden_size", 1))
    dtype = data.draw(st.sampled_from(["float32", "float64"]))
    layer_class = getattr(nn, kind)
    layer = layer_class(**determined, **undetermined, dtype=dtype)
    state_dict = layer.state_dict(prefix="a.")
    assume(state_dict)  # a norm without weights
    built = layer_class.from_state_dict(state_dict, "a", **undetermined)
    assert repr(built) == repr(layer)
    assert list(built.state_dict()) == list(layer.state_dict())
    for ours, theirs in zip(
        built.state_dict().values(), layer.state_dict().values(), strict=True
    ):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    for name, value in vars(layer).items():
        if not isinstance(value, np.ndarray) and not name.startswith("_"):
            assert getattr(built, name) == value
    for name, value in determined.items():
        with pytest.raises(
            TypeError, match=f"^{name} must be omitted: the weights of the {kind}"
        ):
            layer_class.from_state_dict(state_dict, "a", **{name: value})


def test_from_state_dict_of_an_old_batch_norm_counts_from_zero():
    state_dict = nn.BatchNorm1d(4).state_dict()
    del state_dict["num_batches_tracked"]
    for _ in range(10):
        counts = [np.full((), 7) for _ in range(1000)]  # memory that is used again
        del counts
        assert nn.BatchNorm1d.from_state_dict(state_dict).num_batches_tracked == 0


@pytest.mark.parametrize("kind", ["LayerNorm", "BatchNorm1d"])
def test_from_state_dict_norm_without_weights_raises(kind):
    with pytest.raises(KeyError, match=r"no weights of a layer without a prefix"):
        getattr(nn, kind).from_state_dict({})


UNTRACKED = "BatchNorm1d(3, track_running_stats=False)"


@pytest.mark.parametrize(
    ("name", "leaves", "lines"),
    [
        ("a.x", "weight bias", ["LayerNorm(3)", UNTRACKED, "GroupNorm(..., 3)"]),
        ("bn1", "weight bias", [UNTRACKED, "LayerNorm(3)", "GroupNorm(..., 3)"]),
        ("subnet", "weight bias", ["LayerNorm(3)", UNTRACKED, "GroupNorm(..., 3)"]),
        ("gn1", "weight bias", ["GroupNorm(..., 3)", "LayerNorm(3)", UNTRACKED]),
        ("prelu", "weight", ["PReLU(num_parameters=3)"]),
        (
            "instance_norm",
            "weight bias",
            [
                "InstanceNorm1d(3, affine=True)",
                "InstanceNorm2d(3, affine=True)",
                *("LayerNorm(3)", UNTRACKED, "GroupNorm(..., 3)"),
            ],
        ),
        ("a.ln_1", "weight", ["LayerNorm(3, bias=False)"]),
        ("InputNorm", "weight", ["LayerNorm(3, bias=False)"]),
        ("gain", "weight", []),
        ("kiln", "weight", []),
        ("norm", "bias", []),
    ],
)
def test_describe_names_a_norm_by_the_name_of_its_layer(name, leaves, lines):
    state_dict = {f"{name}.{leaf}": np.ones(3, np.float32) for leaf in leaves.split()}
    description = nn.describe(state_dict)
    found = [[layer.constructor, *layer.alternatives] for layer in description]
    assert found == ([[f"nn.{line}" for line in lines]] if lines else [])
    assert set(description.unrecognised) == (set() if lines else set(state_dict))


def test_describe_names_layers_that_look_alike():
    state_dict = nn.BatchNorm2d(3).state_dict(prefix="a.")
    state_dict |= nn.Bilinear(3, 4, 5).state_dict(prefix="bilinear.")
    state_dict |= nn.PReLU().state_dict(prefix="x.")
    state_dict |= nn.GroupNorm(2, 4).state_dict(prefix="group_norm.")
    assert [str(layer) for layer in nn.describe(state_dict)] == [
        "a = nn.BatchNorm1d(3)  # or nn.BatchNorm2d(3); unknown: eps",
        "bilinear = nn.Bilinear(3, 4, 5)  # or nn.Conv1d(3, 5, 4)",
        "x = nn.PReLU()",
        "group_norm = nn.GroupNorm(..., 4)  # or nn.LayerNorm(4); or "
        "nn.BatchNorm1d(4, track_running_stats=False); unknown: num_groups, eps",
    ]
    group = nn.GroupNorm.from_state_dict(state_dict, "group_norm", num_groups=2)
    assert repr(group) == repr(nn.GroupNorm(2, 4))
    with pytest.raises(TypeError, match=r"missing 1 required .* 'num_groups'"):
        nn.GroupNorm.from_state_dict(state_dict, "group_norm")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_from_state_dict_prefix_equals_torch(dtype, rng):
    theirs = torch.nn.ModuleDict(
        {
            "encoder": torch.nn.ModuleDict(
                {"rnn": torch.nn.RNN(3, 4, 2, "relu", batch_first=True)}
            )
        }
    ).to(getattr(torch, dtype))
    options = {"nonlinearity": "relu", "batch_first": True}
    ours = nn.RNN.from_state_dict(theirs.state_dict(), "encoder.rnn", **options)
    assert ours.training
    assert ours.weight_ih_l0.dtype == dtype
    x = rng.standard_normal((2, 5, 3)).astype(dtype)
    with torch.inference_mode():
        reference = theirs["encoder"]["rnn"](torch.from_numpy(x))
        truth = theirs["encoder"]["rnn"].double()(torch.from_numpy(x).double())
    assert_close(ours(x), reference, truth)


def test_from_state_dict_draws_no_random_numbers():
    state_dict = nn.GRU(3, 4, num_layers=2).state_dict()
    nn.manual_seed(5)
    nn.GRU.from_state_dict(state_dict)
    drawn = random.default_generator.uniform(3, 0.0, 1.0)
    nn.manual_seed(5)
    np.testing.assert_array_equal(drawn, random.default_generator.uniform(3, 0.0, 1.0))


def test_from_state_dict_layer_can_reset_parameters():
    linear = nn.Linear(3, 4)
    built = nn.Linear.from_state_dict(linear.state_dict())
    assert vars(built).keys() == vars(linear).keys()
    built.reset_parameters()
    assert (built.weight != linear.weight).any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_from_state_dict_half_precision_becomes_float32(dtype):
    theirs = torch.nn.GRU(3, 4).to(dtype)
    ours = nn.GRU.from_state_dict(theirs.state_dict())
    for mine, tensor in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert mine.dtype == np.float32
        np.testing.assert_array_equal(mine, tensor.detach().float().numpy())


def test_from_state_dict_dtype_converts_and_several_raise():
    state_dict = nn.Linear(3, 4, dtype=np.float64).state_dict()
    assert nn.Linear.from_state_dict(state_dict, dtype=np.float32).weight.dtype == np.float32
    assert nn.Linear.from_state_dict(state_dict, dtype=None).weight.dtype == np.float64
    mixed = state_dict | {"bias": np.ones(4, np.float32)}
    assert nn.describe(mixed)[0].unknown == ("dtype",)
    for options in ({}, {"dtype": None}):
        with pytest.raises(ValueError, match="Linear have several dtypes: pass one as dtype"):
            nn.Linear.from_state_dict(mixed, **options)
    assert nn.Linear.from_state_dict(mixed, dtype="float64").bias.tolist() == [1, 1, 1, 1]


def test_from_state_dict_prefix_with_dot_and_npz_are_taken(tmp_path):
    nn.save(nn.Linear(3, 4).state_dict(prefix="a.b."), tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as arrays:
        assert nn.Linear.from_state_dict(arrays, "a.b.").in_features == 3


def test_from_state_dict_subclass_is_built():
    class Mine(nn.LSTM):
        pass

    built = Mine.from_state_dict(nn.LSTM(3, 4).state_dict())
    assert type(built) is Mine
    assert repr(built) == "Mine(3, 4)"


def test_from_state_dict_wrong_weights_raise():
    state_dict = nn.LSTM(3, 4).state_dict(prefix="enc.rnn.")
    state_dict |= nn.Linear(3, 4).state_dict(prefix="head.")
    state_dict |= {"gain.weight": np.ones(3)}
    with pytest.raises(
        KeyError, match=r"no weights of a layer under 'rnn': it has weights under 'enc.rnn', 'h"
    ):
        nn.LSTM.from_state_dict(state_dict, "rnn")
    with pytest.raises(
        KeyError, match=r"of a layer without a prefix: it has weights under 'enc.rnn', 'head'"
    ):
        nn.LSTM.from_state_dict(state_dict)
    with pytest.raises(KeyError, match="it has no recognised layer"):
        nn.LSTM.from_state_dict({})
    with pytest.raises(
        ValueError, match=r"under 'enc.rnn' are not those of GRU: they fit LSTM"
    ):
        nn.GRU.from_state_dict(state_dict, "enc.rnn")
    with pytest.raises(
        ValueError, match=r"under 'head' are not those of LSTM: they fit Linear"
    ):
        nn.LSTM.from_state_dict(state_dict, "head")
    with pytest.raises(ValueError, match=r"not those of LSTM: their shapes are weight \(3,\)"):
        nn.LSTM.from_state_dict(state_dict, "gain")
    with pytest.raises(
        TypeError, match=r"num_layers must be omitted: .* of the LSTM determine it \(1\)"
    ):
        nn.LSTM.from_state_dict(state_dict, "enc.rnn", num_layers=1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonlinearity'"):
        nn.LSTM.from_state_dict(state_dict, "enc.rnn", nonlinearity="relu")
    with pytest.raises(ValueError, match=r"not those of RNNBase: they fit LSTM"):
        nn.RNNBase.from_state_dict(state_dict, "enc.rnn")
    with pytest.raises(TypeError, match="Expected state_dict to be dict-like"):
        nn.LSTM.from_state_dict(None)


def test_from_state_dict_many_prefixes_are_listed_in_part():
    state_dict = {f"{n}.weight": np.ones((1, 1)) for n in range(30)}
    with pytest.raises(KeyError, match=r"'19' and 10 more"):
        nn.LSTM.from_state_dict(state_dict)
