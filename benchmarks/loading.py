"""Time the loading of a checkpoint of 20 MB: ``python -m benchmarks.loading``.

It prints a line of JSON, the median seconds of ``nn.load`` and of ``torch.load``, both of a
file that the system has in memory.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import torch

import numpy_rnn as nn
from benchmarks.measuring import take_turns


def main() -> None:
    weights = torch.nn.LSTM(512, 576, 2).state_dict()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lstm.pt"
        torch.save(weights, file)
        loads = {
            "numpy_rnn": lambda: nn.load(file),
            "torch": lambda: torch.load(file, weights_only=True),
        }
        loaded = loads["numpy_rnn"]()
        for name, tensor in loads["torch"]().items():
            np.testing.assert_array_equal(loaded[name], tensor.numpy(), strict=True)
        size = file.stat().st_size
        seconds = take_turns(loads, 2.0).seconds
    print(json.dumps({"bytes": size, "seconds": seconds}))


if __name__ == "__main__":
    main()
