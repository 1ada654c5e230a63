"""A function makes the kernel, which encloses its settings; a constant from torch.finfo; prints left in the host."""

import torch
import triton
import triton.language as tl

LOWEST = tl.constexpr(torch.finfo(torch.float32).min)


def make_kernel(scale):
    factor = tl.constexpr(scale)

    @triton.jit
    def kernel(x_ptr, y_ptr, row_stride, col_stride, n, BLOCK: tl.constexpr):
        row = tl.program_id(0)
        col = tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * row_stride + col * col_stride, mask=col < n, other=-float("inf")).to(tl.float32) * factor
        e = tl.exp2(x - tl.maximum(tl.max(x, 0), LOWEST))
        tl.store(y_ptr + row * n + col, divide(e, tl.sum(e, 0)), mask=col < n)

    return kernel


@triton.jit
def divide(a, b):
    return a / b


softmax_kernel = make_kernel(1.4426950408889634)


def softmax(x):
    print("softmax of", x.shape, x)
    rows, n = x.shape
    y = torch.empty((rows, n), dtype=x.dtype, device=x.device)
    softmax_kernel[(rows,)](x, y, *x.stride(), n, BLOCK=triton.next_power_of_2(n))
    print(f"first row: {y[0]}")
    return y
