"""What the figures were measured on and with."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from benchmarks.processes import line_of, processors

LIBRARIES = ("numpy", "torch", "onnxruntime", "jax", "keras")

BLAS = """
import json, numpy, threadpoolctl
numpy.zeros((2, 2)) @ numpy.zeros((2, 2))
pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
names = [f"{p['internal_api']} {p['version']}, kernels for {p['architecture']}" for p in pools]
print(json.dumps("; ".join(names)))
"""


def machine() -> dict[str, str | int]:
    """Return the processor and the system."""
    return {
        "cpu": cpu(),
        "cores": processors(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def load_average() -> float:
    """Return how many processes have been running in the last minute; 0 on Windows."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def cpu() -> str:
    """Return the processor's name; on Linux with its family and model, if it says them."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = dict(re.findall(r"^(model name|cpu family|model)\s*:\s*(.+)$", text, re.M))
    if "model name" not in found:
        return platform.machine()
    words = [found["model name"]]
    words += [
        f"{key.split()[-1]} {found[key]}" for key in ("cpu family", "model") if key in found
    ]
    return ", ".join(words)


def versions() -> dict[str, str]:
    """Return the versions of Python, of NumPy's BLAS and of the libraries that are there."""
    found = {"Python": platform.python_version(), "BLAS": line_of("-c", BLAS)}
    return found | {name: version(name) for name in LIBRARIES if find_spec(name) is not None}
