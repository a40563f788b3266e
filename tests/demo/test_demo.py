"""The demo answers with NumPy what torch recorded, and behaves on the command line."""

from __future__ import annotations

import doctest
import inspect
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from numpy_rnn.__main__ import main
from numpy_rnn.demo import classifier
from tests.demo import picture
from tests.demo.train import TorchNameClassifier
from tests.support.documents import DEMO, README, blocks_of, text_of


def test_classifier_held_out_names_equal_recorded_torch():
    trained = classifier.TrainedClassifier()
    names, labels, recorded = classifier.held_out()
    computed = np.array([trained.log_probabilities(name) for name in names])
    assert computed.dtype == recorded.dtype == np.float32
    assert computed.shape == recorded.shape == (len(labels), len(trained.languages))
    assert np.abs(computed - recorded).max() <= 1e-5
    assert (computed.argmax(axis=1) == labels).mean() > 0.7


def test_classifier_record_equals_torch():
    checkpoint = torch.load(classifier.DATA / "names.pt", weights_only=True)
    names, labels, recorded = classifier.held_out()
    model = TorchNameClassifier(
        len(checkpoint["alphabet"]), recorded_hidden_size(checkpoint), recorded.shape[1]
    )
    model.load_state_dict(checkpoint["state_dict"])
    assert len(labels) == len(names)
    with torch.inference_mode():
        for name, expected in list(zip(names, recorded, strict=True))[:100]:
            letters = torch.from_numpy(classifier.one_hot(name, checkpoint["alphabet"]))
            np.testing.assert_allclose(model(letters).numpy(), expected, rtol=0, atol=1e-5)


def recorded_hidden_size(checkpoint):
    return checkpoint["state_dict"]["rnn.weight_hh_l0"].shape[1]


def test_demo_data_is_small():
    assert sum(path.stat().st_size for path in classifier.DATA.iterdir()) < 300 * 1024


def test_one_hot_accented_letters_count_as_plain():
    vectors = classifier.one_hot("ÄḂ王c", "abcä")
    assert vectors.argmax(axis=1).tolist() == [3, 1, 2]
    decomposed, composed = "A\u0308", "\u00c4"
    np.testing.assert_array_equal(
        classifier.one_hot(decomposed, "aä"), classifier.one_hot(composed, "aä")
    )


def test_demo_names_prints_languages_parity_and_time(capsys):
    assert main(["demo", "Virtanen", "García"]) == 0
    output = capsys.readouterr().out
    assert output.startswith("Virtanen\n  Finnish")
    assert "\nGarcía\n  Spanish" in output
    difference = re.search(r"max \|NumPy - torch\| = (\S+) over \d+ recorded names", output)
    assert float(difference[1]) <= 1e-5
    assert re.search(r"time +\d+\.\d\d ms per name", output)


def test_demo_without_names_shows_examples(capsys):
    assert main(["demo"]) == 0
    assert "Kowalczyk\n  Polish" in capsys.readouterr().out


@pytest.mark.parametrize("names", [["王"], [""], ["Virtanen", "123"], ["  "], ["-"], ["王-'"]])
def test_demo_name_without_known_letter_exits_with_2(names, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["demo", *names])
    assert stopped.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"the name {names[-1]!r} has no letter" in printed.err


def test_demo_numbers_unlike_torchs_exit_with_1(monkeypatch, capsys):
    monkeypatch.setattr("numpy_rnn.commands.demo.PARITY_TOLERANCE", 1e-12)
    assert main(["demo", "Virtanen"]) == 1
    assert "the difference from torch is above 1e-12" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["dance"], 2), (["--help"], 0)])
def test_demo_usage_exit_codes(arguments, code, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == code
    assert "numpy-rnn" in "".join(capsys.readouterr())


def test_demo_closed_pipe_is_no_error():
    command = f"{shlex.quote(sys.executable)} -m numpy_rnn demo A B C D E F | head -n 1"
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "A\n", "")


def test_package_in_a_zip_file_runs(tmp_path):
    package = Path(nn.__file__).parent
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as archive:
        for path in package.rglob("*"):
            if path.suffix != ".pyc":
                archive.write(path, path.relative_to(package.parent))
    result = subprocess.run(
        [sys.executable, "-m", "numpy_rnn", "demo", "Virtanen"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "package.zip"), "PATH": ""},
    )
    assert result.stderr == ""
    assert result.stdout.startswith("Virtanen\n  Finnish")


def test_demo_ascii_output_shows_another_bar():
    result = subprocess.run(
        [sys.executable, "-m", "numpy_rnn", "demo", "Müller"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
    )
    assert result.stdout.startswith("M?ller\n")
    assert "####" in result.stdout


@pytest.mark.parametrize("document", [README, DEMO], ids=["README", "the demo's"])
def test_picture_is_drawn_by_the_line_of_the_documents(document):
    (line,) = re.findall(r"figure = t\.plot\(.*\)", inspect.getsource(picture))
    assert f">>> {line}" in text_of(document)


def test_demo_why_shows_each_letter(capsys):
    assert main(["demo", "--why", "Virtanen"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Virtanen: Finnish 87.2%, because of\n")
    assert re.findall(r"^  (.)  ", printed, re.M) == list("virtanen")
    shown = (
        text_of(DEMO).partition("$ numpy-rnn demo --why Virtanen\n")[2].partition("...\n")[0]
    )
    assert shown in printed


def test_demo_why_without_known_letter_exits_with_2(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["demo", "--why", "123"])
    assert "has no letter of the Latin alphabet" in capsys.readouterr().err


def test_demo_why_is_coloured_on_a_terminal_alone(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    main(["demo", "--why", "Virtanen"])
    assert "\x1b[32m" in capsys.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    main(["demo", "--why", "Virtanen"])
    assert "\x1b[" not in capsys.readouterr().out


def test_saliency_letters_decide_more_than_random_ones():
    """Without the letters that spoke most for the language its probability falls most."""
    demo, rng = classifier.TrainedClassifier(), np.random.default_rng(0)
    falls = {"largest": [], "random": [], "smallest": []}
    for name in classifier.held_out()[0]:
        letters, saliency = demo.saliency(name)
        if sum(map(str.isalpha, letters)) < 4:
            continue
        answer = demo.log_probabilities(name)
        winner = answer.argmax()
        order = np.argsort(-saliency)
        chosen = {"largest": order[:2], "smallest": order[-2:]}
        chosen["random"] = rng.choice(len(letters), 2, replace=False)
        for which, places in chosen.items():
            rest = "".join(np.delete(list(letters), places))
            without = demo.log_probabilities(rest)[winner]
            falls[which].append(np.exp(answer[winner]) - np.exp(without))
    means = {which: np.mean(values) for which, values in falls.items()}
    assert means["largest"] > 1.5 * means["random"]
    assert means["random"] > 2 * means["smallest"]
    assert f"{means['largest']:.2f}" == "0.37"
    assert f"{means['smallest']:.2f}" == "0.08"


def test_lesson_losses_equal_those_of_torch():
    (block,) = [b for b in blocks_of(DEMO, "python") if "named_parameters" in b]
    names = {"np": np, "nn": nn}
    for example in doctest.DocTestParser().get_examples(block):
        exec(example.source, names)
    torch.manual_seed(0)
    rnn, linear = torch.nn.RNN(1, 16), torch.nn.Linear(16, 1)
    rng, losses = np.random.default_rng(0), []
    for _ in range(50):
        x = torch.from_numpy(rng.standard_normal((20, 32, 1)).astype(np.float32))
        target = torch.cat([torch.zeros_like(x[:2]), x[:-2]])
        loss = torch.square(linear(rnn(x)[0]) - target).mean()
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            for parameter in [*rnn.parameters(), *linear.parameters()]:
                parameter -= 0.3 * parameter.grad
                parameter.grad = None
    np.testing.assert_allclose(names["losses"], losses, rtol=0, atol=1e-6)
    rows = re.findall(r"^\| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", text_of(DEMO), re.M)
    assert len(rows) == 5
    for step, ours, theirs in rows:
        assert f"{names['losses'][int(step)]:.4f}" == ours
        assert f"{losses[int(step)]:.4f}" == theirs
