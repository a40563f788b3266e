"""Write the golden checkpoints of this folder: `python -m tests.data.make_golden`.

They were written with torch 2.13, NumPy 2.4, pandas 3.0, scikit-learn 1.9, Lightning 2.6 and
Stable-Baselines3 2.9 with its sb3-contrib, which it needs; `tests/support/golden.py` says what
they hold. Run again, the files differ in torch's own notes
of its version, not in what they hold.
"""

from __future__ import annotations

import io
import pickle
import re
import struct
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

from tests.support import golden

OLD = {"_use_new_zipfile_serialization": False}


class Tagger(torch.nn.Module):
    """A parameter, two buffers of which one is not saved, and submodules."""

    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(3, 2)
        self.heads = torch.nn.ModuleList([torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)])
        self.scale = torch.nn.Parameter(torch.zeros(3))
        self.register_parameter("absent", None)
        self.register_buffer("offset", torch.zeros(2))
        self.register_buffer("cache", torch.ones(100), persistent=False)
        self.note = torch.ones(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.heads[0](self.lstm(x * self.scale)[0] + self.offset)


class TracedTagger(torch.nn.Module):
    """One without a buffer that is not saved: TorchScript would save it."""

    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(3, 2)
        self.heads = torch.nn.ModuleList([torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)])
        self.scale = torch.nn.Parameter(torch.zeros(3))
        self.register_buffer("offset", torch.zeros(2))
        self.note = torch.ones(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.lstm(x * self.scale)[0] + self.offset + self.note
        return self.heads[0](y) + self.heads[1](y)


def without_paths_of_this_machine(file: io.BytesIO) -> bytes:
    """Return an exported program whose stack traces have no folders above those of packages."""
    folders = re.compile(rb'(?<=File \\")/[^"\\]*/(?=(?:site-packages|tests)/)')
    result = io.BytesIO()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(result, "w") as target:
        for info in source.infolist():
            target.writestr(info.filename, folders.sub(b"", source.read(info)))
    return result.getvalue()


def filled(module, start=0):
    """Return a module with the weights of `golden.tagger`."""
    weights = {name: torch.from_numpy(w.copy()) for name, w in golden.tagger(start).items()}
    module.load_state_dict(weights)
    return module.eval()


def tensors_of(names):
    return {name: torch.tensor(golden.VALUES).to(getattr(torch, name)) for name in names}


def views():
    base = torch.arange(24.0).reshape(2, 3, 4)
    return {
        "base": base,
        "transposed": base.permute(2, 0, 1),
        "part": base[1:, ::2, 3],
        "scalar": base[1, 2, 3],
        "empty": base[:0],
        "expanded": torch.tensor(7.0).expand(20, 20),
    }


def checkpoint():
    """Return what a training run saves: weights, an optimiser's state, and the rest."""
    model = filled(Tagger())
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(4, 1, 3)).sum().backward()
    optimizer.step()
    filled(model)
    return {
        "epoch": 3,
        "model_state_dict": model.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "best_loss": torch.tensor(0.5),
        "vocabulary": {"a": 0, "b": 1},
    }


def rewritten(data, method, swap=False):
    """Return a zip file with its members compressed, or its storages in another order."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(result, "w") as target:
        for info in source.infolist():
            content = source.read(info)
            if swap and "/data/" in info.filename:
                content = np.frombuffer(content, np.float32).byteswap().tobytes()
            if swap and info.filename.endswith("byteorder"):
                content = b"big"
            place = zipfile.ZipInfo(info.filename)
            target.writestr(place, content, compress_type=method)
    return result.getvalue()


def saved(obj, **options):
    file = io.BytesIO()
    torch.save(obj, file, **options)
    return file.getvalue()


def as_numpy_1(data):
    """Return a pickle with the names that NumPy 1 wrote."""
    for module in (b"multiarray", b"numeric"):
        old, new = b"numpy.core." + module, b"numpy._core." + module
        data = data.replace(b"c" + new + b"\n", b"c" + old + b"\n")
        short = pickle.SHORT_BINUNICODE
        data = data.replace(short + bytes([len(new)]) + new, short + bytes([len(old)]) + old)
    if data[2:3] == pickle.FRAME:
        data = data[:3] + struct.pack("<Q", len(data) - 11) + data[11:]
    return data


def with_views(data):
    """Return a legacy file of one tensor with a view in the id of its storage.

    torch 0.3 and older wrote those; the view has the second to the third element.
    """
    size = b"K\x04N"  # four elements, no view
    view = b"K\x04(X\x01\x00\x00\x009K\x01K\x02t"
    assert data.count(size) == 1
    return data.replace(size, view)


def files():
    everything = {
        **tensors_of(golden.PLAIN_DTYPES + golden.UNSIGNED_DTYPES + golden.WIDENED_DTYPES),
        **views(),
    }
    legacy = {
        **tensors_of([*golden.PLAIN_DTYPES, "float16", "bfloat16"]),
        **views(),
    }
    yield "zip.pt", saved(everything)
    yield "legacy.pt", saved(legacy, **OLD)
    model = filled(Tagger())
    yield "state_dict.pt", saved(model.state_dict())
    yield "state_dict_legacy.pt", saved(model.state_dict(), **OLD)
    yield "deflated.pt", rewritten(saved(model.state_dict()), zipfile.ZIP_DEFLATED)
    yield "big_endian.pt", rewritten(saved(model.state_dict()), zipfile.ZIP_STORED, swap=True)
    yield "views_legacy.pt", with_views(saved(torch.arange(4.0)[:2], **OLD))
    yield "module.pt", saved(model)
    yield "module_legacy.pt", saved(model, **OLD)
    parallel = torch.nn.DataParallel(model)
    yield "data_parallel.pt", saved(parallel)
    yield "data_parallel_state.pt", saved({"state_dict": parallel.state_dict()})
    yield "checkpoint.pt", saved(checkpoint())
    yield "checkpoint_legacy.pt", saved(checkpoint(), **OLD)
    yield "forecasting.pt", saved(forecasting())
    yield "forecasting_legacy.pt", saved(forecasting(), **OLD)
    yield "lightning.ckpt", lightning_checkpoint()
    yield "recurrent_ppo.zip", recurrent_ppo()
    script = torch.jit.script(filled(TracedTagger()))
    yield "script.pt", script.save_to_buffer()
    yield "script_frozen.pt", torch.jit.freeze(script).save_to_buffer()
    exported = io.BytesIO()
    program = torch.export.export(filled(TracedTagger()), (torch.ones(2, 1, 3),))
    torch.export.save(program, exported)
    yield "exported.pt2", without_paths_of_this_machine(exported)
    weights = {name: torch.from_numpy(w.copy()) for name, w in golden.tagger().items()}
    yield "tensors.pkl", pickle.dumps(weights)
    policies = io.BytesIO()
    with zipfile.ZipFile(policies, "w") as archive:  # as of Stable-Baselines3
        archive.writestr("data", "{}")
        archive.writestr("policy.pth", saved(weights))
        archive.writestr("pytorch_variables.pth", saved(None))
    yield "policies.zip", policies.getvalue()
    yield "weights.safetensors", safetensors.torch.save(weights, {"format": "pt"})
    yield (
        "dtypes.safetensors",
        safetensors.torch.save(
            tensors_of(
                [
                    name
                    for name in golden.PLAIN_DTYPES
                    + golden.UNSIGNED_DTYPES
                    + golden.WIDENED_DTYPES
                    if name != "complex128"
                ]
            )
        ),
    )
    for name, write in (("weights.npz", np.savez), ("deflated.npz", np.savez_compressed)):
        file = io.BytesIO()
        write(file, **golden.tagger())
        yield name, file.getvalue()
    file = io.BytesIO()
    np.save(file, golden.views()["transposed"])
    yield "array.npy", file.getvalue()
    for protocol in range(6):
        data = pickle.dumps({**golden.views(), "dtype": golden.dtypes(["int16"])}, protocol)
        yield f"numpy_2_protocol_{protocol}.pkl", data
        yield f"numpy_1_protocol_{protocol}.pkl", as_numpy_1(data)


def forecasting():
    """Return weights beside what prepared the data: tables, their scaler and encoders."""
    import pandas as pd  # the tests do without them
    from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

    frame = pd.DataFrame(
        {"value": [1.0, 2.0], "shop": ["x", "y"], "day": pd.to_datetime(["2020", "2021"])}
    )
    return {
        "model": filled(Tagger()).state_dict(),
        "frame": frame,
        "index": pd.Index(["a", "b"]),
        "categories": pd.Categorical(["a", "b"]),
        "scaler": StandardScaler().fit(frame[["value"]]),
        "labels": LabelEncoder().fit(["a", "b"]),
        "encoder": OneHotEncoder().fit([["a"], ["b"]]),
    }


def lightning_checkpoint():
    """Return what Lightning's Trainer saves, with the model among the hyperparameters too."""
    import lightning

    class Tagging(lightning.LightningModule):
        def __init__(self, model, rate):  # noqa: ARG002  # saved by Lightning
            super().__init__()
            self.save_hyperparameters()
            self.model = model

        def training_step(self, batch, _index):
            return self.model(batch[0]).sum()

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=self.hparams.rate)

    trainer = lightning.Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    inputs = torch.utils.data.TensorDataset(torch.ones(1, 4, 3))
    trainer.fit(Tagging(filled(Tagger()), 0.0), torch.utils.data.DataLoader(inputs))
    with tempfile.TemporaryDirectory() as folder:
        trainer.save_checkpoint(Path(folder) / "lightning.ckpt")
        return (Path(folder) / "lightning.ckpt").read_bytes()


def recurrent_ppo():
    """Return what Stable-Baselines3 saves of an agent that has learned for two steps."""
    import gymnasium
    import sb3_contrib
    from stable_baselines3.common import save_util

    save_util.get_system_info = lambda **_: ({}, "")  # nothing of the machine it is written on

    class Walk(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(-1, 1, (3,))
        action_space = gymnasium.spaces.Discrete(2)

        def reset(self, **_):
            return self.observation_space.sample(), {}

        def step(self, _action):
            return self.observation_space.sample(), 1.0, True, False, {}

    agent = sb3_contrib.RecurrentPPO(
        "MlpLstmPolicy",
        Walk(),
        n_steps=2,
        batch_size=2,
        n_epochs=1,
        policy_kwargs={"lstm_hidden_size": 2, "net_arch": [2]},
        device="cpu",
        seed=0,
    )
    file = io.BytesIO()
    agent.learn(2).save(file)
    return file.getvalue()


def main():
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    # The legacy format holds the source of each module's class: not torch's, here.
    torch.serialization.get_source_lines_and_file = lambda _: (["class: ..."], 1, "a.py")
    for name, data in files():
        (golden.DATA / name).write_bytes(data)
        print(f"{name:28} {len(data):8}")


if __name__ == "__main__":
    main()
