"""Train the demo's name classifier with torch and record what torch answers.

Run from the root of a checkout, with torch and the ``train`` extra installed::

    pip install ".[train]"
    python -m tests.demo.train

It writes two files into ``numpy_rnn/demo/data``: ``names.pt``, the checkpoint as
``torch.save`` writes it, and ``held_out.npz``, the held-out names with torch's own
log-probabilities. The split and the training are fixed by ``SEED``. The held-out names
decided nothing about the training: its settings were chosen on a tenth of the others.
"""

from __future__ import annotations

import importlib
import random
import unicodedata
from collections import Counter

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from numpy_rnn.demo import classifier

SEED = 0
HELD_OUT_FRACTION = 0.1
MINIMUM_NAMES = 150
HIDDEN_SIZE = 128
EPOCHS = 15
BATCH_SIZE = 32
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.01
LABEL_SMOOTHING = 0.1

LANGUAGES = {
    "Azerbaijani": "az_AZ",
    "Croatian": "hr_HR",
    "Czech": "cs_CZ",
    "Dutch": "nl_NL",
    "English": "en_GB",
    "Estonian": "et_EE",
    "Finnish": "fi_FI",
    "French": "fr_FR",
    "German": "de_DE",
    "Indonesian": "id_ID",
    "Irish": "ga_IE",
    "Italian": "it_IT",
    "Polish": "pl_PL",
    "Slovak": "sk_SK",
    "Slovenian": "sl_SI",
    "Spanish": "es_ES",
    "Swedish": "sv_SE",
    "Twi": "tw_GH",
    "Uzbek": "uz_UZ",
    "Zulu": "zu_ZA",
}
"""One locale a language: those whose surname list is in Latin script and long enough."""

SURNAME_LISTS = {"pl_PL": ("unisex_last_names", "male_last_names")}
"""Where a provider keeps its surnames, if not in ``last_names``."""


class TorchNameClassifier(nn.Module):
    """The model of `numpy_rnn.demo.classifier.NameClassifier`, written with torch."""

    def __init__(self, alphabet_size: int, hidden_size: int, languages: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(alphabet_size, hidden_size)
        self.linear = nn.Linear(hidden_size, languages)

    def forward(self, letters: torch.Tensor) -> torch.Tensor:
        _, h_n = self.rnn(letters)
        return torch.log_softmax(self.linear(h_n[-1]), dim=-1)


def is_latin(name: str) -> bool:
    return all("LATIN" in unicodedata.name(c, "") for c in name if c.isalpha())


def surnames() -> dict[str, list[list[str]]]:
    """Return each language's surnames, those that differ in accents alone in one group.

    What two languages share, with or without accents, is left out.
    """
    groups: dict[str, dict[str, list[str]]] = {}
    for language, locale in LANGUAGES.items():
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        names = {
            unicodedata.normalize("NFC", name)
            for attribute in SURNAME_LISTS.get(locale, ("last_names",))
            for name in getattr(provider, attribute)
        }
        groups[language] = {}
        for name in sorted(filter(is_latin, names)):
            groups[language].setdefault(classifier.fold(name), []).append(name)
        if len(groups[language]) < MINIMUM_NAMES:
            raise SystemExit(f"{locale} has {len(groups[language])} names, too few")
    languages_of = Counter(plain for named in groups.values() for plain in named)
    return {
        language: [names for plain, names in named.items() if languages_of[plain] == 1]
        for language, named in groups.items()
    }


def split(
    lists: dict[str, list[list[str]]],
) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Split each language's groups into training and held-out pairs (name, label)."""
    generator = random.Random(SEED)
    training: list[tuple[str, int]] = []
    held_out: list[tuple[str, int]] = []
    for label, groups in enumerate(lists.values()):
        groups = generator.sample(groups, len(groups))
        cut = round(len(groups) * HELD_OUT_FRACTION)
        held_out += [(name, label) for names in groups[:cut] for name in names]
        training += [(name, label) for names in groups[cut:] for name in names]
    return training, held_out


def forms(name: str) -> tuple[str, str]:
    """Return the name as it is written and without its accents, in lower case."""
    return name.lower(), classifier.fold(name)


def train(model: TorchNameClassifier, pairs: list[tuple[str, int]], alphabet: str) -> None:
    """Minimise the class-balanced cross-entropy; each name also stands without accents."""
    pairs = sorted({(form, label) for name, label in pairs for form in forms(name)})
    letters = [torch.from_numpy(classifier.one_hot(name, alphabet)) for name, _ in pairs]
    labels = torch.tensor([label for _, label in pairs])
    counts = torch.bincount(labels)
    loss_function = nn.CrossEntropyLoss(
        weight=(counts.max() / counts) ** 0.5, label_smoothing=LABEL_SMOOTHING
    )
    optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps = EPOCHS * -(-len(pairs) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, steps)
    for epoch in range(EPOCHS):
        total = 0.0
        for batch in torch.randperm(len(pairs)).split(BATCH_SIZE):
            packed = pack_sequence([letters[i] for i in batch.tolist()], enforce_sorted=False)
            loss = loss_function(model(packed), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        print(f"epoch {epoch + 1}/{EPOCHS}: training loss {total / len(pairs):.4f}", flush=True)


def main() -> None:
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    lists = surnames()
    training, held_out = split(lists)
    alphabet = "".join(
        sorted({c for name, _ in training for form in forms(name) for c in form})
    )
    print(f"{len(training)} training names, {len(held_out)} held out, {len(alphabet)} letters")
    model = TorchNameClassifier(len(alphabet), HIDDEN_SIZE, len(lists))
    train(model, training, alphabet)

    model.eval()
    with torch.inference_mode():
        inputs = [torch.from_numpy(classifier.one_hot(name, alphabet)) for name, _ in held_out]
        recorded = torch.stack([model(name) for name in inputs]).numpy()
    labels = np.array([label for _, label in held_out], dtype=np.int64)
    right = recorded.argmax(axis=1) == labels
    each = [float(right[labels == label].mean()) for label in range(len(lists))]
    print(f"held-out accuracy {right.mean():.3f}, mean over languages {np.mean(each):.3f}")
    for language, accuracy in zip(lists, each, strict=True):
        print(f"    {language:12} {accuracy:.2f}")

    classifier.DATA.mkdir(exist_ok=True)
    torch.save(
        {"alphabet": alphabet, "languages": list(lists), "state_dict": model.state_dict()},
        classifier.DATA / "names.pt",
    )
    np.savez_compressed(
        classifier.DATA / "held_out.npz",
        names=np.array([name for name, _ in held_out]),
        labels=labels,
        log_probabilities=recorded,
    )
    for path in sorted(classifier.DATA.iterdir()):
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
