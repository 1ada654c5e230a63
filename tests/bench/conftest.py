"""A bench machine that is made of Triton's interpreter: compiled code is the source, a launch takes as long as its bytes."""

import hashlib
import linecache
import random
import textwrap
import types
from collections.abc import Iterator

import pytest
import torch

from clozekit import values
from clozekit.bench.job import Compare, Entry, Kernel
from clozekit.bench.process import Machine
from clozekit.kernels import alone, interpret, plan
from clozekit.kernels.record import Recorder
from clozekit.kernels.replay import Meter

HEAD = "import torch, triton\nimport triton.language as tl\n"
BANDWIDTH = 1e5  # bytes a second; so slow that a few launches warm it up


@pytest.fixture
def interpreted() -> Iterator[None]:
    interpret.forget()
    interpret.install()
    yield
    interpret.watchers.clear()
    interpret.uninstall()


class Interpreter:
    """A launcher whose kernels come as source."""

    def bind(self, step, compiled, memory):
        _, code = compiled
        memory.kernels = alone.load(code.decode(), f"{hashlib.sha1(code).hexdigest()}.py")
        return lambda: memory.do(step)

    def wait(self):
        pass


class ByBytes:
    """A device with a stub clock: a launch takes the time of its loads and stores, more or less."""

    name, resolution = "interpreter", 0.0

    def __init__(self, noise=0.01):
        self.chance, self.noise = random.Random(0), noise

    def synchronise(self):
        pass

    def flush_cache(self):
        pass

    def pace(self):
        return None

    def timer(self, prepare, launch, repeats):
        def seconds():
            prepare()
            with Meter() as meter:
                launch()
            counts = meter.counts()
            moved = counts.load_bytes + counts.store_bytes
            return moved / BANDWIDTH * (1 + self.chance.gauss(0, self.noise))

        return seconds


@pytest.fixture
def machine(interpreted) -> Machine:
    return Machine(ByBytes(), Interpreter(), "cpu")


def entry(source: str, inputs: list[torch.Tensor]) -> tuple[Entry, bytes]:
    """What a worker would hand over of f(*inputs), as far as the interpreter needs it."""
    source = HEAD + textwrap.dedent(source).lstrip("\n")
    linecache.cache["submission.py"] = (len(source), None, source.splitlines(True), "submission.py")
    module = types.ModuleType("submission")
    exec(compile(source, "submission.py", "exec", dont_inherit=True), vars(module))
    with Recorder("submission.py", inputs) as recorder, torch.no_grad():
        script = recorder.finish(module.f(*inputs))
    launches = [step for step in script.steps if isinstance(step, plan.Launch)]
    code = source.encode()
    return Entry(script, [Kernel("kernel", len(code), {})], [0] * len(launches)), code


@pytest.fixture
def compare(interpreted):
    """compare(reference, candidate, inputs): the request, and its buffers."""

    def make(reference: str, candidate: str, inputs: list[torch.Tensor], **options):
        buffers: list = []
        arrays = [values.encode(each, buffers, strided=True) for each in inputs]
        (ours, one), (theirs, two) = entry(reference, inputs), entry(candidate, inputs)
        options = {"threshold": 1.25, "slack": [1e-6], "seconds": 60.0} | options
        return Compare(ours, theirs, arrays, **options), [*buffers, one, two]

    return make
