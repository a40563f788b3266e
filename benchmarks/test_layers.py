"""The layers beside their peers': a group holds one case, in one run on one thread."""

from __future__ import annotations

from benchmarks.peers import peers_of


def test_layer_of_each_peer(benchmark, case, peer):
    benchmark.group = str(case)
    benchmark(peers_of(case, 1, [peer])[peer])
