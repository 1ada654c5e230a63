"""The measuring loop, on a device whose clock the test sets."""

import itertools
import random
from dataclasses import dataclass, field

import pytest

from clozekit.bench.measure import DISCARDS, SHORT, Race
from clozekit.bench.pace import Pace
from clozekit.bench.sign_test import LOOKS
from clozekit.report import Problem

COMMON = 1e-3  # seconds of a launch of the reference


@dataclass
class Stub:
    """A device on which a launch takes what its contestant says, times what the machine makes of it."""

    noise: object = field(default_factory=lambda: itertools.repeat(1.0))
    paces: object = field(default_factory=lambda: itertools.repeat(None))
    log: list = field(default_factory=list)
    name: str = "stub"
    resolution: float = 0.0
    now: float = 0.0

    def synchronise(self):
        self.log.append("synchronise")

    def flush_cache(self):
        self.log.append("flush")

    def timer(self, prepare, launch, repeats):
        self.log.append(f"timer {repeats}")

        def seconds():
            prepare()
            self.flush_cache()
            launch()
            taken = launch.__self__.seconds() * next(self.noise)
            self.now += taken * repeats
            return taken

        return seconds

    def pace(self):
        return next(self.paces)


@dataclass
class Kernel:
    """Takes so many seconds, and answers with what it was given last, doubled."""

    device: Stub
    name: str
    times: object
    given: list = field(default_factory=list)
    wrong_from: float = float("inf")  # the launch from which on it computes no more
    launches: int = 0
    result: object = None

    def seconds(self):
        return next(self.times)

    def give(self, inputs):
        self.given.append(inputs)

    def clear(self):
        self.device.log.append(f"clear {self.name}")
        self.result = None

    def launch(self):
        self.device.log.append(f"launch {self.name}")
        self.launches += 1
        if self.launches < self.wrong_from:
            self.result = 2 * self.given[-1]

    def answer(self):
        return self.result


def differ(yours, theirs):
    return None if yours == theirs else Problem("speed-answer", {"yours": str(yours), "expected": str(theirs)})


def race(candidate, device=None, threshold=1.25, seed=0, **options):
    """A race with a candidate that takes such times."""
    device = device or Stub()
    values = itertools.count()
    times = itertools.repeat(candidate) if isinstance(candidate, float) else candidate
    return Race(
        device,
        Kernel(device, "R", itertools.repeat(COMMON)),
        Kernel(device, "C", times),
        draw=lambda: next(values),
        differ=differ,
        threshold=threshold,
        coin=random.Random(seed),
        clock=lambda: device.now,
        **options,
    )


@pytest.mark.parametrize(
    ("share", "verdict", "why", "runs"),
    [(0.95, "passed", None, 1), (1.05, "failed", "speed-slow", 2), (1.0, "undecided", "speed-close", 1)],
)
def test_the_verdict(share, verdict, why, runs):
    running = race(share * 1.25 * COMMON)
    measured = running.measure()
    assert (measured.verdict, measured.why and measured.why.kind) == (verdict, why)
    assert len(running.runs) == runs
    assert measured.ratio == pytest.approx(share * 1.25)
    assert measured.low == measured.high == measured.ratio
    assert measured.reference_us == pytest.approx(1000)
    assert measured.candidate_us == pytest.approx(share * 1250)
    assert measured.pairs == 2 * (LOOKS[-1] if verdict == "undecided" else LOOKS[0])


def test_slow_once_is_not_failed():
    """Somebody else had the device for the whole of the first run, whenever it was the candidate's turn."""
    first = 67 + 2 * LOOKS[0]  # its launches until then: 0.2 s of warming up, at 3 ms a pair, and two a block
    times = itertools.chain([2 * COMMON] * first, itertools.repeat(COMMON))
    measured = race(times).measure()
    assert (measured.verdict, measured.why.kind) == ("undecided", "speed-unconfirmed")


def test_each_launch_finds_other_buffers_and_a_cold_cache():
    device = Stub()
    race(COMMON, device).measure()
    before = [device.log[i - 2 : i] for i, line in enumerate(device.log) if line.startswith("launch")]
    names = [line.split()[1] for line in device.log if line.startswith("launch")]
    assert before == [[f"clear {name}", "flush"] for name in names]


def test_each_pair_has_inputs_of_its_own_and_both_get_them():
    running = race(COMMON)
    running.measure()
    assert running.reference.given == running.candidate.given
    assert len(set(running.reference.given)) == running.reference.launches == running.candidate.launches


def test_both_orders_are_run_and_the_coin_chooses():
    device = Stub()
    race(1.25 * COMMON, device).measure()
    names = "".join(line.split()[1] for line in device.log if line.startswith("launch"))[-4 * LOOKS[-1] :]
    blocks = [names[i : i + 4] for i in range(0, len(names), 4)]
    assert set(blocks) == {"RCCR", "CRRC"}
    other = Stub()
    race(1.25 * COMMON, other, seed=1).measure()
    assert other.log != device.log


@pytest.mark.parametrize("launch", [1, 30, 100 + 3])
def test_an_answer_that_is_wrong_while_it_is_timed_fails(launch):
    running = race(0.5 * COMMON)
    running.candidate.wrong_from = launch
    measured = running.measure()
    assert measured.verdict == "failed"
    assert measured.why == Problem("speed-answer", {"yours": "None", "expected": str(2 * (launch - 1))})


def test_the_answer_of_the_other_cannot_be_copied():
    """It is not there when the candidate is first, which it is in one pair of two."""
    running = race(0.5 * COMMON)

    class Thief(Kernel):
        def launch(self):
            self.result = running.reference.result

    running.candidate = Thief(running.device, "C", itertools.repeat(0.5 * COMMON))
    measured = running.measure()
    assert (measured.verdict, measured.why.kind) == ("failed", "speed-answer")


def test_what_is_measured_while_throttled_does_not_count():
    """The candidate looks slow in the first blocks, and the device says why."""
    paces = itertools.chain([Pace(1400, 1980, "heat")] * 20, itertools.repeat(Pace(1900, 1980)))
    times = itertools.chain([9 * COMMON] * (20 + 2 * 20), itertools.repeat(COMMON))
    measured = race(times, Stub(paces=paces)).measure()
    assert measured.verdict == "passed"
    assert measured.ratio == 1.0


def test_a_device_that_stays_throttled_decides_nothing():
    device = Stub(paces=itertools.repeat(Pace(1400, 1980, "heat")))
    measured = race(9 * COMMON, device).measure()
    assert measured.verdict == "undecided"
    assert measured.why == Problem("speed-throttled", {"mhz": "1400", "full": "1980", "reason": "heat"})
    assert measured.pairs == 0
    assert sum(line.startswith("launch C") for line in device.log) >= 2 * DISCARDS


def test_when_the_time_is_over_nothing_is_decided():
    measured = race(9 * COMMON, seconds=0.25).measure()
    assert measured.verdict == "undecided"
    assert measured.why == Problem("speed-budget", {"seconds": "0.25"})


@pytest.mark.parametrize(("reference", "repeats"), [(SHORT, 1), (SHORT / 2, 4), (5e-6, 64)])
def test_short_launches_are_timed_many_at_once(reference, repeats):
    device = Stub()
    running = race(1.1 * reference, device)
    running.reference.times = itertools.repeat(reference)
    assert running.measure().verdict == "passed"
    assert device.log.count(f"timer {repeats}") == 2


def test_the_resolution_of_the_device_decides_for_nobody():
    measured = race(1.3 * COMMON, Stub(resolution=0.05 * COMMON)).measure()
    assert (measured.verdict, measured.why.kind) == ("undecided", "speed-close")


@pytest.mark.parametrize(("share", "verdict"), [(0.95, "passed"), (1.05, "failed")])
def test_five_percent_on_a_noisy_device(share, verdict):
    """Each launch 1 % off, one in thirty by 15 %, and a device that grows slower all the time."""
    chance = random.Random(5)
    noise = (
        (1 + place * 1e-5) * (1 + chance.gauss(0, 0.01)) * (1.15 if chance.random() < 0.03 else 1)
        for place in itertools.count()
    )
    assert race(share * 1.25 * COMMON, Stub(noise=noise)).measure().verdict == verdict
