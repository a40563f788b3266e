"""Models of the fields around OCR, music, denoising and separation, as their papers have them.

Each source is run with the imports of torch or with ours: nothing else of it changes.
"""

from __future__ import annotations

from typing import Any

TORCH = "from torch import nn\nimport torch.nn.functional as F\n"
OURS = "import numpy_rnn as nn\nimport numpy_rnn.functional as F\n"

OCR = '''
class BidirectionalLSTM(nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.rnn = nn.LSTM(inputs, hidden, bidirectional=True)
        self.embedding = nn.Linear(hidden * 2, outputs)

    def forward(self, x):
        recurrent, _ = self.rnn(x)
        steps, batch, features = recurrent.shape
        output = self.embedding(recurrent.reshape(steps * batch, features))
        return output.reshape(steps, batch, -1)


class Model(nn.Module):
    """Seven convolutions, two recurrent layers: one line of text of 32 pixels' height."""

    def __init__(self, channels=1, classes=37, hidden=32, width=8, leaky=False):
        super().__init__()
        kernels, paddings = [3, 3, 3, 3, 3, 3, 2], [1, 1, 1, 1, 1, 1, 0]
        sizes = [width * n for n in (1, 2, 4, 4, 8, 8, 8)]
        cnn = nn.Sequential()

        def add(i, batch_norm=False):
            inputs = channels if i == 0 else sizes[i - 1]
            conv = nn.Conv2d(inputs, sizes[i], kernels[i], 1, paddings[i])
            cnn.add_module(f"conv{i}", conv)
            if batch_norm:
                cnn.add_module(f"batchnorm{i}", nn.BatchNorm2d(sizes[i]))
            relu = nn.LeakyReLU(0.2, inplace=True) if leaky else nn.ReLU(True)
            cnn.add_module(f"relu{i}", relu)

        add(0)
        cnn.add_module("pooling0", nn.MaxPool2d(2, 2))
        add(1)
        cnn.add_module("pooling1", nn.MaxPool2d(2, 2))
        add(2, True)
        add(3)
        cnn.add_module("pooling2", nn.MaxPool2d((2, 2), (2, 1), (0, 1)))
        add(4, True)
        add(5)
        cnn.add_module("pooling3", nn.MaxPool2d((2, 2), (2, 1), (0, 1)))
        add(6, True)
        self.cnn = cnn
        self.rnn = nn.Sequential(
            BidirectionalLSTM(sizes[6], hidden, hidden),
            BidirectionalLSTM(hidden, hidden, classes),
        )

    def forward(self, x):
        features = self.cnn(x)
        batch, channels, height, width = features.shape
        assert height == 1, "the height of the features must be 1"
        steps = features.reshape(batch, channels, width).swapaxes(1, 2).swapaxes(0, 1)
        return self.rnn(steps)
'''

MUSIC = '''
class Model(nn.Module):
    """Log-mel spectrogram to the notes of each frame."""

    def __init__(self, mels=64, notes=88):
        super().__init__()
        self.norm = nn.BatchNorm2d(1)
        self.cnn = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.AvgPool2d((1, 2)),
            nn.Dropout2d(0.2),
            nn.Conv2d(8, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ELU(),
            nn.MaxPool2d((1, 2)),
        )
        self.fc = nn.Linear(16 * mels // 4, 32)
        self.gru = nn.GRU(32, 24, 2, batch_first=True, bidirectional=True)
        self.out = nn.Linear(48, notes)

    def forward(self, x):
        x = self.cnn(self.norm(x))
        batch, channels, frames, bands = x.shape
        x = x.swapaxes(1, 2).reshape(batch, frames, channels * bands)
        x, _ = self.gru(F.relu(self.fc(x)))
        return F.sigmoid(self.out(x))
'''

SEPARATION = '''
class Model(nn.Module):
    """A waveform to those of two sources, by masks of learned features."""

    def __init__(self, features=16, hidden=24, sources=2):
        super().__init__()
        self.sources = sources
        self.encoder = nn.Conv1d(1, features, 16, stride=8, bias=False)
        self.norm = nn.GroupNorm(1, features)
        self.glu = nn.Sequential(nn.Conv1d(features, 2 * features, 1), nn.GLU(dim=1))
        self.prelu = nn.PReLU()
        self.rnn = nn.LSTM(features, hidden, batch_first=True, bidirectional=True)
        self.mask = nn.Linear(2 * hidden, sources * features)
        self.decoder = nn.ConvTranspose1d(features, 1, 16, stride=8, bias=False)

    def forward(self, x):
        encoded = self.encoder(x)
        batch, features, steps = encoded.shape
        y = self.prelu(self.glu(self.norm(encoded)))
        y, _ = self.rnn(y.swapaxes(1, 2))
        masks = F.sigmoid(self.mask(y)).swapaxes(1, 2)
        masked = masks.reshape(batch, self.sources, features, steps) * encoded[:, None]
        flat = masked.reshape(batch * self.sources, features, steps)
        return self.decoder(flat).reshape(batch, self.sources, -1)
'''

DENOISING = '''
class Model(nn.Module):
    """A noisy waveform to a clean one: strided convolutions, a GRU, and the way back."""

    def __init__(self, hidden=16, depth=3, kernel=8, stride=4):
        super().__init__()
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        channels = 1
        for level in range(depth):
            width = hidden * 2**level
            self.encoder.append(
                nn.Sequential(
                    nn.Conv1d(channels, width, kernel, stride),
                    nn.ReLU(),
                    nn.Conv1d(width, 2 * width, 1),
                    nn.GLU(1),
                )
            )
            up = [
                nn.Conv1d(width, 2 * width, 1),
                nn.GLU(1),
                nn.ConvTranspose1d(width, channels, kernel, stride),
            ]
            self.decoder.insert(0, nn.Sequential(*up, *[nn.ReLU()] * (level > 0)))
            channels = width
        self.gru = nn.GRU(channels, channels, 2)

    def forward(self, x):
        skipped = []
        for encode in self.encoder:
            x = encode(x)
            skipped.append(x)
        steps, _ = self.gru(x.swapaxes(1, 2).swapaxes(0, 1))
        x = steps.swapaxes(0, 1).swapaxes(1, 2)
        for decode in self.decoder:
            x = decode(x + skipped.pop()[..., : x.shape[-1]])
        return x
'''


FIELDS = {
    "OCR": (OCR, (2, 1, 32, 100)),
    "music": (MUSIC, (2, 1, 40, 64)),
    "separation": (SEPARATION, (2, 1, 800)),
    "denoising": (DENOISING, (2, 1, 724)),
}
"""The source of each field's model, and the shape of an input for its default sizes."""


def build(imports: str, field: str, **sizes: Any) -> Any:
    """Return the model of a field, in evaluation mode."""
    namespace: dict[str, Any] = {"__name__": "a_port"}
    exec(imports + FIELDS[field][0], namespace)
    return namespace["Model"](**sizes).eval()
