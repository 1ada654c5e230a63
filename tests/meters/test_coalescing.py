"""Of what warps ask for, how much they use: layouts as the compiler chose them, joined with addresses."""

import pytest

from clozekit.meters import coalescing
from clozekit.meters.blank import blank
from clozekit.meters.measuring import call

KERNELS = """
@triton.jit
def by_rows(y, x, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * n + tl.arange(0, BLOCK)
    tl.store(y + at, tl.load(x + at))

@triton.jit
def by_columns(y, x, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK) * n + tl.program_id(0)
    tl.store(y + at, tl.load(x + at))

@triton.jit
def by_tiles(y, x, n, BLOCK: tl.constexpr):
    row, col = tl.program_id(0) * 32 + tl.arange(0, 32), tl.arange(0, 64)
    at = row[:, None] * n + col[None, :]
    tl.store(y + at, tl.load(x + at) + tl.load(x + col)[None, :])

def rows(y, x):
    by_rows[(4,)](y, x, 1024, BLOCK=1024)

def columns(y, x):
    by_columns[(4,)](y, x, 1024, BLOCK=1024)

def tiles(y, x):
    by_tiles[(4,)](y, x, 1024, BLOCK=1)
"""


@pytest.mark.parametrize(
    ("name", "dtype", "expected"),
    [
        ("rows", "float32", 1.0),
        ("rows", "float16", 1.0),
        ("columns", "float32", 4 / 32),
        ("columns", "float16", 2 / 32),
        ("tiles", "float16", 1.0),
    ],
)
def test_the_share_of_each_sector_that_a_warp_uses(name, dtype, expected, load):
    x = blank(dtype, [1024, 1024])
    launches, _ = call(vars(load(KERNELS))[name], [x, x], {}, {"sm_90": 87})
    assert launches[0].compiled["sm_90"].coalescing == pytest.approx(expected, abs=1e-3)


TTGIR = """\
#blocked = #ttg.blocked<{sizePerThread = [1, 4], threadsPerWarp = [4, 8], warpsPerCTA = [2, 1], order = [1, 0]}>
#loc = loc("file.py":3:0)
%a = tt.load %p : tensor<8x32x!tt.ptr<f32>, #blocked> loc(#loc2)
%b = tt.load %q : tensor<32x!tt.ptr<f32>, #ttg.slice<{dim = 0, parent = #blocked}>> loc(#loc3)
tt.store %p, %a : tensor<8x32x!tt.ptr<f32>, #other> loc(#loc2)
#loc1 = loc("file.py":7:12)
#loc2 = loc("x"(#loc1))
#loc3 = loc(callsite(#loc4 at #loc1))
#loc4 = loc("file.py":9:1)
"""


def test_layouts_are_read_from_the_compilers_text():
    """One that is not known is left out; of a slice the axis that is gone has no threads."""
    assert coalescing.layouts(TTGIR) == [
        coalescing.Layout("load", 7, (8, 32), (1, 4), (4, 8), (2, 1), (1, 0)),
        coalescing.Layout("load", 9, (32,), (4,), (8,), (1,), (0,)),
    ]


def test_without_an_access_that_is_known_nothing_is_said():
    assert coalescing.share(coalescing.layouts(TTGIR), {}) == 0.0
