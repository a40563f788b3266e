"""interpolate and grid_sample against torch: its database of functions, grids, errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numpy_rnn import functional as F  # noqa: N812  # as it is always imported
from tests.support.arrays import ARRANGEMENTS
from tests.support.compare import assert_function_parity, normalised, raised_by
from tests.support.databases import assert_same_fault, entries, samples

MODES = ("nearest", "linear", "bilinear", "area")
DTYPES = [torch.float32, torch.float64]
HERE = [info for info in entries("interpolate") if info.variant_test_name in MODES]
ELSEWHERE = [info for info in entries("interpolate") if info not in HERE]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("info", HERE, ids=lambda info: info.variant_test_name)
def test_interpolate_every_sample_input_equals_torch(info, dtype):
    count = 0
    for inputs, options in samples(info, dtype):
        if inputs[0].ndim == 5:
            with pytest.raises(NotImplementedError, match=r"Only 3D and 4D .* \(got 5D\)"):
                F.interpolate(*inputs, **options)
            continue
        assert_function_parity("interpolate", *inputs, **options)
        count += 1
    assert count > 3


@pytest.mark.parametrize("info", ELSEWHERE, ids=lambda info: info.variant_test_name)
def test_interpolate_mode_that_is_not_here_raises(info):
    for inputs, options in samples(info, torch.float32):
        with pytest.raises(NotImplementedError, match=r"nearest \| linear \| bilinear \| area"):
            F.interpolate(*inputs, **options)


def test_interpolate_database_has_every_mode():
    assert {info.variant_test_name for info in HERE} == set(MODES)
    assert len(ELSEWHERE) == 3


SIZE = st.integers(1, 9)
SCALES = st.one_of(st.floats(0.5, 4), st.sampled_from([1, 2, 3, 1 / 3, 1.5, 2.5, 1.6]))


def arrays(data, axes):
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    shape = (data.draw(st.integers(0, 2)), 2, *(data.draw(SIZE) for _ in range(axes)))
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def assert_same_outcome(name, *inputs, **options):
    def theirs():
        tensors = [torch.from_numpy(x) for x in inputs]
        return getattr(torch.nn.functional, name)(*tensors, **options)

    if raised_by(theirs) is None:
        assert_function_parity(name, *inputs, **options)
    else:
        assert_same_fault(lambda: getattr(F, name)(*inputs, **options), theirs)


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("mode", ["nearest", "area", "linear"])
@given(st.data())
def test_interpolate_equals_torch(mode, axes, data):
    x = arrays(data, axes)
    each = st.tuples(*[SIZE if data.draw(st.booleans()) else st.integers(1, 25)] * axes)
    by_size = {"size": st.one_of(st.integers(1, 20), each)}
    factor = st.one_of(SCALES, st.tuples(*[SCALES] * axes))
    by_scale = {"scale_factor": factor, "recompute_scale_factor": st.sampled_from([None, True])}
    options = data.draw(st.one_of(*map(st.fixed_dictionaries, (by_size, by_scale))))
    if mode == "linear":
        options["align_corners"] = data.draw(st.sampled_from([None, False, True]))
        mode = ("linear", "bilinear")[axes - 1]
    assert_same_outcome("interpolate", x, mode=mode, **options)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_interpolate_nans_and_infinities_equal_torch(mode):
    x = np.zeros((1, 1, 3, 6))
    x[..., 1], x[..., 3], x[..., 5] = np.nan, np.inf, -np.inf
    for options in ({"size": (3, 11)}, {"size": (3, 6)}, {"scale_factor": 1.7}):
        expected = torch.nn.functional.interpolate(torch.from_numpy(x), mode=mode, **options)
        np.testing.assert_allclose(F.interpolate(x, mode=mode, **options), expected.numpy())


@pytest.mark.parametrize("scale", [1.1, 1.25, 2.2])
@pytest.mark.parametrize("shape", [(1, 2, 4), (2, 2, 9), (1, 2, 4, 1), (1, 1, 3, 6)], ids=str)
def test_interpolate_nearest_of_a_factor_that_is_truncated_equals_torch(shape, scale):
    """Signals follow the factor even where the size stays or doubles, images do not."""
    x = np.arange(float(np.prod(shape))).reshape(shape)
    expected = torch.nn.functional.interpolate(torch.from_numpy(x), scale_factor=scale)
    np.testing.assert_array_equal(F.interpolate(x, scale_factor=scale), expected.numpy())


def test_interpolate_nearest_of_uint8_equals_torch():
    x = np.arange(24, dtype=np.uint8).reshape(1, 2, 3, 4)
    expected = torch.nn.functional.interpolate(torch.from_numpy(x), (7, 3)).numpy()
    got = F.interpolate(x, (7, 3))
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, expected)


OPTIONS = [
    *({}, {"size": 3, "scale_factor": 2}, {"size": 0}, {"size": -1}, {"size": (3, 3, 3)}),
    *({"scale_factor": 0.1}, {"scale_factor": -1}, {"scale_factor": 0}, {"scale_factor": True}),
    *({"scale_factor": (1.5, 2.5, 3)}, {"size": 3, "align_corners": True}),
    *({"size": 3, "recompute_scale_factor": True}, {"scale_factor": float("nan")}),
    *({"scale_factor": float("inf")}, {"scale_factor": 1.6, "recompute_scale_factor": 1}),
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", [(1, 2, 4), (1, 2, 4, 5)], ids=str)
@pytest.mark.parametrize("mode", ["nearest", "linear", "bilinear", "area"])
def test_interpolate_any_options_do_what_torchs_do(mode, shape, options):
    assert_same_outcome("interpolate", np.zeros(shape), mode=mode, **options)


@pytest.mark.parametrize(
    "options",
    [
        *({"size": 2.5}, {"size": (2.5, 2)}, {"size": True}, {"size": "a"}),
        *(
            {"scale_factor": "a"},
            {"scale_factor": (1.5, None)},
            {"size": 3, "align_corners": 1},
        ),
    ],
    ids=str,
)
def test_interpolate_option_of_another_type_raises(options):
    tensor = torch.zeros(1, 2, 4, 5)
    call = torch.nn.functional.interpolate
    assert type(raised_by(lambda: call(tensor, mode="bilinear", **options))) is TypeError
    with pytest.raises(TypeError, match=r"interpolate\(\): argument '\w+' .*must be"):
        F.interpolate(tensor.numpy(), mode="bilinear", **options)


SHAPES = [
    *((3,), (4, 4), (2, 4, 4), (2, 3, 4, 4), (0, 3, 4, 4), (2, 0, 4, 4), (2, 3, 0, 4)),
    *((2, 3, 4, 0), (0, 4, 4), (2, 0, 4), (2, 4, 0)),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("mode", ["nearest", "linear", "bilinear", "area", "mirror"])
def test_interpolate_of_any_shape_does_what_torch_does(mode, shape):
    x = np.ones(shape)
    expected = raised_by(
        lambda: torch.nn.functional.interpolate(torch.from_numpy(x), 2, mode=mode)
    )
    if "Input Error" not in str(expected):
        article = str(expected).replace("a tensor with", "an array with")
        got = raised_by(lambda: F.interpolate(x, 2, mode=mode))
        assert type(got) is type(expected)
        assert normalised(str(got)) == normalised(article.replace("tensor", "array"))
    else:
        with pytest.raises(NotImplementedError, match=r"Input Error: Only 3D and 4D input arr"):
            F.interpolate(x, 2, mode=mode)


def test_interpolate_antialias_raises():
    x = np.zeros((1, 1, 4, 4))
    with pytest.raises(NotImplementedError, match="antialias must be False: the filter is not"):
        F.interpolate(x, 2, mode="bilinear", antialias=True)
    assert_same_outcome("interpolate", x, size=2, antialias=True)


@pytest.mark.parametrize(("mode", "dtype"), [("nearest", "int64"), ("bilinear", "uint8")])
def test_interpolate_of_another_dtype_raises(mode, dtype):
    with pytest.raises(TypeError, match=f"input must be a float32 or float64 .* got {dtype}"):
        F.interpolate(np.zeros((1, 1, 4, 4), dtype), 2, mode=mode)


@pytest.mark.parametrize("layout", ARRANGEMENTS)
@pytest.mark.parametrize("size", [(5, 4), (5, 6), (10, 8)], ids=str)
@pytest.mark.parametrize("mode", ["nearest", "bilinear", "area"])
def test_interpolate_every_memory_layout_gives_equal_unshared_results(rng, mode, size, layout):
    x = ARRANGEMENTS[layout](rng.standard_normal((2, 3, 5, 4)).astype(np.float32))
    plain = np.array(x, np.float32)
    got = F.interpolate(x, size, mode=mode)
    assert type(got) is np.ndarray
    assert got.dtype == np.float32
    assert got.flags.writeable
    np.testing.assert_allclose(got, F.interpolate(plain, size, mode=mode), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(x, plain)
    assert not np.shares_memory(got, x)


# grid_sample

GRID_MODES = ["bilinear", "nearest"]
PADDING_MODES = ["zeros", "border", "reflection"]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_grid_sample_every_sample_input_equals_torch(dtype):
    (info,) = entries("grid_sample")
    count = 0
    for inputs, options in samples(info, dtype):
        x, grid, mode, *others = (*inputs, *options.values())
        if x.ndim == 5 or mode == "bicubic":
            with pytest.raises(
                NotImplementedError, match=r"('bicubic' is not here|takes images)"
            ):
                F.grid_sample(x, grid, mode, *others)
            continue
        assert_function_parity("grid_sample", x, grid, mode=mode, **named(others))
        count += 1
    assert count >= 12


def named(others):
    return dict(zip(("padding_mode", "align_corners"), others, strict=True))


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("padding_mode", PADDING_MODES)
@pytest.mark.parametrize("mode", GRID_MODES)
@given(st.data())
def test_grid_sample_equals_torch(mode, padding_mode, align_corners, data):
    x = arrays(data, 2).astype(np.float64)
    height, width = data.draw(st.integers(0, 4)), data.draw(st.integers(0, 4))
    point = st.one_of(st.floats(-4, 4), st.sampled_from([-1.0, 0.0, 1.0, -3.0, 0.5]))
    count = len(x) * height * width * 2
    points = data.draw(st.lists(point, min_size=count, max_size=count))
    grid = np.array(points, np.float64).reshape(len(x), height, width, 2)
    options = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    expected = torch.nn.functional.grid_sample(*map(torch.from_numpy, (x, grid)), **options)
    np.testing.assert_allclose(F.grid_sample(x, grid, **options), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("padding_mode", PADDING_MODES)
@pytest.mark.parametrize("mode", GRID_MODES)
def test_grid_sample_float32_equals_torch(rng, mode, padding_mode, align_corners):
    x = rng.standard_normal((2, 3, 7, 9)).astype(np.float32)
    grid = rng.uniform(-1.7, 1.7, (2, 6, 5, 2)).astype(np.float32)
    options = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    if mode == "nearest":
        expected = torch.nn.functional.grid_sample(*map(torch.from_numpy, (x, grid)), **options)
        np.testing.assert_array_equal(F.grid_sample(x, grid, **options), expected.numpy())
    else:
        assert_function_parity("grid_sample", x, grid, **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("padding_mode", PADDING_MODES)
@pytest.mark.parametrize("mode", GRID_MODES)
def test_grid_sample_points_not_finite_or_far_equal_torch(
    mode, padding_mode, align_corners, dtype
):
    x = np.arange(1, 21, dtype=dtype).reshape(1, 1, 4, 5)
    values = [np.nan, np.inf, -np.inf, 1e30, -1e30, 0.3]
    points = np.stack(np.meshgrid(values, values), -1).astype(dtype)[None]
    options = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    expected = torch.nn.functional.grid_sample(*map(torch.from_numpy, (x, points)), **options)
    np.testing.assert_allclose(F.grid_sample(x, points, **options), expected, rtol=1e-6)


def test_grid_sample_nans_and_infinities_in_the_image_equal_torch():
    x = np.zeros((1, 1, 3, 4))
    x[..., 0], x[..., 2] = np.nan, np.inf
    grid = np.stack(np.meshgrid(np.linspace(-1.5, 1.5, 9), [-1.0, 0.1]), -1)[None]
    for padding_mode in PADDING_MODES:
        options = {"padding_mode": padding_mode, "align_corners": True}
        expected = torch.nn.functional.grid_sample(*map(torch.from_numpy, (x, grid)), **options)
        np.testing.assert_allclose(F.grid_sample(x, grid, **options), expected)


def test_grid_sample_without_align_corners_warns_as_torch(rng):
    x, grid = rng.standard_normal((1, 2, 4, 5)), np.full((1, 3, 3, 2), 0.9)
    message = "Default grid_sample and affine_grid behavior has changed to align_corners=False"
    with pytest.warns(UserWarning, match=message) as caught:
        got = F.grid_sample(x, grid)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(got, F.grid_sample(x, grid, align_corners=False))


@pytest.mark.parametrize(
    ("x", "grid"),
    [
        *(((1, 2, 4, 5), shape) for shape in [(3, 3, 2), (2, 3, 3, 2), (1, 3, 3, 3), (3,)]),
        *(((1, 2, 4, 5), shape) for shape in [(1, 3, 3, 3, 2), (1, 0, 3, 2), (1, 3, 0, 2)]),
        *((shape, (1, 3, 3, 2)) for shape in [(2, 4, 5), (1, 2, 0, 5), (1, 2, 4, 0), (3, 4)]),
        *(((0, 2, 4, 5), (0, 3, 3, 2)), ((1, 0, 4, 5), (1, 3, 3, 2))),
    ],
    ids=str,
)
def test_grid_sample_of_any_shapes_does_what_torch_does(x, grid):
    assert_same_outcome("grid_sample", np.ones(x), np.zeros(grid), align_corners=False)


@pytest.mark.parametrize("options", [{"mode": "mirror"}, {"padding_mode": "mirror"}], ids=str)
def test_grid_sample_unknown_mode_raises_as_torch(options):
    assert_same_outcome("grid_sample", np.ones((1, 1, 2, 2)), np.zeros((1, 1, 1, 2)), **options)


def test_grid_sample_wrong_dtypes_and_options_raise():
    x, grid = np.ones((1, 1, 2, 2)), np.zeros((1, 1, 1, 2))
    with pytest.raises(
        RuntimeError, match=r"input dtype \(float64\) does not match grid dtype"
    ):
        F.grid_sample(x, grid.astype(np.float32), align_corners=True)
    with pytest.raises(TypeError, match="input must be a float32 or float64 array, got int64"):
        F.grid_sample(x.astype(np.int64), grid, align_corners=True)
    with pytest.raises(
        TypeError, match=r"grid_sampler\(\): argument 'align_corners' .* not int"
    ):
        F.grid_sample(x, grid, align_corners=1)


@pytest.mark.parametrize("layout", ARRANGEMENTS)
@pytest.mark.parametrize("mode", GRID_MODES)
def test_grid_sample_every_memory_layout_gives_equal_unshared_results(rng, mode, layout):
    x = ARRANGEMENTS[layout](rng.standard_normal((2, 3, 5, 4)).astype(np.float32))
    grid = ARRANGEMENTS[layout](rng.uniform(-1, 1, (2, 3, 4, 2)).astype(np.float32))
    plain = np.array(x, np.float32), np.array(grid, np.float32)
    got = F.grid_sample(x, grid, mode, align_corners=True)
    assert type(got) is np.ndarray
    np.testing.assert_array_equal(got, F.grid_sample(*plain, mode, align_corners=True))
    np.testing.assert_array_equal(x, plain[0])
    np.testing.assert_array_equal(grid, plain[1])
    assert not np.shares_memory(got, x)
