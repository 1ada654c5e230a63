"""No decorators: triton.jit called on a plain function, the program's own names for everything."""

import torch
from triton import jit, next_power_of_2
from triton.language import arange, constexpr, exp, float32, load, program_id, store


def row_softmax(source, target, row_step, column_step, length, BLOCK: constexpr):
    i = program_id(0)
    j = arange(0, BLOCK)
    x = load(source + i * row_step + j * column_step, mask=j < length, other=-float("inf")).to(float32)
    e = exp(x - x.max(0))
    store(target + i * length + j, e / e.sum(0), mask=j < length)


kernel = jit(row_softmax)


def softmax(x):
    rows, length = x.shape
    y = torch.empty((rows, length), dtype=x.dtype, device=x.device)
    kernel[(rows,)](x, y, x.stride(0), x.stride(1), length, BLOCK=next_power_of_2(length))
    return y
