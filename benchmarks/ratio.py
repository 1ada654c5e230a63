"""Speed judged on this processor: two ways to write RMSNorm and softmax, beside each other; and how often the test errs.

    python benchmarks/ratio.py [SECONDS]

The first table is measured here. The second one is exact for a vote that is slow with some probability (1/2: a candidate at its
bar), and simulated for a machine whose clock drifts, that grows warmer, and disturbs one launch in thirty.
"""

import itertools
import math
import random
import sys
import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from clozekit.bench.answers import differ
from clozekit.bench.cpu import Cpu, Function
from clozekit.bench.measure import Race
from clozekit.bench.sign_test import LOOKS, Run, chances, toss

RUNS = 400
SHARES = (0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.1)  # of the bar


def rms_norm(x: Tensor) -> Tensor:
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)


def rms_norm_again(x: Tensor) -> Tensor:
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-6)


def rms_norm_by_row(x: Tensor) -> Tensor:
    return torch.stack([row * torch.rsqrt(row.square().mean() + 1e-6) for row in x])


def softmax(x: Tensor) -> Tensor:
    return torch.softmax(x, -1)


def softmax_by_hand(x: Tensor) -> Tensor:
    weight = torch.exp(x - x.amax(-1, keepdim=True))
    return weight / weight.sum(-1, keepdim=True)


RACES: list[tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor], float]] = [
    (rms_norm, rms_norm, 1.1),
    (rms_norm, rms_norm_again, 1.5),
    (rms_norm, rms_norm_by_row, 1.5),
    (softmax, softmax_by_hand, 1.5),
]


def main(seconds: float) -> None:
    draw = torch.Generator().manual_seed(0)
    print(
        f"{'reference':12} {'candidate':16} bar   verdict     ratio (interval)        pairs  reference  candidate  took"
    )
    with Cpu() as device:
        for reference, candidate, threshold in RACES:
            began = time.perf_counter()
            found = Race(
                device,
                Function(reference),
                Function(candidate),
                draw=lambda: [torch.randn(512, 1024, generator=draw)],
                differ=lambda yours, theirs: differ(yours, theirs, [1e-5]),
                threshold=threshold,
                seconds=seconds,
            ).measure()
            times = f"{found.reference_us:6.0f} µs  {found.candidate_us:6.0f} µs"
            print(
                f"{reference.__name__:12} {candidate.__name__:16} {threshold:<5} {found.verdict:11} "
                f"{found.ratio:5.3f} ({found.low:5.3f} – {found.high:5.3f})  {found.pairs:5}  {times}  "
                f"{time.perf_counter() - began:4.1f} s  {found.why.kind if found.why else ''}"
            )
    print(f"\none run of at most {LOOKS[-1]} blocks, exactly:\nslow votes      passed     failed  undecided")
    for percent in (50, 40, 30, 20, 10, 5):
        ended = chances(Fraction(percent, 100))
        print(f"{percent:8} %   " + "  ".join(f"{float(ended[verdict]):9.2e}" for verdict in ended))
    print(f"at the bar two runs in a row fail with {float(chances(Fraction(1, 2))['failed'] ** 2):.1e}")
    print(f"\n{RUNS} runs on a machine that drifts:\ntime / bar   passed  failed  undecided   pairs (mean)")
    for share in SHARES:
        runs = [simulated(share, seed) for seed in range(RUNS)]
        shares = [sum(run.verdict == verdict for run in runs) / RUNS for verdict in ("passed", "failed", "undecided")]
        pairs = 2 * np.mean([len(run.times) for run in runs])
        print(f"{share:10.2f}   " + "  ".join(f"{each:6.3f}" for each in shares) + f"      {pairs:7.0f}")


def simulated(share: float, seed: int) -> Run:
    """A run with a candidate at this share of its bar."""
    coin, slower, run = random.Random(seed), machine(np.random.default_rng(seed)), Run(1.25)
    for block in itertools.count():
        if run.verdict:
            return run
        taken = dict.fromkeys("RC", math.inf)
        for place, who in enumerate(toss(coin)):
            taken[who] = min(taken[who], slower[4 * block + place] * (share * 1.25 if who == "C" else 1.0))
        run.add(taken["R"], taken["C"])
    raise AssertionError


def machine(rng: np.random.Generator) -> np.ndarray:
    """By what each launch is slower: drift of 1.5 % over 150 launches, a ramp of 2 %, noise of 0.6 %, outliers of 15 %."""
    places = 4 * LOOKS[-1]
    keep, log, walk = np.exp(-1 / 150), rng.normal(0, 0.015), []
    for step in rng.normal(0, 0.015 * np.sqrt(1 - np.exp(-2 / 150)), places):
        log = keep * log + step
        walk.append(log)
    spikes = (rng.random(places) < 0.03) * rng.exponential(0.15, places)
    return np.exp(np.array(walk) + 0.02 * np.arange(places) / places + rng.normal(0, 0.006, places) + spikes)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
