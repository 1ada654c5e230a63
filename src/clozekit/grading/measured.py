"""What a call of torch costs, held against what the same call costs the solution.

    check("attend", q, k, v, cache, like=(q, keys, values), measured=True)

    worker    answers, and counts                                                       Counts(flops=8448, read_bytes=…)
    tester    has the solution answer all questions of the test up to this one, and counts the last    Counts(flops=8448, …)

Each threshold of the exercise says how many times the solution's cost is allowed. Both are counted by the same meter on tensors
of the same sizes, so that neither a machine nor a version of torch moves the bar.

The counts are the word of the learner's process: a second lock behind the source rules, like the trace, and not a proof. An
answer has to be right before it is asked what it cost.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from clozekit import calls, values
from clozekit.meters.counts import Counts
from clozekit.report import Growth, Meter, MeterName, Step
from clozekit.worker import Worker

Asked = Sequence[tuple[calls.Request, list[Any]]]  # with the bytes of its tensors
Costs = Mapping[MeterName, float]
Bars = Mapping[MeterName, float]  # what each meter may show at most


class Yardstick:
    """The solution of one exercise. `thresholds`: for each meter, how many times its cost is allowed."""

    def __init__(self, source: str, thresholds: Bars):
        self.source, self.thresholds = source, thresholds
        self.known: dict[bytes, Bars] = {}

    def request(self, call: calls.Call) -> calls.Call:
        """The same call, to be counted. Lines of Python only where they have a threshold: to count them takes time."""
        return msgspec.structs.replace(call, measure=True, count_steps="steps" in self.thresholds, composite=False)

    def bars(self, asked: Asked) -> Bars:
        """What the last of these calls may cost whoever answered those before it."""
        key = _fingerprint(asked)
        if key not in self.known:
            costs = spent(*self._count(asked))
            self.known[key] = {
                name: ratio if math.isinf(ratio) else ratio * costs[name]
                for name, ratio in self.thresholds.items()
                if name in costs
            }
        return self.known[key]

    def _count(self, asked: Asked) -> tuple[Counts, int]:
        """The solution is the author's own code, so that it runs in this process, the way a submission runs in another."""
        worker = Worker()
        worker.load(calls.Load(0, self.source, "solution.py"))
        for request, buffers in asked:
            payload = bytearray().join(bytes(buffer) for buffer in buffers)
            reply = worker.answer(request, values.Reader(payload, worker.held, strided=True), [])
        assert isinstance(reply, calls.Returned)
        assert reply.cost is not None
        return reply.cost, reply.steps


def spent(counts: Counts, steps: int) -> Costs:
    """All costs of one call."""
    return {
        "flops": counts.flops,
        "bytes": counts.bytes,
        "peak_bytes": counts.peak_bytes,
        "operators": sum(counts.operators.values()),
        "steps": steps,
    }


def meters(costs: Costs, bars: Bars) -> dict[MeterName, Meter]:
    """Each cost that has a bar."""
    return {
        name: Meter(name, costs[name], bar, "passed" if costs[name] <= bar else "failed") for name, bar in bars.items()
    }


def nearest(found: Iterable[Meter]) -> list[Meter]:
    """Of each meter the one that comes nearest to its bar, or is farthest above; of those without a bar the largest."""
    kept: dict[MeterName, Meter] = {}
    for meter in sorted(found, key=lambda meter: (meter.share, meter.value)):
        kept[meter.name] = meter
    return list(kept.values())


def growths(found: Iterable[tuple[str, Meter]]) -> list[Growth]:
    """Of each meter the dearest call of every test that has one. In one size nothing grows, nor where every bar is infinite."""
    steps: dict[MeterName, dict[str, Step]] = {}
    for test, meter in sorted(found, key=lambda each: (each[1].bar, each[1].value)):
        steps.setdefault(meter.name, {})[test] = Step(test, meter.value, meter.bar)
    grown = {name: sorted(known.values(), key=lambda step: step.bar) for name, known in steps.items()}
    return [Growth(name, known) for name, known in grown.items() if known[0].bar < known[-1].bar]


def _fingerprint(asked: Asked) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for request, buffers in asked:
        digest.update(msgspec.msgpack.encode(request))
        for buffer in buffers:
            digest.update(buffer)
    return digest.digest()
