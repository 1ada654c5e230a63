"""What a program loads again is told apart from what it loads once."""

import linecache
import types

import pytest
import torch

from clozekit.kernels import interpret
from clozekit.meters.kernel import KernelMeter, united

HEAD = "import triton\nimport triton.language as tl\n"


@pytest.fixture
def kernel():
    """kernel(body): a kernel of one row per program, from its body."""
    interpret.install()

    def make(body):
        lines = "".join(f"    {line}\n" for line in body)
        source = (
            f"{HEAD}\n\n@triton.jit\ndef kernel(y, x, n, BLOCK: tl.constexpr):\n    row = tl.program_id(0)\n{lines}"
        )
        linecache.cache["again.py"] = (len(source), None, source.splitlines(True), "again.py")
        module = types.ModuleType("again")
        exec(compile(source, "again.py", "exec"), vars(module))
        return module.kernel

    yield make
    linecache.cache.pop("again.py", None)
    interpret.uninstall()


def measured(kernel, whole=True):
    x, y = torch.ones(64, 256), torch.empty(64, 256)
    with KernelMeter(whole=whole) as meter:
        kernel[(64,)](y, x, 256, BLOCK=256)
    return meter.launches[0]


LOAD = "a = tl.load(x + row * n + tl.arange(0, BLOCK))"
SECTORS = 64 * 256 * 4 // 32


@pytest.mark.parametrize("whole", [True, False])
def test_a_second_pass_loads_nothing_new(kernel, whole):
    launch = measured(
        kernel([LOAD, LOAD.replace("a =", "b ="), "tl.store(y + row * n + tl.arange(0, BLOCK), a + b)"]), whole
    )
    assert launch.load_sectors == 2 * SECTORS
    assert launch.own_sectors == SECTORS
    assert launch.sectors == 3 * SECTORS


def test_what_other_programs_load_too_is_each_ones_own(kernel):
    launch = measured(
        kernel(["a = tl.load(x + tl.arange(0, BLOCK))", "tl.store(y + row * n + tl.arange(0, BLOCK), a)"])
    )
    assert launch.load_sectors == launch.own_sectors == SECTORS
    assert launch.unique_load_bytes == 256 * 4


def test_a_column_touches_a_sector_for_each_element(kernel):
    strided = kernel(["at = tl.arange(0, 64) * n + row", "tl.store(y + at, tl.load(x + at))"])
    launch = measured(strided)
    assert launch.load_sectors == launch.own_sectors == 64 * 64


@pytest.mark.parametrize(
    ("runs", "many"),
    [
        ([], 0),
        ([[[0], [3]]], 4),
        ([[[0], [3]], [[2], [5]]], 6),  # overlapping
        ([[[0], [9]], [[2], [3]]], 10),  # one within the other
        ([[[4], [5]], [[0], [1]]], 4),  # apart, in any order
        ([[[0, 8], [1, 9]], [[1, 9], [2, 9]]], 5),
    ],
)
def test_runs_are_united(runs, many):
    assert united([torch.tensor(each).numpy() for each in runs]) == many
