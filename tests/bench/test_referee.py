"""From a contest to what came of it: workers are real, how long they take is the word of a stub."""

import random

import pytest
import torch

from clozekit import blanks
from clozekit.bench import process, referee
from clozekit.catalog import builtin_root
from clozekit.errors import CannotCheck
from clozekit.exercise import Exercise
from clozekit.kernels import alone
from clozekit.meters.callstring import parse
from clozekit.protocol import Contest, Limits

SOFTMAX = Exercise(builtin_root(), "triton/fused_softmax")


@pytest.fixture
def contest(rms_norm):
    """contest(call, source=..., exercise=...): the submission beside the solution, which it is unless given."""

    def contest(call, source="", exercise=rms_norm, threshold=1.25):
        solution, grader = blanks.reveal(exercise.solution), str(exercise.grader_path)
        device = "cuda" if exercise is SOFTMAX else "cpu"
        source = source or solution
        return Contest(parse(call), source, "answer.py", solution, grader, device, threshold, Limits(), seconds=600)

    return contest


@pytest.fixture
def spawn(engine):
    return lambda: engine.spawn_worker(Limits())


class Stub:
    """A device on which the submission takes `share` times as long as the solution."""

    name, resolution = "stub", 0.0

    def __init__(self, share):
        self.share, self.chance = share, random.Random(0)

    def synchronise(self):
        pass

    def flush_cache(self):
        pass

    def pace(self):
        return None

    def timer(self, prepare, launch, repeats):
        own = 0.1 * (self.share if launch.__self__.candidate.name == "answer.py" else 1.0)

        def seconds():
            prepare()
            launch()
            return own * (1 + self.chance.gauss(0, 0.01))

        return seconds


CALL = "rms_norm(float32[4, 8], float32[8], eps=0.5)"


@pytest.mark.parametrize(("share", "verdict"), [(1.0, "passed"), (1.5, "failed")])
def test_torch_is_timed_in_two_workers(share, verdict, contest, spawn):
    found = referee.on_processor(contest(CALL), spawn, Stub(share), clock=lambda: 0.0)
    assert found.verdict == verdict
    assert found.ratio == pytest.approx(share, rel=0.05)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("def rms_norm(x, weight, eps=1e-6):\n    return x * weight", "speed-answer"),
        ("def rms_norm(x, weight, eps=1e-6):\n    return None", "speed-answer"),
        ("def rms_norm(x, weight):\n    return x", "raised"),
        ("def rms(x):\n    return x", "missing"),
    ],
)
def test_an_answer_that_is_none_is_failed(source, why, contest, spawn):
    """The keyword arguments of the call are passed as well: eps is not the default."""
    found = referee.on_processor(contest(CALL, source), spawn, Stub(1.0), clock=lambda: 0.0)
    assert (found.verdict, found.why.kind) == ("failed", why)


def test_a_call_that_the_grader_knows_nothing_of(contest, spawn):
    with pytest.raises(CannotCheck, match=r"no @reference\('norm'\) in test_rms_norm.py"):
        referee.on_processor(contest("norm(float32[4])"), spawn, Stub(1.0))


class ByName:
    """A launcher that goes by the names of kernels; their source it has from us."""

    def __init__(self, **sources):
        self.sources = sources

    def bind(self, step, compiled, memory):
        kernel, code = compiled
        assert b".entry" in code  # PTX, as a device would get it
        memory.kernels = alone.load(self.sources[kernel.name], f"{kernel.name}.py")
        return lambda: memory.do(step)


@pytest.fixture
def on_gpu(contest, spawn, machine):
    """on_gpu(source): what comes of a softmax, called my_kernel, beside ours on the stub of a GPU."""

    def on_gpu(source):
        source = source.replace("softmax_kernel", "my_kernel")
        found = contest("softmax(float32[3, 5])", source, SOFTMAX)
        launcher = ByName(softmax_kernel=found.solution, my_kernel=source)

        def measured(request, buffers):
            payload = bytearray().join(bytes(each) for each in buffers)
            return process.measure(request, payload, machine._replace(launcher=launcher), clock=lambda: 0.0)

        return referee.on_gpu(found, spawn, "sm_80", measured)

    return on_gpu


def test_our_own_kernel_passes(on_gpu):
    found = on_gpu(blanks.reveal(SOFTMAX.solution))
    assert (found.verdict, found.why) == ("passed", None)
    assert found.ratio == pytest.approx(1.0, rel=0.02)


def test_a_kernel_that_reads_twice_is_failed(on_gpu):
    found = on_gpu(SOFTMAX.mistaken(SOFTMAX.mistakes["loads_the_row_again"]))
    assert (found.verdict, found.why.kind) == ("failed", "speed-slow")
    assert found.ratio == pytest.approx(1.5, rel=0.02)


def test_a_kernel_that_is_wrong_is_failed_for_that(on_gpu):
    found = on_gpu(SOFTMAX.mistaken(SOFTMAX.mistakes["forgets_to_normalise"]))
    assert (found.verdict, found.why.kind) == ("failed", "speed-answer")


def test_a_host_that_computes_is_failed_before_anything_is_timed(on_gpu):
    found = on_gpu("import torch\n\ndef softmax(x):\n    return (x * 2).softmax(-1)\n")
    assert (found.verdict, found.why.kind) == ("failed", "host")


def test_without_a_gpu_nothing_is_decided(contest, spawn, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(CannotCheck, match="no CUDA device"):
        referee.measured(contest("softmax(float32[3, 5])", exercise=SOFTMAX), spawn)


def test_what_is_no_float_is_an_index_everywhere():
    (index, columns), _ = parse("f(int64[4], float32[3, 2].T)").filled(
        lambda leaf: referee.drawn(leaf, torch.Generator())
    )
    assert index.tolist() == [0, 0, 0, 0]
    assert (columns.shape, columns.stride()) == ((2, 3), (1, 2))
    assert columns.std() > 0
