"""The picture of a trace shows its values, on scales that can be compared."""

from __future__ import annotations

import io

import numpy as np
import pytest

import numpy_rnn as nn
from tests.support.recurrent import LAYOUTS, both, draw_input


def traced_layer(rng, kind="LSTM", steps=6, batch=3, layout="batched", **options):
    layer, _ = both(kind, 3, options.pop("size", 4), **options)
    return nn.trace(layer, draw_input(rng, layer, steps, batch, layout))


def panels_of(figure):
    """Return the panels of layers by title, without colour bars and what is above."""
    return {axes.get_title(): axes for axes in figure.axes if axes.get_title()}


def image_of(panel):
    (image,) = panel.get_images()
    return image


def units_of(panel):
    """Return the numbers that are written beside the rows."""
    return [int(label.get_text()) for label in panel.get_yticklabels()]


def labels_of(panel):
    return [label.get_text() for label in panel.get_xticklabels()]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("batch_first", [False, True])
def test_plot_every_layout_shows_states_and_gates_of_one_sequence(rng, layout, batch_first):
    lstm, _ = both("LSTM", 3, 4, num_layers=2, batch_first=batch_first)
    x = draw_input(rng, lstm, 6, 3, layout)
    if layout.startswith("packed"):
        x = nn.utils.rnn.pack_sequence(
            [rng.standard_normal((n, 3)).astype(np.float32) for n in (4, 5, 6)],
            enforce_sorted=False,
        )
    sequence = 0 if layout == "unbatched" else 2
    traced = nn.trace(lstm, x)
    panels = panels_of(traced.plot(labels="ab$$ef", sequence=sequence))
    assert list(panels) == [
        f"l{layer} {name}" for layer in (0, 1) for name in ("hidden", "cell", *"ifgo")
    ]
    for panel in panels.values():
        assert labels_of(panel) == list("ab$$ef")
    values = traced["l1"].gates["f"]
    if layout.startswith("packed"):
        values = nn.utils.rnn.unpack_sequence(traced.output._replace(data=values))[sequence]
    elif layout == "batched":
        values = values[sequence] if batch_first else values[:, sequence]
    np.testing.assert_array_equal(image_of(panels["l1 f"]).get_array(), values.T)


def test_plot_gates_and_states_have_fixed_scales(rng):
    panels = panels_of(traced_layer(rng).plot())
    for name in "ifo":
        assert image_of(panels[f"l0 {name}"]).get_clim() == (0, 1)
    for name in ("hidden", "g"):
        assert image_of(panels[f"l0 {name}"]).get_clim() == (-1, 1)
    image = image_of(panels["l0 cell"])
    largest = np.abs(image.get_array()).max()
    assert image.get_clim() == pytest.approx((-largest, largest))


def test_plot_relu_has_a_scale_as_far_as_its_values_go(rng):
    rnn, _ = both("RNN relu", 3, 4)
    x = draw_input(rng, rnn, 6, 1, "unbatched")
    for factor in (0, 100):
        traced = nn.trace(rnn, x * np.float32(factor))
        image = image_of(panels_of(traced.plot())["l0 hidden"])
        largest = max(1.0, traced[0].hidden.max())
        assert image.get_clim() == pytest.approx((-largest, largest))
    assert largest > 1


def test_plot_values_that_are_not_finite_do_not_set_the_scale():
    rnn = nn.RNN(1, 40, nonlinearity="relu")
    values = np.array([1.0, np.inf, np.nan], np.float32)
    figure = nn.trace(rnn, values[:, None]).plot(above={"a": -values})
    assert image_of(panels_of(figure)["l0 hidden"]).get_clim() == (-1, 1)
    assert figure.axes[0].get_ylim() == (-1, 1)


def test_plot_one_unit_is_a_line_on_the_scale_of_its_gate(rng):
    traced = traced_layer(rng, size=1)
    panels = panels_of(traced.plot(sequence=1))
    for name, (low, high) in {"hidden": (-1, 1), "g": (-1, 1), "f": (0, 1)}.items():
        panel = panels[f"l0 {name}"]
        assert not panel.get_images()
        assert panel.get_ylim() == pytest.approx((low, high), abs=0.11)
        assert panel.get_ylabel() == ""
    np.testing.assert_array_equal(
        panels["l0 f"].lines[0].get_ydata(), traced[0].gates["f"][:, 1, 0]
    )
    chosen = panels_of(traced_layer(rng).plot(units=[2]))["l0 hidden"]
    assert chosen.get_ylabel() == "unit 2 of 4"


def test_plot_layers_and_gates_are_chosen_by_name_and_number(rng):
    traced = traced_layer(rng, num_layers=3)
    assert list(panels_of(traced.plot(layers=["l2", 0], gates="of"))) == [
        f"{layer} {name}" for layer in ("l2", "l0") for name in ("hidden", "cell", *"fo")
    ]
    assert list(panels_of(traced.plot(layers="l1", gates=()))) == ["l1 hidden", "l1 cell"]
    assert list(panels_of(traced.plot(layers=-1, gates=()))) == ["l2 hidden", "l2 cell"]


def test_plot_units_with_indices_are_drawn_in_this_order(rng):
    traced = traced_layer(rng, "GRU", layout="unbatched")
    panels = panels_of(traced.plot(units=[3, -4]))
    assert units_of(panels["l0 z"]) == [3, 0]
    assert panels["l0 z"].get_ylabel() == "2 of 4 units"
    np.testing.assert_array_equal(
        image_of(panels["l0 z"]).get_array(), traced[0].gates["z"].T[[3, 0]]
    )


def test_plot_units_with_a_number_change_most_and_are_in_order_of_their_peaks():
    hidden = np.zeros((5, 4), np.float32)
    hidden[[1, 3, 0, 2], range(4)] = [0.9, 0.8, 0.1, 0.7]  # unit 2 changes least
    traced = nn.Trace("RNN", hidden, hidden[-1:], (nn.LayerTrace("l0", hidden),))
    assert units_of(panels_of(traced.plot(units=3))["l0 hidden"]) == [0, 3, 1]
    assert units_of(panels_of(traced.plot(units=9))["l0 hidden"]) == [2, 0, 3, 1]
    assert units_of(panels_of(traced.plot())["l0 hidden"]) == [0, 1, 2, 3]


def test_plot_many_units_draws_those_that_change_most(rng):
    traced = traced_layer(rng, "GRU", size=256, layout="unbatched")
    panels = panels_of(traced.plot())
    for name in ("hidden", "r", "n"):
        assert image_of(panels[f"l0 {name}"]).get_array().shape == (32, 6)
        assert panels[f"l0 {name}"].get_ylabel() == "32 of 256 units"
        assert len(units_of(panels[f"l0 {name}"])) == 16
    spread = traced[0].hidden.std(axis=0)
    drawn = image_of(panels["l0 hidden"]).get_array().std(axis=1)
    np.testing.assert_allclose(np.sort(drawn), np.sort(spread)[-32:], rtol=1e-6)
    everything = image_of(panels_of(traced.plot(units=range(256)))["l0 r"])
    np.testing.assert_array_equal(everything.get_array(), traced[0].gates["r"].T)


def test_plot_projected_lstm_chooses_the_units_of_hidden_and_cell_apart(rng):
    panels = panels_of(traced_layer(rng, "LSTM projected").plot(units=3))
    assert image_of(panels["l0 hidden"]).get_array().shape == (2, 6)
    assert image_of(panels["l0 cell"]).get_array().shape == (3, 6)
    assert image_of(panels["l0 f"]).get_array().shape == (3, 6)


def test_plot_many_labels_are_thinned(rng):
    traced = traced_layer(rng, "GRU", steps=40)
    labels = [f"word{k}" for k in range(40)]
    for panel in panels_of(traced.plot(labels=labels)).values():
        assert labels_of(panel) == labels[::3]


def test_plot_one_step_has_whole_numbers_below(rng):
    panel = panels_of(traced_layer(rng, "GRU", steps=1).plot())["l0 hidden"]
    assert panel.get_xlim() == (-0.5, 0.5)
    assert [tick for tick in panel.get_xticks() if abs(tick) < 0.5] == [0]


def test_plot_above_draws_a_line_for_each_name(rng):
    traced = traced_layer(rng, "GRU")
    above = {name: rng.random(6) for name in ("$a$", "_b")}
    axes = traced.plot(labels="abcdef", above=above).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["$a$", "_b"]
    assert labels_of(axes) == list("abcdef")
    assert axes.get_ylim() == (0, 1)
    lines = [line.get_ydata() for line in axes.lines[-2:]]
    np.testing.assert_array_equal(lines, list(above.values()))


def test_plot_above_with_many_lines_names_those_that_are_highest(rng):
    values = rng.random((20, 6)) / 2
    values[[7, 7, 3, 3, 7, 12], range(6)] = 3
    above = {str(k): line for k, line in enumerate(values)}
    axes = traced_layer(rng, "GRU").plot(above=above).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["7", "3", "12"]
    assert axes.get_ylim() == (0, 3)


def test_plot_path_gets_the_picture_and_notebooks_show_it(rng, tmp_path):
    traced = traced_layer(rng, "GRU")
    figure = traced.plot(tmp_path / "trace.png", labels="abcdef", sequence=1)
    traced.plot(str(tmp_path / "trace.svg"))
    file = io.BytesIO()
    traced.plot(file)
    notebook = figure._repr_png_()
    for picture in ((tmp_path / "trace.png").read_bytes(), file.getvalue(), notebook):
        assert picture.startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "trace.svg").read_bytes()


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"labels": "ab"}, ValueError, "one label for each of 6 steps, got 2"),
        ({"layers": "l1"}, KeyError, "no layer 'l1': the layers are l0"),
        ({"layers": 1}, IndexError, "index out of range"),
        ({"layers": []}, ValueError, "layers must name at least one layer, got none"),
        (
            {"gates": "rf"},
            ValueError,
            "of GRU, which has r, z, n, got 'f'",
        ),
        ({"units": 0}, ValueError, "units must be 1 or more, got 0"),
        ({"units": []}, ValueError, "units must have at least one index, got none"),
        ({"units": [4]}, IndexError, "index 4 is out of bounds"),
        ({"sequence": 3}, IndexError, "out of bounds"),
        ({"sequence": slice(0, 2)}, TypeError, "cannot be interpreted as an integer"),
        (
            {"above": {"a": np.ones((6, 2))}},
            ValueError,
            r"above\['a'\] must have shape \(6,\), a number for each step, got \(6, 2\)",
        ),
    ],
)
def test_plot_bad_argument_raises_and_writes_nothing(rng, tmp_path, options, error, match):
    traced = traced_layer(rng, "GRU")
    with pytest.raises(error, match=match):
        traced.plot(tmp_path / "x.png", **options)
    assert not (tmp_path / "x.png").exists()


def test_plot_unbatched_trace_has_one_sequence(rng):
    with pytest.raises(IndexError, match="out of bounds"):
        traced_layer(rng, layout="unbatched").plot(sequence=1)


def test_plot_gates_of_elman_layer_raises(rng):
    with pytest.raises(ValueError, match="of RNN, which has none, got 'f'"):
        traced_layer(rng, "RNN tanh").plot(gates="f")


def test_plot_cell_raises():
    traced = nn.trace(nn.GRUCell(3, 4), np.ones(3, np.float32))
    with pytest.raises(ValueError, match="cannot plot the trace of a cell"):
        traced.plot()


def test_plot_without_matplotlib_raises_with_advice(monkeypatch, rng):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        traced_layer(rng).plot()
