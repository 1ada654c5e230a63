"""What it costs to confine a worker: from the fork of a process like the zygote to where the learner's code could run.

    python benchmarks/sandbox.py [ROUNDS]

Tiers take turns, so that they see the same machine, with a bare fork between them. C enters limits only. The time until
the process is gone is what the machine pays in all.
"""

import gc
import os
import signal
import statistics
import sys
import tempfile
import time

from clozekit.protocol import Layers, Limits
from clozekit.sandbox import Prepared, enter, grants, namespaces, prepare, probe

TIERS = {"C": Layers(), "B": Layers(landlock=True, seccomp=True), "A": Layers(True, True, True)}


def main(rounds: int) -> None:
    began = time.perf_counter()
    found = probe.find()
    print(f"probe {1e3 * (time.perf_counter() - began):.1f} ms: this machine has tier {found.layers.tier}")
    tiers = [tier for tier in TIERS if tier >= found.layers.tier]
    if "A" in tiers:
        namespaces.nest()
    import torch

    from clozekit.worker import Worker  # noqa: F401  (what a zygote has imported)

    torch.set_num_threads(1)
    gc.collect()
    gc.freeze()
    readable = grants.readable()
    times: dict[str, list[list[float]]] = {tier: [] for tier in ["fork", *tiers]}
    with tempfile.TemporaryDirectory() as scratch:
        os.mkdir(f"{scratch}/a")
        prepared = {tier: prepare(TIERS[tier], scratch, readable) for tier in tiers}
        for _ in range(rounds):
            times["fork"].append(measure(None, scratch))
            for tier in tiers:
                times[tier].append(measure(prepared[tier], f"{scratch}/a"))
    medians = {
        name: [1e3 * statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in times.items()
    }
    for name, (forked, entered, runs, gone) in medians.items():
        print(
            f"{name:4}  fork {forked:4.1f} ms   enter {entered:4.1f} ms   "
            f"could run after {runs:5.1f} ms   is gone after {gone:5.1f} ms"
        )


def measure(prepared: Prepared | None, scratch: str) -> list[float]:
    """Seconds until the child runs, until it is confined after that; in all; and until it is gone."""
    read, write = os.pipe()
    began = time.perf_counter()
    guard = 0
    if prepared and prepared.layers.namespaces:
        pid, guard = namespaces.fork()
    else:
        pid = os.fork()
    if pid == 0:
        forked = time.perf_counter()
        if prepared:
            enter(prepared, Limits(), scratch)
        os.write(write, f"{forked} {time.perf_counter()}".encode())
        os._exit(0)
    os.close(write)
    forked, entered = map(float, os.read(read, 100).split())
    os.close(read)
    os.waitpid(pid, 0)
    if guard:
        os.kill(guard, signal.SIGKILL)
        os.waitpid(guard, 0)
    return [forked - began, entered - forked, entered - began, time.perf_counter() - began]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
