"""``numpy-rnn port``: what it prints and writes, its exit codes, and what it refuses."""

from __future__ import annotations

import pytest

from numpy_rnn.__main__ import main

PLAIN = "import torch\n\n\ndef f(x):\n    return torch.cat([x, x], dim=1)\n"
NEW = "import numpy as np\n\n\ndef f(x):\n    return np.concatenate([x, x], axis=1)\n"
HARD = "from torch import nn, fft\n\n\nclass Net(nn.Module):\n    def forward(self, x):\n"
HARD += "        return nn.Transformer(2)(fft.rfft(x))\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "plain.py").write_text(PLAIN)
    (tmp_path / "models" / "inner").mkdir()
    (tmp_path / "models" / "inner" / "hard.py").write_text(HARD)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_port_prints_the_new_source_and_reports_on_standard_error(capsys):
    assert main(["port", "models/plain.py"]) == 0
    printed = capsys.readouterr()
    assert printed.out == NEW
    assert printed.err == "models/plain.py: 2 lines changed, 0 lines left\n"


@pytest.mark.usefixtures("folder")
def test_port_lines_left_give_exit_code_1_and_are_listed(capsys):
    assert main(["port", "models/inner/hard.py", "--check"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[:4] == [
        "models/inner/hard.py: 1 line changed, 1 line left",
        "  line 6: return nn.Transformer(2)(fft.rfft(x))",
        "      numpy_rnn has no Transformer",
        "  layers that numpy_rnn does not have: nn.Transformer",
    ]
    assert "original, port = hard.Net(...).eval(), hard_numpy.Net(...).eval()" in printed.err


@pytest.mark.usefixtures("folder")
def test_port_diff_prints_the_changes(capsys):
    assert main(["port", "models/plain.py", "--diff"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "-    return torch.cat([x, x], dim=1)" in lines
    assert "+    return np.concatenate([x, x], axis=1)" in lines


def test_port_writes_a_file(folder, capsys):
    assert main(["port", "models/plain.py", "-o", "new.py"]) == 0
    assert (folder / "new.py").read_text() == NEW
    assert capsys.readouterr().out == ""


def test_port_writes_a_folder_as_it_is_nested(folder):
    assert main(["port", "models", "-o", "new"]) == 1
    assert (folder / "new" / "plain.py").read_text() == NEW
    assert "import numpy_rnn as nn" in (folder / "new" / "inner" / "hard.py").read_text()
    assert (folder / "models" / "plain.py").read_text() == PLAIN


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["models/absent.py"], "models/absent.py: No such file or directory"),
        (["bad.py"], "bad.py: not Python source: invalid syntax in line 1"),
        (["binary.py"], "binary.py: not Python source: "),
        (["empty"], "empty: the folder has no .py files"),
        (["models"], "several files need -o FOLDER, --diff or --check"),
        (["models/plain.py", "-o", "models/plain.py"], "models/plain.py: this is an input"),
        (["models", "-o", "models"], ": this is an input; write to another file"),
        (
            ["models/plain.py", "-o", "x.py", "--check"],
            "-o writes the new source; leave it out",
        ),
        (["models/plain.py", "models/plain.py", "-o", "new"], "plain.py is given twice"),
        (["models/plain.py", "other/plain.py", "-o", "new"], "have the same name"),
    ],
)
def test_port_bad_arguments_exit_with_2_and_write_nothing(folder, capsys, words, message):
    (folder / "bad.py").write_text("def f(:\n")
    (folder / "binary.py").write_bytes(b"\xff\xfe\x00")
    (folder / "empty").mkdir()
    (folder / "other").mkdir()
    (folder / "other" / "plain.py").write_text(PLAIN)
    with pytest.raises(SystemExit, match="2"):
        main(["port", *words])
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.startswith("numpy-rnn port: error: ")
    assert printed.out == ""
    assert not (folder / "new").exists()
    assert not (folder / "x.py").exists()
    assert (folder / "models" / "plain.py").read_text() == PLAIN


def test_port_of_its_own_output_changes_nothing(folder):
    assert main(["port", "models/plain.py", "-o", "new.py"]) == 0
    assert main(["port", "new.py", "-o", "again.py"]) == 0
    assert (folder / "again.py").read_text() == NEW


def test_port_never_runs_the_file(folder):
    (folder / "evil.py").write_text("import torch\nopen('ran', 'w')\nraise SystemExit(3)\n")
    assert main(["port", "evil.py", "-o", "new.py"]) == 0
    assert not (folder / "ran").exists()
