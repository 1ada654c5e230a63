"""The whole path on a CUDA device: real code, real events and graphs, a driver that has its own mind."""

import linecache
import types

import pytest
import torch

from clozekit.bench import ask
from clozekit.bench.cuda import Cuda
from clozekit.bench.entry import compare, target_of
from clozekit.grading.tolerance import expect
from clozekit.kernels import alone
from clozekit.kernels.record import Recorder
from clozekit.meters import assembling, measuring

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
SOURCE = """import torch, triton
import triton.language as tl

@triton.jit
def doubled(y_ptr, x_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + i, 2.0 * tl.load(x_ptr + i, mask=i < n), mask=i < n)

def f(x):
    y = torch.empty_like(x)
    for _ in range({launches}):
        doubled[(triton.cdiv(x.numel(), 1024),)](y, x, x.numel(), BLOCK=1024)
    return y
"""


def handed(x: torch.Tensor, launches: int):
    """What workers hand over of f(x)."""
    source, target = SOURCE.format(launches=launches), target_of(torch.cuda.get_device_capability())
    linecache.cache["submission.py"] = (len(source), None, source.splitlines(True), "submission.py")
    module = types.ModuleType("submission")
    exec(compile(source, "submission.py", "exec", dont_inherit=True), vars(module))
    script = measuring.dry(module.f, [x], {}, Recorder("submission.py", [x]))
    kernels = alone.load(source, "submission.py")
    return script, measuring.plan(script, [x], kernels, {target: assembling.ptx_version(target)})


def measured(n: int, launches: int, threshold: float):
    """f beside itself, or beside one that launches its kernel more often than once."""
    x = torch.rand(n)
    target = target_of(torch.cuda.get_device_capability())
    expected = expect(lambda x: 2 * x, [x])
    return ask.measured(*compare(handed(x, 1), handed(x, launches), [x], expected, threshold, target))


def test_a_kernel_beside_itself(interpreted):
    found = measured(1 << 24, launches=1, threshold=1.25)
    assert (found.verdict, found.why) == ("passed", None)
    assert found.low <= 1.0 <= found.high or abs(found.ratio - 1) < 0.02


def test_a_tiny_kernel_beside_itself(interpreted):
    """It takes the device less time than a launch takes the host, and not much more than its clock can tell."""
    found = measured(1 << 10, launches=1, threshold=1.25)
    assert found.verdict in ("passed", "undecided")
    assert found.reference_us < 20


@pytest.mark.parametrize("n", [1 << 24, 1 << 20])
def test_twice_the_work_is_failed(n, interpreted):
    found = measured(n, launches=2, threshold=1.25)
    assert (found.verdict, found.why.kind) == ("failed", "speed-slow")


def test_a_cold_cache_is_slower_than_a_warm_one():
    """In graphs, where no host is in between."""
    device = Cuda(0)
    x = torch.rand(device.around.numel() // 16, device=device.place)  # as floats a quarter of it: half of the cache
    cold = device.timer(lambda: None, lambda: x.mul_(1.0), 8)
    device.flush_cache = lambda: None
    warm = device.timer(lambda: None, lambda: x.mul_(1.0), 8)
    assert min(cold() for _ in range(10)) > 1.1 * min(warm() for _ in range(10))


def test_the_device_tells_its_pace():
    pace = Cuda(0).pace()
    assert 0 < pace.mhz <= pace.full
