"""Benchmarks beside torch, ONNX Runtime and others: see ``python -m benchmarks --help``."""
