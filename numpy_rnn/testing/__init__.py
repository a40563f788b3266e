"""Compare models with torch's: `assert_parity`, and the criterion for one array, `compare`."""

from numpy_rnn.testing.criterion import Comparison, compare
from numpy_rnn.testing.parity import ParityReport, ParityRow, assert_parity

__all__ = ["Comparison", "ParityReport", "ParityRow", "assert_parity", "compare"]
