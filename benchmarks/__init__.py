"""Benchmarks beside torch: ``pytest benchmarks`` for all figures, this for the ratios."""
