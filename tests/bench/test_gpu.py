"""The whole path on a CUDA device: real code, real events and graphs, a driver that has its own mind."""

import pytest
import torch
import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from clozekit import values
from clozekit.bench import ask
from clozekit.bench.compiled import kernel_of
from clozekit.bench.cuda import Cuda
from clozekit.bench.job import Compare, Entry
from clozekit.kernels.plan import Allocate, Function, Launch, Plan, View

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
BLOCK = 1024


@triton.jit
def doubled(y_ptr, x_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + i, 2.0 * tl.load(x_ptr + i, mask=i < n), mask=i < n)


def entry(n: int, launches: int) -> tuple[Entry, bytes]:
    signature = {"y_ptr": "*fp32", "x_ptr": "*fp32", "n": "i32", "BLOCK": "constexpr"}
    source = ASTSource(doubled, signature=signature, constexprs={(3,): BLOCK})
    major, minor = torch.cuda.get_device_capability()
    kernel, code = kernel_of(triton.compile(source, target=GPUTarget("cuda", 10 * major + minor, 32)))
    x, y = (View(buffer, "float32", 0, [n], [1]) for buffer in (0, 1))
    step = Launch(Function("doubled", 1), [triton.cdiv(n, BLOCK), 1, 1], {"y_ptr": y, "x_ptr": x, "n": n})
    return Entry(Plan([Allocate(4 * n), *[step] * launches], y), [kernel], [0] * launches), code


def measured(n: int, launches: int, threshold: float):
    (reference, one), (candidate, two) = entry(n, 1), entry(n, launches)
    buffers: list = []
    inputs = [values.encode(torch.rand(n), buffers, strided=True)]
    return ask.measured(Compare(reference, candidate, inputs, [1e-5], threshold), [*buffers, one, two])


@pytest.mark.parametrize("n", [1 << 24, 1 << 10])
def test_a_kernel_beside_itself(n):
    """64 MB, one launch at a time; and 4 kB, which takes the device less time than a launch takes the host."""
    found = measured(n, launches=1, threshold=1.25)
    assert (found.verdict, found.why) == ("passed", None)
    assert found.low <= 1.0 <= found.high or abs(found.ratio - 1) < 0.02


@pytest.mark.parametrize("n", [1 << 24, 1 << 10])
def test_twice_the_work_is_failed(n):
    found = measured(n, launches=2, threshold=1.25)
    assert (found.verdict, found.why.kind) == ("failed", "bench-slow")


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
