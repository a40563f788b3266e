"""A recurrent network that guesses from its letters which language a surname is from.

torch trained it; NumPy runs it. The model is a character-level ``RNN`` with a ``Linear``
on its last hidden state. Letters are one-hot vectors over an alphabet that keeps accents:
``ñ`` is a separate letter. A letter outside the alphabet counts as its unaccented form,
and is left out if that is unknown too.
"""

from __future__ import annotations

import unicodedata
from importlib import resources

import numpy as np

import numpy_rnn as nn
from numpy_rnn import functional
from numpy_rnn._typing import AnyArray, Array

DATA = resources.files("numpy_rnn.demo") / "data"
"""The folder of the checkpoint and of torch's recorded answers; it may be in a zip file."""


class NameClassifier(nn.Module):
    """The network: log-probabilities of languages from the letters of a name.

    Parameters
    ----------
    alphabet_size : int
        Letters that a name may have.
    hidden_size : int
        Units of the recurrent layer.
    languages : int
        Classes.
    """

    def __init__(self, alphabet_size: int, hidden_size: int, languages: int) -> None:
        super().__init__()
        self.rnn: nn.RNN = nn.RNN(alphabet_size, hidden_size)
        self.linear: nn.Linear = nn.Linear(hidden_size, languages)

    def forward(self, letters: Array) -> Array:
        """Return the log-probabilities, of shape (languages,).

        Parameters
        ----------
        letters : ndarray of shape (L, alphabet_size)
            float32, the one-hot letters of one name; L > 0.
        """
        _, h_n = self.rnn(letters)
        return functional.log_softmax(self.linear(h_n[-1]), dim=-1)


def fold(name: str) -> str:
    """Return `name` in lower case without accents.

    >>> fold("Müller-Łoś")
    'muller-łos'
    """
    decomposed = unicodedata.normalize("NFKD", name.lower())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def one_hot(name: str, alphabet: str) -> Array:
    """Return the letters of a name as vectors.

    Parameters
    ----------
    name : str
        In any case; normalised to composed characters.
    alphabet : str
        The known letters; a vector has an element for each.

    Returns
    -------
    ndarray of shape (L, len(alphabet))
        float32; L counts the known letters, and may be 0.
    """
    composed = unicodedata.normalize("NFC", name).lower()
    letters = [
        c for letter in composed for c in (letter if letter in alphabet else fold(letter))
    ]
    known = [alphabet.index(letter) for letter in letters if letter in alphabet]
    vectors = np.zeros((len(known), len(alphabet)), np.float32)
    vectors[np.arange(len(known)), known] = 1.0
    return vectors


class UnknownNameError(ValueError):
    """A name without a letter that the alphabet has."""


class TrainedClassifier:
    """The trained classifier with its alphabet and its languages.

    Attributes
    ----------
    alphabet : str
        The letters it knows.
    languages : list of str
        Its classes.
    model : NameClassifier
        The network, frozen, with the weights that torch trained.
    """

    def __init__(self) -> None:
        with (DATA / "names.pt").open("rb") as file:
            checkpoint = nn.load(file)
        weights = checkpoint["state_dict"]
        self.alphabet: str = checkpoint["alphabet"]
        self.languages: list[str] = checkpoint["languages"]
        hidden_size = weights["rnn.weight_hh_l0"].shape[1]
        sizes = len(self.alphabet), hidden_size, len(self.languages)
        self.model: NameClassifier = NameClassifier(*sizes)
        self.model.load_state_dict(weights)
        self.model.freeze()

    def saliency(self, name: str) -> tuple[str, Array]:
        """Return how much each letter of a name spoke for the most probable language.

        The gradient of the log-probability with respect to the input, times the input: what
        the log-probability changes by, to first order, if the letter is left blank.

        Returns
        -------
        letters : str
            The letters that the model read.
        saliency : ndarray of shape (len(letters),)
            Positive where a letter spoke for the language.

        Raises
        ------
        UnknownNameError
            If the name has no letter that the alphabet has.
        """
        self.log_probabilities(name)  # raises if there is no letter
        vectors = one_hot(name, self.alphabet)
        t = nn.trace(self.model.rnn, vectors)
        p = functional.softmax(self.model.linear(t.hx[0]), dim=-1)
        chosen = np.eye(len(p), dtype=np.float32)[p.argmax()]
        # log_softmax, then Linear: the gradient with respect to the last hidden state.
        h_n = (chosen - p) @ self.model.linear.weight
        gradient = t.backward(h_n=h_n[None]).input
        letters = "".join(self.alphabet[index] for index in vectors.argmax(axis=1))
        return letters, (gradient * vectors).sum(axis=1)

    def log_probabilities(self, name: str) -> Array:
        """Return the log-probability of each language, of shape (languages,).

        Raises
        ------
        UnknownNameError
            If the name has no letter that the alphabet has.
        """
        letters = one_hot(name, self.alphabet)
        known = [self.alphabet[index] for index in letters.argmax(axis=1)]
        if not any(letter.isalpha() for letter in known):
            raise UnknownNameError(f"the name {name!r} has no letter of the Latin alphabet")
        return self.model(letters)


def held_out() -> tuple[list[str], AnyArray, AnyArray]:
    """Return names that torch was not trained with, and its answers for them.

    Returns
    -------
    names : list of str
    labels : ndarray of shape (names,)
        int64, the index of each name's language.
    log_probabilities : ndarray of shape (names, languages)
        float32, torch's.
    """
    with (DATA / "held_out.npz").open("rb") as file, np.load(file) as recorded:
        return recorded["names"].tolist(), recorded["labels"], recorded["log_probabilities"]
