"""@triton.heuristics for block and warps, the strides as tl.constexpr, tl.static_assert, tl.assume, hints."""

import torch
import triton
from triton import language as tl


@triton.heuristics(
    values={
        "BLOCK": lambda args: triton.next_power_of_2(args["COLS"]),
        "num_warps": lambda args: 4 if args["COLS"] <= 2048 else 16,
    }
)
@triton.jit
def kernel(x_ptr, y_ptr, COLS: tl.constexpr, SX0: tl.constexpr, SX1: tl.constexpr, BLOCK: tl.constexpr):
    """One row. All sizes are known when this is compiled."""
    tl.static_assert(BLOCK >= COLS, "a block holds a whole row")
    row = tl.program_id(0).to(tl.int64)
    col = tl.max_contiguous(tl.arange(0, BLOCK), BLOCK)
    if BLOCK == COLS:
        x = tl.load(x_ptr + row * SX0 + col * SX1)
    else:
        x = tl.load(x_ptr + row * SX0 + col * SX1, col < COLS, float("-inf"))
    wide = x.to(tl.float32)
    top = tl.max(wide)
    e = tl.exp(wide - top)
    y = e * (1.0 / tl.sum(e))
    if BLOCK == COLS:
        tl.store(y_ptr + row * COLS + col, y)
    else:
        tl.store(y_ptr + row * COLS + col, y, col < COLS)


def softmax(x):
    assert x.ndim == 2, f"expected a matrix, got {x.ndim} axes"
    y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    kernel[(x.size(0),)](x, y, COLS=x.size(1), SX0=x.stride(0), SX1=x.stride(1))
    return y
