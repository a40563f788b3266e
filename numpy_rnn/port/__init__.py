"""Rewrite models that were written with torch: what ``numpy-rnn port`` does."""

from numpy_rnn.port.rewriting import Left, Ported, port, port_expression

__all__ = ["Left", "Ported", "port", "port_expression"]
