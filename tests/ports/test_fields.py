"""Models of fields where many layers are around the recurrence, ported by imports alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import numpy_rnn as nn
from tests.ports.fields import FIELDS, OURS, TORCH, build
from tests.support.compare import assert_parity


@pytest.mark.usefixtures("quiet_torch")
@pytest.mark.parametrize("field", FIELDS)
def test_model_of_field_ported_by_imports_equals_torch(field, tmp_path, rng):
    theirs, ours = build(TORCH, field), build(OURS, field)
    for buffer in theirs.buffers():  # statistics other than a new model's
        if buffer.is_floating_point():
            buffer.copy_(torch.from_numpy(rng.uniform(0.5, 1.5, buffer.shape)))
    torch.save(theirs.state_dict(), tmp_path / "model.pt")
    assert ours.load_state_dict(nn.load(tmp_path / "model.pt")) == ([], [])
    _, shape = FIELDS[field]
    assert_parity(ours, theirs, rng.standard_normal(shape).astype(np.float32))
