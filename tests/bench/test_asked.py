"""A race between functions in workers. How long they take is the device's word here."""

import pytest
import torch

from clozekit.bench.answers import differ
from clozekit.bench.asked import Asked
from clozekit.bench.measure import Race
from clozekit.grading.candidate import Candidate
from clozekit.meters.callstring import parse
from clozekit.protocol import Limits


class Constant:
    """Whoever is called `half` takes half as long."""

    name, resolution = "constant", 0.0

    def synchronise(self):
        pass

    def flush_cache(self):
        pass

    def pace(self):
        return None

    def timer(self, prepare, launch, repeats):
        def seconds():
            prepare()
            launch()
            return 0.05 if launch.__self__.call.target == "half" else 0.1

        return seconds


@pytest.fixture
def race(engine):
    """race(source): what comes of its `half` beside its `whole`."""
    candidates = []

    def run(source: str):
        limits = Limits()
        for _ in range(2):
            candidates.append(Candidate(lambda: engine.spawn_worker(limits), source, "f.py", limits))
        return Race(
            Constant(),
            Asked(candidates[0], parse("whole(float32[2, 3])"), blame="could not check"),
            Asked(candidates[1], parse("half(float32[2, 3])")),
            draw=lambda: [torch.rand(2, 3)],
            differ=lambda yours, theirs: differ(yours, theirs, [1e-6, 0.0]),
            threshold=1.5,
        ).measure()

    yield run
    for each in candidates:
        each.stop()


SOURCE = """
def whole(x):
    return x + x, x.argmax()

def half(x):
    return 2 * x, x.argmax()
"""


def test_answers_go_from_worker_to_judge(race):
    measured = race(SOURCE)
    assert (measured.verdict, measured.ratio, measured.why) == ("passed", 0.5, None)


@pytest.mark.parametrize(
    ("right", "wrong", "verdict", "why"),
    [
        ("2 * x", "2.1 * x", "failed", "speed-answer"),
        ("return 2 * x, x.argmax()", "return 2 * x", "failed", "speed-answer"),
        ("2 * x", "1 / 0", "failed", "raised"),
        ("x + x", "1 / 0", "could not check", "raised"),
    ],
)
def test_what_goes_wrong_in_a_worker(race, right, wrong, verdict, why):
    measured = race(SOURCE.replace(right, wrong))
    assert (measured.verdict, measured.why.kind) == (verdict, why)
