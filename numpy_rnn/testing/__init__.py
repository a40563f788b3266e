"""Compare models with torch's: `assert_parity`, and what it is made of."""

from numpy_rnn.testing.criterion import Comparison, allowed_error, compare
from numpy_rnn.testing.nested import leaves, map_leaves
from numpy_rnn.testing.parity import ParityReport, ParityRow, assert_parity

__all__ = [
    "Comparison",
    "ParityReport",
    "ParityRow",
    "allowed_error",
    "assert_parity",
    "compare",
    "leaves",
    "map_leaves",
]
