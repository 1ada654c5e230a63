"""One kernel for the maximum, one for the sum, one for the quotient: x is read three times.

Verdict: failed
"""

import torch
import triton
import triton.language as tl


@triton.jit
def max_kernel(m_ptr, x_ptr, rs, cs, cols, BLOCK: tl.constexpr):
    row, col = tl.program_id(0), tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * rs + col * cs, mask=col < cols, other=-float("inf")).to(tl.float32)
    tl.store(m_ptr + row, tl.max(x, axis=0))


@triton.jit
def sum_kernel(s_ptr, m_ptr, x_ptr, rs, cs, cols, BLOCK: tl.constexpr):
    row, col = tl.program_id(0), tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * rs + col * cs, mask=col < cols, other=-float("inf")).to(tl.float32)
    tl.store(s_ptr + row, tl.sum(tl.exp(x - tl.load(m_ptr + row)), axis=0))


@triton.jit
def div_kernel(y_ptr, s_ptr, m_ptr, x_ptr, rs, cs, cols, BLOCK: tl.constexpr):
    row, col = tl.program_id(0), tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * rs + col * cs, mask=col < cols, other=-float("inf")).to(tl.float32)
    y = tl.exp(x - tl.load(m_ptr + row)) / tl.load(s_ptr + row)
    tl.store(y_ptr + row * cols + col, y, mask=col < cols)


def softmax(x):
    rows, cols = x.shape
    BLOCK = triton.next_power_of_2(cols)
    y, m, s = torch.empty((rows, cols), dtype=x.dtype), torch.empty(rows), torch.empty(rows)
    max_kernel[(rows,)](m, x, x.stride(0), x.stride(1), cols, BLOCK=BLOCK)
    sum_kernel[(rows,)](s, m, x, x.stride(0), x.stride(1), cols, BLOCK=BLOCK)
    div_kernel[(rows,)](y, s, m, x, x.stride(0), x.stride(1), cols, BLOCK=BLOCK)
    return y
