"""The command line, as it is used."""

from __future__ import annotations

import ast
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

import numpy_rnn as nn
from benchmarks.processes import VARIABLES
from numpy_rnn import __main__ as command_line
from numpy_rnn.__main__ import COMMANDS, main
from numpy_rnn.commands import bench, timing

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _files(tmp_path, monkeypatch):
    """Stand in a folder with a model, a nested checkpoint and inputs."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    layers = torch.nn.ModuleDict(
        {
            "rnn": torch.nn.RNN(3, 4, num_layers=2, bidirectional=True),
            "lstm": torch.nn.LSTM(3, 4, proj_size=2).double(),
            "cell": torch.nn.LSTMCell(3, 4),
            "head": torch.nn.Linear(3, 2),
        }
    )
    weights = layers.state_dict()
    torch.save(weights, "model.pt")
    torch.save({"epoch": 3, "state": torch.nn.GRU(3, 4).state_dict()}, "nested.pt")
    weights["scale"] = torch.ones(2)
    del weights["lstm.weight_hh_l0"]
    torch.save(weights, "broken.pt")
    rng = np.random.default_rng(0)
    np.save("input.npy", rng.standard_normal((5, 2, 3)).astype(np.float32))
    np.save("double.npy", rng.standard_normal((5, 2, 3)))
    np.save("step.npy", rng.standard_normal((2, 3)).astype(np.float32))


def run_shell(command, **options):
    """Run a shell command in which ``numpy-rnn`` is the command line."""
    command = command.replace("numpy-rnn", f"{shlex.quote(sys.executable)} -m numpy_rnn")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        **options,
    )


def refused(arguments, capsys):
    """Return the line on the standard error of a command that exits with 2."""
    with pytest.raises(SystemExit) as stopped:
        main(shlex.split(arguments))
    printed = capsys.readouterr()
    assert stopped.value.code == 2
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


# inspect


def test_inspect_shows_tensors_and_layers(capsys):
    assert main(["inspect", "model.pt"]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == "model.pt: 27 tensors, 2.3 kB"
    assert lines[1:3] == ["format: torch.save (zip)", ""]
    assert lines[3:5] == [
        "tensor                    dtype    shape    bytes",
        "rnn.weight_ih_l0          float32  (4, 3)      48",
    ]
    assert lines[-5:] == [
        "",
        "rnn = nn.RNN(3, 4, num_layers=2, bidirectional=True)"
        "  # unknown: nonlinearity, batch_first, dropout",
        'lstm = nn.LSTM(3, 4, proj_size=2, dtype="float64")  # unknown: batch_first, dropout',
        "cell = nn.LSTMCell(3, 4)",
        "head = nn.Linear(3, 2)",
    ]
    assert printed.err == ""


def test_inspect_other_tensors_are_shown(capsys):
    assert main(["inspect", "broken.pt"]) == 0
    assert capsys.readouterr().out.endswith(
        "head = nn.Linear(3, 2)\n"
        "# inconsistent: lstm: weight_hh_l0 is missing\n"
        "# unrecognised: scale, float32 (2,)\n"
    )


def test_inspect_file_without_weights_says_so(capsys):
    nn.save({}, "empty.pt")
    assert "the file holds no named weights" in refused("inspect empty.pt", capsys)


def test_inspect_shows_how_a_file_holds_its_weights(capsys):
    halves = {"w": torch.ones(2, dtype=torch.bfloat16), "v": torch.ones(2)}
    safetensors.torch.save_file(halves, "half.safetensors", {"author": "me\x1b"})
    torch.save({"model": {"net": halves}, "step": 1}, "nested.ckpt")
    assert main(["inspect", "half.safetensors"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:4] == ["format: safetensors", r"metadata: author = 'me\x1b'", ""]
    assert "w       bfloat16  (2,)       8" in lines
    assert main(["inspect", "nested.ckpt"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:4] == ["format: torch.save (zip)", "key: model.net", ""]
    assert "v       float32   (2,)       8" in lines


def test_inspect_several_sets_names_the_option_for_them(capsys):
    torch.save({"a": {"w": torch.ones(1)}, "b": {"w": torch.ones(1)}}, "two.pt")
    message = "choose one with --key 'a' (1 arrays), --key 'b' (1 arrays)"
    assert message in refused("inspect two.pt", capsys)


def test_commands_take_a_prefix_off_names(capsys):
    state_dict = nn.GRU(3, 4).state_dict(prefix="model.rnn.")
    nn.save(state_dict | {"loss.weight": np.ones(1)}, "lightning.pt")
    assert main(shlex.split("convert lightning.pt out.npz --prefix model.")) == 0
    assert list(nn.load("out.npz")) == [name.removeprefix("model.") for name in state_dict]
    capsys.readouterr()


def test_inspect_json_prints_json(capsys):
    assert main(["inspect", "broken.pt", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    names = ["format", "key", "metadata", "tensors", "layers", "inconsistent", "unrecognised"]
    assert list(found) == names
    assert found["format"] == "torch.save (zip)"
    assert len(found["tensors"]) == 27
    assert found["tensors"][0] == {
        "name": "rnn.weight_ih_l0",
        "dtype": "float32",
        "shape": [4, 3],
        "bytes": 48,
    }
    cell = found["layers"][1]
    assert cell["constructor"] == "nn.LSTMCell(3, 4)"
    assert cell["parameters"][0] == "cell.weight_ih"
    assert cell["arguments"] == {
        "input_size": 3,
        "hidden_size": 4,
        "bias": True,
        "dtype": "float32",
    }
    assert found["inconsistent"][0]["problems"] == ["weight_hh_l0 is missing"]
    assert found["unrecognised"] == ["scale"]


def test_inspect_key_selects_the_weights(capsys):
    assert main(["inspect", "nested.pt", "--key", "state"]) == 0
    assert "\nnn.GRU(3, 4)  # unknown" in capsys.readouterr().out


def test_inspect_control_characters_in_names_are_escaped(capsys):
    nn.save({"\x1b[2J.weight": np.ones((2, 2)), "\n": np.ones(2)}, "evil.npz")
    assert main(["inspect", "evil.npz"]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert r"'\x1b[2J.weight'" in printed


# convert


@pytest.mark.parametrize("out", ["w.safetensors", "w.npz", "w.pth"])
def test_convert_writes_the_same_weights(out, capsys):
    assert main(["convert", "model.pt", out]) == 0
    assert capsys.readouterr().out == f"{out}: 27 tensors, 2.3 kB\n"
    assert main(["convert", out, "again.pt"]) == 0
    expected, got = (torch.load(f, weights_only=True) for f in ("model.pt", "again.pt"))
    assert set(got) == set(expected)
    for name, tensor in expected.items():
        assert torch.equal(got[name], tensor)
        assert got[name].dtype == tensor.dtype


def test_convert_takes_a_format_and_a_key():
    assert main(shlex.split("convert nested.pt out --format npz --key state")) == 0
    with np.load("out") as arrays:
        assert arrays["weight_hh_l0"].shape == (12, 4)


def test_convert_unsupported_values_exits_and_keeps_the_file(capsys):
    Path("old.npz").write_bytes(b"old")
    assert "inspect" not in refused("convert absent.pt old.npz", capsys)
    assert "absent.pt: No such file or directory" in refused("convert absent.pt x.npz", capsys)
    assert "no container at key 'nokey'" in refused(
        "convert nested.pt old.npz --key nokey", capsys
    )
    nn.save({"a": np.ones(2) * 1j}, "complex.npz")
    assert "'a' has dtype complex128" in refused("convert complex.npz w.safetensors", capsys)
    message = refused("convert model.pt w.h5", capsys)
    assert "OUT must end in one of" in message
    assert "or use --format" in message
    assert "no/w.npz: No such file" in refused("convert model.pt no/w.npz", capsys)
    before = Path("nested.pt").read_bytes()
    for out in ("nested.pt", "./nested.pt"):
        assert "this is the input" in refused(f"convert nested.pt {out} --key state", capsys)
    assert Path("nested.pt").read_bytes() == before
    assert Path("old.npz").read_bytes() == b"old"
    assert not list(Path().glob("w.*"))
    assert not list(Path().glob(".*"))


# run


def test_run_writes_what_the_layer_returns(capsys):
    assert main(shlex.split("run model.pt input.npy --layer rnn -o out.npz")) == 0
    theirs = torch.nn.RNN(3, 4, num_layers=2, bidirectional=True)
    weights = torch.load("model.pt", weights_only=True)
    theirs.load_state_dict(
        {k.removeprefix("rnn."): v for k, v in weights.items() if k.startswith("rnn.")}
    )
    with torch.inference_mode():
        output, h_n = theirs(torch.from_numpy(np.load("input.npy")))
    with np.load("out.npz") as results:
        assert list(results) == ["output", "h_n"]
        np.testing.assert_allclose(results["output"], output, rtol=0, atol=1e-6)
        np.testing.assert_allclose(results["h_n"], h_n, rtol=0, atol=1e-6)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "rnn: RNN(3, 4, num_layers=2, bidirectional=True)"
    assert lines[2].split() == ["shape", "dtype", "min", "mean", "max"]
    assert lines[3].startswith("input   (5, 2, 3)  float32")
    name, *_, lowest, mean, highest = lines[4].split()
    assert name == "output"
    for text, number in (
        (lowest, output.min()),
        (mean, output.mean()),
        (highest, output.max()),
    ):
        assert float(text) == pytest.approx(float(number), abs=1e-5)


def test_run_options_give_what_weights_do_not_determine():
    nn.save(nn.RNN(3, 4).state_dict(), "w.npz")
    assert main(shlex.split("run w.npz input.npy -o a.npz")) == 0
    assert (
        main(shlex.split("run w.npz input.npy --batch-first --nonlinearity relu -o b.npz")) == 0
    )
    rnn = nn.RNN.from_state_dict(
        nn.read_state_dict("w.npz"), nonlinearity="relu", batch_first=True
    )
    with np.load("a.npz") as a, np.load("b.npz") as b:
        assert a["h_n"].shape == (1, 2, 4)
        np.testing.assert_array_equal(b["output"], rnn(np.load("input.npy"))[0])


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ("input.npy --layer lstm --cast", ["output", "h_n", "c_n"]),
        ("step.npy --layer cell", ["h", "c"]),
        ("input.npy --layer head", ["output"]),
    ],
)
def test_run_names_what_each_layer_returns(arguments, names):
    assert main(shlex.split(f"run model.pt {arguments} -o out.npz")) == 0
    with np.load("out.npz") as results:
        assert list(results) == names


def test_run_only_recurrent_layer_is_the_default(capsys):
    arguments = "run nested.pt double.npy --key state"
    assert "float64" in (line := refused(arguments, capsys))
    assert line.endswith("(or use --cast)\n")
    assert main([*shlex.split(arguments), "--cast"]) == 0
    assert "h_n     (1, 2, 4)  float32" in capsys.readouterr().out


def test_run_empty_batch_prints_no_figures(capsys):
    np.save("none.npy", np.zeros((5, 0, 3), np.float32))
    assert main(shlex.split("run nested.pt none.npy --key state")) == 0
    assert "output  (5, 0, 4)  float32\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("model.pt input.npy", "several recurrent layers, 'rnn', 'lstm', 'cell': name one"),
        ("model.pt input.npy --layer x", "no layer 'x': the recognised layers are 'rnn',"),
        ("broken.pt input.npy --layer lstm", "no layer 'lstm'"),
        (
            "model.pt step.npy --layer head --batch-first",
            "--batch-first does not apply to a layer",
        ),
        (
            "model.pt input.npy --layer lstm --nonlinearity relu",
            "--nonlinearity does not apply",
        ),
        ("model.pt model.pt --layer rnn", "model.pt: expected a .npy file, as"),
        ("model.pt junk.npy --layer rnn", "junk.npy: expected a .npy file"),
        ("model.pt empty.npy --layer rnn", "empty.npy: expected a .npy file"),
        (
            "model.pt object.npy --layer rnn",
            "object.npy: expected a .npy file, as numpy.save writes it: the array",
        ),
        ("model.pt absent.npy --layer rnn", "absent.npy: No such file or directory"),
        ("model.pt wide.npy --layer rnn", "wide.npy: input.size(-1) must be equal"),
        ("model.pt input.npy --layer rnn -o out.h5", "OUT must end in one of"),
        ("head.npz input.npy", "head.npz has no recurrent layer: name another layer"),
    ],
)
def test_run_wrong_input_exits_with_a_message(arguments, message, capsys):
    Path("junk.npy").write_bytes(b"junk")
    Path("empty.npy").write_bytes(b"")
    np.save("object.npy", np.array([{}]), allow_pickle=True)
    np.save("wide.npy", np.zeros((5, 2, 4), np.float32))
    nn.save(nn.Linear(3, 2), "head.npz")
    assert message in refused(f"run {arguments}", capsys)
    assert not Path("out.h5").exists()


# Files that are read and written


@pytest.fixture
def _names():
    """Give the model and the input other names, in the folder of `_files`."""
    for name in ("model.pt", "input.npy"):
        Path(f"link_to_{name}").symlink_to(name)
        Path(f"hard_{name}").hardlink_to(name)


@pytest.mark.parametrize("out", ["{0}", "./{0}", "../{1}/{0}", "link_to_{0}", "hard_{0}"])
@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("convert model.pt OUT --format npz", "model.pt"),
        ("run model.pt input.npy --layer rnn -o OUT", "model.pt"),
        ("run model.pt input.npy --layer rnn -o OUT", "input.npy"),
        ("run link_to_model.pt hard_input.npy --layer rnn -o OUT", "input.npy"),
    ],
)
@pytest.mark.usefixtures("_names")
def test_command_output_over_its_input_is_refused(command, file, out, capsys):
    before = Path(file).read_bytes()
    out = out.format(file, Path.cwd().name)
    line = refused(command.replace("OUT", out), capsys)
    assert f"{out}: this is the input " in line
    assert Path(file).read_bytes() == before
    assert Path(f"link_to_{file}").is_symlink()


def test_command_output_over_its_stdin_is_refused():
    before = Path("nested.pt").read_bytes()
    result = run_shell("numpy-rnn convert - nested.pt --key state < nested.pt")
    assert (result.returncode, result.stdout) == (2, "")
    assert "nested.pt: this is the input -" in result.stderr
    assert Path("nested.pt").read_bytes() == before


@pytest.mark.parametrize("source", ["- <nested.pt", "- < <(cat nested.pt)", "<(cat nested.pt)"])
def test_command_stdin_or_pipe_is_read(source):
    result = run_shell(f"numpy-rnn inspect --key state {source}")
    assert (result.returncode, result.stderr) == (0, "")
    assert ": 4 tensors" in result.stdout
    result = run_shell(f"numpy-rnn run --key state -o o.npz {source} input.npy")
    assert (result.returncode, result.stderr) == (0, "")
    assert Path("o.npz").exists()


def test_command_dash_writes_stdout():
    result = run_shell(
        "numpy-rnn convert model.pt - --format npz | numpy-rnn convert - w.safetensors && "
        "cat input.npy | numpy-rnn run w.safetensors - --layer head -o - > out.npz"
    )
    assert result.returncode == 0
    assert result.stdout == "w.safetensors: 27 tensors, 2.3 kB\n"
    assert result.stderr.startswith("-: 27 tensors, 2.3 kB\nhead: Linear(")
    with np.load("out.npz") as results:
        assert results["output"].shape == (5, 2, 2)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("convert model.pt -", "-: standard output needs --format: one of safetensors, npz"),
        ("run - - < model.pt", "-: FILE and INPUT cannot both be standard input"),
        ("inspect - <&-", "-: Bad file descriptor"),
        ("inspect - </dev/null", "-: the file is empty"),
    ],
)
def test_command_dash_that_cannot_be_used_exits_with_2(command, message):
    result = run_shell(f"numpy-rnn {command}")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"numpy-rnn {command.split()[0]}: error: {message}")
    assert result.stderr.count("\n") == 1


def test_convert_to_a_terminal_is_refused():
    ours, terminal = pty.openpty()
    result = subprocess.run(
        [sys.executable, "-m", "numpy_rnn", "convert", "model.pt", "-", "--format", "npz"],
        stdout=terminal,
        stderr=subprocess.PIPE,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    os.close(terminal)
    os.close(ours)
    assert result.returncode == 2
    assert b"-: standard output is a terminal" in result.stderr


# verify


def test_verify_every_layer_equals_torch(capsys):
    assert main(["verify", "model.pt"]) == 0
    table, last = capsys.readouterr().out.split("\n\n")
    header, *rows = table.splitlines()
    assert header.split() == ["layer", "class", "error", "torch's", "own", "allowed"]
    assert [row.split()[:2] for row in rows] == [
        ["rnn", "RNN"],
        ["lstm", "LSTM"],
        ["cell", "LSTMCell"],
        ["head", "Linear"],
    ]
    for row in rows:
        difference, _, allowed, verdict = row.split()[2:]
        assert verdict == "agrees"
        assert float(difference) <= float(allowed) < 1e-5
    version = torch.__version__
    assert last == f"4 layers compared with torch {version}: no difference beyond rounding\n"


def test_verify_other_tensors_are_listed_as_not_compared(capsys):
    assert main(["verify", "broken.pt", "--nonlinearity", "relu", "--seed", "3"]) == 0
    printed = capsys.readouterr().out
    assert "\nnot compared: lstm: weight_hh_l0 is missing\n" in printed
    assert "\nnot compared: 1 other tensor\n3 layers compared" in printed


def test_verify_different_layer_exits_with_1(monkeypatch, capsys):
    forward = nn.Linear.forward
    monkeypatch.setattr(nn.Linear, "forward", lambda self, x: forward(self, x) + 1e-4)
    assert main(["verify", "model.pt"]) == 1
    printed = capsys.readouterr().out
    assert "DIFFERS" in printed
    assert printed.endswith(f"4 layers compared with torch {torch.__version__}: 1 different\n")


@pytest.mark.parametrize("value", [np.inf, np.nan, 1e38])
def test_verify_weights_not_finite_compares_the_finite_results(value, capsys):
    linear = nn.Linear(3, 2)
    linear.weight[0, 0] = value
    nn.save(linear, "w.npz")
    with np.errstate(all="ignore"):
        assert main(["verify", "w.npz"]) == 0
    assert "agrees" in capsys.readouterr().out


def test_verify_layers_around_recurrent_ones_agree(capsys):
    layers = {
        "bn": nn.BatchNorm2d(3),
        "instance_norm1": nn.InstanceNorm1d(3, affine=True),
        "instance_norm2": nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
        "group_norm": nn.GroupNorm(2, 4, dtype=np.float64),
        "act": nn.PReLU(3),
        "bilinear": nn.Bilinear(3, 4, 5),
    }
    nn.save(nn.ModuleDict(layers), "w.npz")
    assert main(["verify", "w.npz"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:7]
    kinds = [
        "BatchNorm1d",
        "InstanceNorm1d",
        "InstanceNorm1d",
        "GroupNorm",
        "PReLU",
        "Bilinear",
    ]
    assert [line.split()[1] for line in lines] == kinds
    assert all(line.endswith("agrees") for line in lines)


def test_verify_with_a_torch_that_lacks_an_argument_leaves_its_default_out(monkeypatch, capsys):
    class Older(torch.nn.BatchNorm1d):
        def __init__(self, num_features, affine=True, track_running_stats=True, dtype=None):
            options = {"affine": affine, "track_running_stats": track_running_stats}
            super().__init__(num_features, **options, dtype=dtype)

    monkeypatch.setattr(torch.nn, "BatchNorm1d", Older)
    nn.save(nn.BatchNorm1d(3), "w.npz")
    assert main(["verify", "w.npz"]) == 0
    assert "agrees" in capsys.readouterr().out


def test_verify_without_torch_exits_with_a_message(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "verify needs torch: pip install torch" in refused("verify model.pt", capsys)


def test_verify_without_layers_or_with_wrong_seed_exits_with_a_message(capsys):
    nn.save({"scale": np.ones(2)}, "w.npz")
    assert "w.npz has no recognised layer" in refused("verify w.npz", capsys)
    assert "--seed must not be negative" in refused("verify model.pt --seed -1", capsys)


def test_torch_is_imported_by_one_module_when_a_command_asks():
    importing = re.compile(r"""^ *(import torch|from torch)\b|import_module\("torch""", re.M)
    paths = (ROOT / "numpy_rnn").rglob("*.py")
    found = [path.name for path in paths if importing.search(path.read_text("utf-8"))]
    assert found == ["side_by_side.py"]
    code = "import sys, numpy_rnn.commands.verify; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


# bench


@pytest.fixture
def _at_once(monkeypatch):
    monkeypatch.setattr(bench, "SECONDS_A_LAYER", 0.0)
    monkeypatch.setattr(timing, "BURST_SECONDS", 0.0)


@pytest.mark.usefixtures("_at_once")
def test_bench_shows_each_layer_by_each_library(capsys):
    assert main(["bench", "model.pt", "--steps", "3", "--batch", "2"]) == 0
    table, last = capsys.readouterr().out.split("\n\n")
    header, *rows = table.splitlines()
    assert header.split() == shlex.split("layer class library median µs middle half ratio")
    others = [row.split()[0] for row in rows if row.startswith(" ")]
    with_state = ["frozen", "torch"]
    assert others == ["frozen", "onnxruntime", "torch", *with_state, *with_state, "torch"]
    first = [row.split()[:3] for row in rows if not row.startswith(" ")]
    kinds = [("rnn", "RNN"), ("lstm", "LSTM"), ("cell", "LSTMCell"), ("head", "Linear")]
    assert first == [[name, kind, "numpy_rnn"] for name, kind in kinds]
    assert last == "T=3, N=2, threads: 1\n"


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_bench_stacked_directions_equal_onnx_runtime(kind, capsys):
    nn.save(getattr(nn, kind)(3, 4, num_layers=2, bidirectional=True), "w.npz")
    assert main(["bench", "w.npz"]) == 0
    assert "  onnxruntime  " in capsys.readouterr().out


@pytest.mark.usefixtures("_at_once")
def test_bench_without_other_libraries_times_one_layer_alone(monkeypatch, capsys):
    for package in ("torch", "onnx", "onnxruntime"):
        monkeypatch.setitem(sys.modules, package, None)
    assert main(["bench", "model.pt", "--layer", "head"]) == 0
    table, last = capsys.readouterr().out.split("\n\n")
    assert [row.split()[:3] for row in table.splitlines()[1:]] == [
        ["head", "Linear", "numpy_rnn"]
    ]
    assert last.splitlines()[1:] == [
        "not installed: torch",
        "not installed: onnx",
        "not installed: onnxruntime",
    ]


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize(
    ("layer", "library"), [(nn.Linear(3, 2), "torch"), (nn.GRU(3, 2), "ONNX Runtime")]
)
def test_bench_different_layer_is_not_timed_and_exits_with_1(
    layer, library, monkeypatch, capsys
):
    nn.save(nn.ModuleDict({"net": layer}), "w.npz")
    forward = type(layer).forward

    def changed(self, x):
        x = forward(self, x)
        return x + 1e-3 if isinstance(x, np.ndarray) else (x[0] + 1e-3, x[1])

    monkeypatch.setattr(type(layer), "forward", changed)
    assert main(["bench", "w.npz"]) == 1
    table, last = capsys.readouterr().out.split("\n\n")
    assert table.count("\n") == 0
    assert f"not timed: net: it differs from {library}'s" in last


def test_bench_too_large_batch_says_what_fits(capsys):
    command = "bench model.pt --layer head --batch 5000 --steps 5000"
    assert main(command.split()) == 0
    assert (
        "not timed: head: it takes too much memory: try --batch 5000 --steps 1118"
        in capsys.readouterr().out
    )


def test_bench_threads_are_those_of_another_process(monkeypatch):
    started = []

    def run(command, env, check):
        started.append((command[1:], {env[name] for name in bench.THREAD_VARIABLES}, check))
        return subprocess.CompletedProcess(command, -signal.SIGTERM)

    monkeypatch.setattr(subprocess, "run", run)
    words = ["bench", "model.pt", "--threads", "2"]
    assert main(words) == 128 + signal.SIGTERM
    assert started == [(["-m", "numpy_rnn", *words], {"2"}, False)]


def test_bench_two_threads_are_used():
    result = run_shell("numpy-rnn bench model.pt --layer head --threads 2")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith("threads: 2\n")


def test_bench_thread_variables_are_those_of_the_benchmarks():
    assert bench.THREAD_VARIABLES == VARIABLES


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--steps 0", "--steps must be at least 1, got 0"),
        ("--batch -1", "--batch must be at least 1, got -1"),
        ("--threads 0", "--threads must be at least 1, got 0"),
        ("--layer tail", "model.pt: "),
    ],
)
def test_bench_wrong_option_exits_with_a_message(options, message, capsys):
    line = refused(f"bench model.pt {options}", capsys)
    assert line.startswith(f"numpy-rnn bench: error: {message}")


def test_bench_without_layers_exits_with_a_message(capsys):
    nn.save({"scale": np.ones(2)}, "w.npz")
    assert "w.npz has no recognised layer" in refused("bench w.npz", capsys)


# All of them


def test_command_help_shows_examples_that_parse(capsys):
    for name in COMMANDS:
        with pytest.raises(SystemExit) as stopped:
            main([name, "--help"])
        assert stopped.value.code == 0
        printed = capsys.readouterr().out
        assert printed.startswith(f"usage: numpy-rnn {name} ")
        examples = printed.partition("examples:\n")[2].splitlines()
        assert examples
        for example in examples:
            program, *arguments = shlex.split(example.rpartition("|")[2], comments=True)
            assert program == "numpy-rnn"
            options = command_line._parser(arguments).parse_args(arguments)
            assert options.run is import_module(f"numpy_rnn.commands.{name}").run


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_command_help_fits_in_80_columns(name, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match=r"^0$"):
        main([*name.split(), "--help"])
    for line in capsys.readouterr().out.splitlines():
        assert len(line) <= 80, line


def test_main_help_imports_no_command():
    code = (
        "import sys; from numpy_rnn.__main__ import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print(*sys.modules)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True
    ).stdout.splitlines()[-1]
    loaded = set(printed.split())
    assert not {f"numpy_rnn.commands.{name}" for name in COMMANDS} & loaded
    assert not {"torch", "json", "numpy_rnn.testing"} & loaded


def test_package_imports_no_module_by_a_computed_name():
    """Tools that freeze applications read the source to find what is imported."""
    for path in (ROOT / "numpy_rnn").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            call = ast.unparse(node)
            if re.search(r"(import_module|__import__)$", ast.unparse(node.func)):
                assert isinstance(node.args[0], ast.Constant), f"{path}: {call}"


def test_main_help_names_commands_and_exit_codes(capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--help"])
    printed = capsys.readouterr().out
    for name, summary in COMMANDS.items():
        assert f"{name} " in printed
        assert summary in printed
    assert "exit codes:\n  0    success\n" in printed


@pytest.mark.parametrize(
    "arguments", [[], ["dance"], ["inspect"], ["inspect", "a", "b"], ["verify", "--seed", "x"]]
)
def test_main_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage: numpy-rnn" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["inspect F", "convert F x.npz", "run F i.npy", "verify F", "bench F"]
)
@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("absent.pt", "absent.pt: No such file or directory"),
        (".", ".: Is a directory"),
        ("bad.pt", "bad.pt: "),
    ],
)
def test_command_bad_file_prints_one_line(command, file, message, capsys):
    Path("bad.pt").write_bytes(b"\x80\x02cos\nsystem\n.")
    line = refused(command.replace("F", file), capsys)
    assert line.startswith(f"numpy-rnn {command.split()[0]}: error: {message}")


def test_command_memory_error_prints_one_line(monkeypatch, capsys):
    def fail(*_):
        raise MemoryError("Unable to allocate 4.00 TiB")

    monkeypatch.setattr("numpy_rnn.commands.inspect.contents", fail)
    line = refused("inspect model.pt", capsys)
    assert line == (
        "numpy-rnn inspect: error: not enough memory: Unable to allocate 4.00 TiB\n"
    )


def test_main_keyboard_interrupt_exits_with_130(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("numpy_rnn.commands.inspect.contents", interrupt)
    assert main(["inspect", "model.pt"]) == 130


@pytest.mark.parametrize("module", ["numpy_rnn.commands.demo", "torch"])
def test_main_interrupt_while_importing_exits_with_130(module):
    code = f"""if True:
        import sys
        from numpy_rnn.__main__ import main
        class Interrupt:
            def find_spec(self, name, *_):
                if name == {module!r}:
                    raise KeyboardInterrupt
        sys.meta_path.insert(0, Interrupt())
        sys.exit(main(["demo" if "demo" in {module!r} else "verify", "model.pt"]))
    """
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert (result.returncode, result.stdout, result.stderr) == (130, b"", b"")


def test_main_ctrl_c_prints_nothing():
    """The command is stopped in the middle of its work, which takes ten minutes here."""
    work = """if True:
        import signal, sys, time
        from numpy_rnn.__main__ import main
        import numpy_rnn.commands.inspect as inspect
        # A shell's job in the background is started deaf to it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        def read(file):
            print("reading", flush=True)
            time.sleep(600)
        inspect.contents = read
        sys.exit(main(["inspect", "model.pt"]))
    """
    with subprocess.Popen(
        [sys.executable, "-c", work],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout.readline() == b"reading\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(600) == 130
        assert process.stderr.read() == b""


def test_main_terminated_removes_the_temporary_file(tmp_path):
    """It is stopped while it writes, which takes ten minutes here."""
    work = """if True:
        import sys, time
        from numpy_rnn.__main__ import main
        import numpy_rnn.checkpoint.numpy_files as files
        def write(arrays, file):
            print("writing", flush=True)
            time.sleep(600)
        files.write_npz = write
        sys.exit(main(["convert", "model.pt", "out/weights.npz"]))
    """
    (tmp_path / "out").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", work],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout.readline() == b"writing\n"
        assert len([*(tmp_path / "out").iterdir()]) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(600) == 128 + signal.SIGTERM
    assert not [*(tmp_path / "out").iterdir()]


def test_verify_compares_wide_layers_in_small_batches_and_leaves_out_the_widest(capsys):
    torch.save(
        {
            "wide.weight": torch.randn(2**20, 3),
            "empty.weight": torch.zeros(0, 2**20),
            "empty.bias": torch.zeros(0),
            "widest.weight": torch.zeros(0, 2**30),
            "widest.bias": torch.zeros(0),
        },
        "wide.pt",
    )
    assert main(["verify", "wide.pt"]) == 0
    out = capsys.readouterr().out
    assert "not compared: widest: it has 1073741824 features, and at most 16777216" in out
    assert "2 layers compared" in out


@pytest.mark.parametrize("command", ["verify {}", "run {} input.npy", "convert {} out.npz"])
@pytest.mark.parametrize("repeated", [True, False], ids=["repeated", "shared"])
def test_command_on_few_elements_that_become_gigabytes_refuses_with_the_size(
    command, repeated, capsys
):
    if repeated:
        weights = {"fc.weight": torch.zeros(1).expand(2**14, 2**14)}
    else:
        one = torch.zeros(2**10, 2**10)
        weights = {f"fc{number}.weight": one for number in range(256)}
    torch.save(weights, "small.pt")
    line = refused(command.format("small.pt"), capsys)
    assert "repeat or share elements: apart they take 1.1 GB, the file " in line
    assert not Path("out.npz").exists()


@pytest.mark.parametrize(
    "command", ["numpy-rnn inspect big.npz", "numpy-rnn --help", "numpy-rnn verify model.pt"]
)
def test_main_closed_pipe_is_no_error(command):
    nn.save({f"{n}.weight": np.zeros((2, 2)) for n in range(5000)}, "big.npz")
    result = run_shell(f"{command} | head -n 1")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    ["inspect model.pt", "convert model.pt w.npz", "demo", "--help", "verify model.pt"],
)
def test_main_closed_stdout_prints_one_line(command):
    result = run_shell(f"numpy-rnn {command} >&-")
    assert result.returncode == 2
    assert result.stderr == "numpy-rnn: error: standard output: closed\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
@pytest.mark.parametrize(
    "command",
    ["inspect model.pt", "inspect big.npz", "convert model.pt - --format npz"],
)
def test_main_full_stdout_prints_one_line(command):
    nn.save({f"{n}.weight": np.zeros((2, 2)) for n in range(5000)}, "big.npz")
    result = run_shell(f"numpy-rnn {command} >/dev/full")
    assert result.returncode == 2
    assert result.stderr.endswith("No space left on device\n")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "code"), [("inspect model.pt", 0), ("inspect absent.pt", 2), ("dance", 2)]
)
def test_main_closed_stderr_changes_no_exit_code(command, code):
    assert run_shell(f"numpy-rnn {command} 2>&-").returncode == code


def test_command_control_characters_in_errors_are_escaped(capsys):
    line = refused("inspect $'\\x1b[2J.pt'".replace("$'\\x1b", "'\x1b"), capsys)
    assert line == "numpy-rnn inspect: error: \\x1b[2J.pt: No such file or directory\n"


def test_main_results_and_errors_go_to_stdout_and_stderr():
    result = run_shell("numpy-rnn inspect model.pt")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("model.pt: 27 tensors")
    result = run_shell("numpy-rnn inspect absent.pt")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "numpy-rnn inspect: error: absent.pt: No such file or directory\n"


def shown_on_terminal(**variables):
    """Return what a command writes to a terminal that is its standard error."""
    ours, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "numpy_rnn", "inspect", "model.pt"],
        stdout=subprocess.DEVNULL,
        stderr=terminal,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | variables,
    ) as process:
        assert process.wait(600) == 0
    os.write(terminal, b"end")
    shown = b""
    while not shown.endswith(b"end"):
        shown += os.read(ours, 1000)
    os.close(terminal)
    os.close(ours)
    return shown


def test_status_line_on_a_terminal_is_erased():
    assert shown_on_terminal(TERM="xterm") == b"reading model.pt ...\r\x1b[Kend"


def test_status_line_on_a_dumb_terminal_is_not_shown():
    assert shown_on_terminal(TERM="dumb") == b"end"


def test_console_script_is_main():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.11 has it")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    module, _, function = project["scripts"]["numpy-rnn"].partition(":")
    assert getattr(import_module(module), function) is main
