"""Time whole models beside their own code: ``python -m benchmarks.models THREADS``.

It prints a line of JSON for each model: what one unit of its work is, median seconds for it,
ratios, and rounds. The models are those of `tests/ports`: those of packages if their files are
there, and those of fields.
"""

from __future__ import annotations

import io
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
import torch
from threadpoolctl import threadpool_limits

from benchmarks.layers import PAUSE
from benchmarks.measuring import take_turns
from benchmarks.peers import TOLERANCE
from benchmarks.peers.onnx_runtime import options
from tests.ports import beatnet, fields, g2p_en, instate, resemblyzer, silero_vad
from tests.support.packages import FOLDER, packaged

SECONDS_A_MODEL = 4.0
WORDS = ("neural", "networks", "remember", "letters", "and", "pronounce", "unheard", "words")
NAMES = ("sharma", "patel", "reddy", "iyer", "chatterjee", "khan", "lyngdoh", "venkataraman")

Calls = dict[str, Callable[[], Any]]
"""What each library does, this one first, giving results that can be compared."""


def silero_calls(threads: int) -> Calls:
    """Return calls that hear one chunk and keep the state."""
    ours, theirs = silero_vad.port(), silero_vad.torchscript()
    session = onnxruntime.InferenceSession(
        packaged("silero_vad/data/silero_vad_16k_op15.onnx"),
        options(threads),
        ["CPUExecutionProvider"],
    )
    size, context = silero_vad.CHUNK, silero_vad.CONTEXT
    chunk = 0.1 * np.random.default_rng(0).standard_normal((1, size)).astype(np.float32)
    tensor, rate = torch.from_numpy(chunk), np.array(16_000)
    past = {
        "input": np.zeros((1, context), np.float32),
        "state": np.zeros((2, 1, 128), np.float32),
    }

    def onnx() -> Any:
        x = np.concatenate([past["input"], chunk], axis=1)
        output, past["state"] = session.run(
            None, {"input": x, "state": past["state"], "sr": rate}
        )
        past["input"] = x[:, -context:]
        return output

    return {
        "numpy_rnn": lambda: ours(chunk),
        "torch": lambda: theirs(tensor, 16_000).numpy(),
        "onnxruntime": onnx,
    }


def instate_calls(_threads: int) -> Calls:
    """Return calls that score the names one by one, as the package does."""
    ours, theirs = instate.port(), instate.original()
    names = [instate.letters([name]) for name in NAMES]
    tensors = [tuple(map(torch.from_numpy, arrays)) for arrays in names]
    return {
        "numpy_rnn": lambda: np.stack([ours(*arrays) for arrays in names]),
        "torch": lambda: np.stack([torch.stack(theirs(*arrays)) for arrays in tensors]),
    }


def g2p_calls(_threads: int) -> Calls:
    """Return calls that say the words."""
    original = g2p_en.original()
    ours = g2p_en.port(original.phonemes)
    theirs = TorchG2P(ours)
    return {
        "numpy_rnn": lambda: [ours(word) for word in WORDS],
        "torch": lambda: [theirs(word) for word in WORDS],
        "package": lambda: [original.predict(word) for word in WORDS],
    }


def resemblyzer_calls(threads: int) -> Calls:
    """Return calls that embed four parts of an utterance, 1.6 s each."""
    ours, theirs = resemblyzer.port(), resemblyzer.original()
    shape = 4, resemblyzer.FRAMES, resemblyzer.MELS
    mels = np.random.default_rng(0).exponential(0.01, shape).astype(np.float32)
    tensor = torch.from_numpy(mels)
    session = exported(theirs, tensor, threads)
    return {
        "numpy_rnn": lambda: ours(mels),
        "torch": lambda: theirs(tensor).numpy(),
        "onnxruntime": lambda: session.run(None, {"input": mels})[0],
    }


def beatnet_calls(_threads: int) -> Calls:
    """Return calls that hear one frame and keep the state."""
    ours, theirs = beatnet.port(1), beatnet.original(1)
    shape = 1, 1, beatnet.SIZES[0]
    frame = np.random.default_rng(0).exponential(0.3, shape).astype(np.float32)
    tensor = torch.from_numpy(frame)
    return {"numpy_rnn": lambda: ours(frame), "torch": lambda: theirs(tensor).numpy()}


def field_calls(field: str, shape: tuple[int, ...], **sizes: int) -> Callable[[int], Calls]:
    """Return what makes the calls of a model of `tests.ports.fields`, with torch's weights."""

    def calls(threads: int) -> Calls:
        torch.manual_seed(0)
        theirs, ours = (
            fields.build(fields.TORCH, field, **sizes),
            fields.build(fields.OURS, field, **sizes),
        )
        ours.load_state_dict(theirs.state_dict())
        x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        tensor = torch.from_numpy(x)
        session = exported(theirs, tensor, threads)
        return {
            "numpy_rnn": lambda: ours(x),
            "torch": lambda: theirs(tensor).numpy(),
            "onnxruntime": lambda: session.run(None, {"input": x})[0],
        }

    return calls


def exported(
    model: torch.nn.Module, input: torch.Tensor, threads: int
) -> onnxruntime.InferenceSession:
    """Return ONNX Runtime's session for a torch model and an input of one shape."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the newer exporter needs one package more
        torch.onnx.export(model, (input,), file, input_names=["input"], dynamo=False)
    return onnxruntime.InferenceSession(
        file.getvalue(), options(threads), ["CPUExecutionProvider"]
    )


class TorchG2P(torch.nn.Module):
    """The port's model in torch, with its weights."""

    def __init__(self, port: g2p_en.G2P) -> None:
        super().__init__()
        self.phonemes, self.number = port.phonemes, port.number
        self.enc_emb = torch.nn.Embedding(len(g2p_en.GRAPHEMES), 256)
        self.encoder = torch.nn.GRU(256, 256)
        self.dec_emb = torch.nn.Embedding(len(port.phonemes), 256)
        self.decoder = torch.nn.GRUCell(256, 256)
        self.fc = torch.nn.Linear(256, len(port.phonemes))
        weights = {name: torch.from_numpy(w) for name, w in port.state_dict().items()}
        self.load_state_dict(weights)

    def forward(self, word: str) -> list[str]:
        letters = [self.number.get(letter, 1) for letter in [*word, "</s>"]]
        _, h = self.encoder(self.enc_emb(torch.tensor(letters)))
        h, phoneme, spoken = h[0], torch.tensor(g2p_en.BEGIN), []
        while len(spoken) < g2p_en.LONGEST:
            h = self.decoder(self.dec_emb(phoneme), h)
            phoneme = self.fc(h).argmax()
            if phoneme == g2p_en.END:
                break
            spoken.append(self.phonemes[phoneme])
        return spoken


class Model(NamedTuple):
    """What makes a model's calls, by whom they are, and how many units of work a call does."""

    calls: Callable[[int], Calls]
    libraries: tuple[str, ...]
    units: int


MODELS = {
    "silero-vad: a chunk, 32 ms of sound": Model(
        silero_calls, ("numpy_rnn", "torch", "onnxruntime"), 1
    ),
    "instate: a name": Model(instate_calls, ("numpy_rnn", "torch"), len(NAMES)),
    "Resemblyzer: 4 parts of an utterance, 6.4 s of sound": Model(
        resemblyzer_calls, ("numpy_rnn", "torch", "onnxruntime"), 1
    ),
    "BeatNet: a frame, 20 ms of sound": Model(beatnet_calls, ("numpy_rnn", "torch"), 1),
    "g2p_en: a word": Model(g2p_calls, ("numpy_rnn", "torch", "package"), len(WORDS)),
}
"""Models that packages ship, by the unit that is timed."""

EVERY = ("numpy_rnn", "torch", "onnxruntime")

FIELDS = {
    "OCR: a line of text of 32 by 280 pixels": Model(
        field_calls("OCR", (1, 1, 32, 280), width=64, hidden=256), EVERY, 1
    ),
    "denoiser: 1 s of sound": Model(
        field_calls("denoising", (1, 1, 16_000), hidden=32, depth=4), EVERY, 1
    ),
    "sound events: 10 s as 64 log-mel bands": Model(
        field_calls("music", (1, 1, 500, 64)), EVERY, 1
    ),
}
"""Models of fields, with first weights: convolutions and what is around them."""


def available() -> dict[str, Model]:
    """Return the models whose files are there."""
    return {**(MODELS if FOLDER.is_dir() else {}), **FIELDS}


def compared(model: Model, threads: int) -> Calls:
    """Return a model's calls after a few of them, whose results agree."""
    calls = model.calls(threads)
    assert tuple(calls) == model.libraries
    for _ in range(5):
        first, *others = [call() for call in calls.values()]
        for other in others:
            if isinstance(first, list):
                assert first == other
            else:
                np.testing.assert_allclose(first, other, rtol=TOLERANCE, atol=TOLERANCE)
    return calls


def timings(threads: int) -> Iterator[dict[str, Any]]:
    """Yield what was measured of each model."""
    pause = PAUSE if threads > 1 else 0.0
    for unit, model in available().items():
        timing = take_turns(compared(model, threads), SECONDS_A_MODEL, pause)
        seconds = {name: value / model.units for name, value in timing.seconds.items()}
        yield {"unit": unit, **timing._asdict(), "seconds": seconds}


def main() -> None:
    threads = int(sys.argv[1])
    torch.set_num_threads(threads)
    with threadpool_limits(threads), torch.inference_mode(), np.errstate(over="ignore"):
        for timing in timings(threads):
            print(json.dumps(timing), flush=True)


if __name__ == "__main__":
    main()
