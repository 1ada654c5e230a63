"""A fixed number of programs, each walking over every so many-th row; where() for what is beyond the row; empty_like."""

import torch
import triton
import triton.language as tl

PROGRAMS = 4


@triton.jit
def kernel(x_ptr, y_ptr, xs_row, xs_col, ys_row, ys_col, n_rows, n_cols, BLOCK: tl.constexpr):
    columns = tl.arange(0, BLOCK)
    for row in range(tl.program_id(0), n_rows, tl.num_programs(0)):
        x = tl.load(x_ptr + row * xs_row + columns * xs_col, mask=columns < n_cols, other=0.0)
        x = tl.where(columns < n_cols, x.to(tl.float32), -float("inf"))
        numerator = tl.exp(x - tl.max(x, axis=0))
        y = numerator / tl.sum(numerator, axis=0)
        tl.store(y_ptr + row * ys_row + columns * ys_col, y, mask=columns < n_cols)


def softmax(x: torch.Tensor) -> torch.Tensor:
    y = torch.empty_like(x, memory_format=torch.contiguous_format)
    grid = (min(PROGRAMS, x.shape[0]),)
    kernel[grid](x, y, x.stride(0), x.stride(1), y.stride(0), y.stride(1), *x.shape, BLOCK=triton.next_power_of_2(x.shape[1]))
    return y
