import random

import pytest
import torch
import triton
import triton.language as tl

from clozekit.grading import mistake, reference

# rows, cols, mean, scale, dtype. Each case tells the answer apart from a mistake that resembles it.
CASES = {
    "a power of two": (4, 32, 0, 1, torch.float32),
    "ragged columns": (3, 100, 0, 1, torch.float32),
    "one column": (5, 1, 0, 1, torch.float32),
    "one row": (1, 37, 0, 1, torch.float32),
    "more rows than columns": (40, 3, 0, 1, torch.float32),
    "more columns than 1024": (2, 1500, 0, 1, torch.float32),
    "logits in the thousands": (3, 16, 5e3, 10, torch.float32),
    "logits far below zero": (3, 20, -5e3, 10, torch.float32),
    "logits of minus a million": (3, 20, -1e6, 10, torch.float32),
    "float16": (3, 100, 0, 2, torch.float16),
    "large float16": (3, 16, 3e4, 3e3, torch.float16),
    "bfloat16": (3, 100, 0, 2, torch.bfloat16),
}

# x of another layout than that of the result, [rows, cols] each.
LAYOUTS = {
    "transposed": lambda: torch.randn(7, 4).T,
    "a slice of wider rows": lambda: torch.randn(3, 12)[:, 2:9],
    "every other column": lambda: torch.randn(3, 14)[:, ::2],
    "one value in every column": lambda: torch.randn(3, 1).expand(3, 7),
    "one row for all": lambda: torch.randn(1, 7).expand(3, 7),
}


@pytest.mark.parametrize("case", CASES)
def test_values(check, case):
    rows, cols, mean, scale, dtype = CASES[case]
    check("softmax", (torch.randn(rows, cols) * scale + mean).to(dtype))


def test_some_logits_are_minus_infinity(check):
    check("softmax", torch.randn(4, 7).masked_fill(torch.eye(4, 7).bool(), -torch.inf))


def test_only_the_last_logits_are_finite(check):
    check("softmax", torch.randn(2, 300).index_fill(1, torch.arange(290), -torch.inf))


@pytest.mark.parametrize("case", LAYOUTS)
def test_layout(check, case):
    check("softmax", LAYOUTS[case]())


@pytest.mark.parametrize("call", ["softmax(float32[1024, 1000])", "softmax(bfloat16[512, 8192])"])
def test_costs(check, call):
    check.costs(call)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    wide, tall = (2, 1 + 2 * random.randint(1024, 2000)), (random.randint(65, 80), random.randint(2, 9))
    widest, half = (1, random.randint(16385, 20000)), random.choice([torch.float16, torch.bfloat16])
    for (rows, cols), dtype in ((tall, torch.float32), (wide, half), (widest, torch.float32)):
        step = random.randint(1, 3)
        check("softmax", (2 * torch.randn(rows, step * cols)).to(dtype)[:, ::step])


@reference("softmax", compute=torch.float32)
def definition(x):
    return torch.softmax(x, dim=-1)


@mistake(blank="load_row")
def pads_with_zero(x_ptr, row, row_stride, col, col_stride, inside):
    x = tl.load(x_ptr + row * row_stride + col * col_stride, mask=inside, other=0.0)
    x = x.to(tl.float32)


@mistake(blank="load_row")
def leaves_padding_undefined(x_ptr, row, row_stride, col, col_stride, inside):
    x = tl.load(x_ptr + row * row_stride + col * col_stride, mask=inside)
    x = x.to(tl.float32)


@mistake(blank="load_row")
def loads_without_mask(x_ptr, row, row_stride, col, col_stride):
    x = tl.load(x_ptr + row * row_stride + col * col_stride)
    x = x.to(tl.float32)


@mistake(blank="load_row")
def ignores_strides(x_ptr, row, col, cols, inside):
    x = tl.load(x_ptr + row * cols + col, mask=inside, other=-float("inf"))
    x = x.to(tl.float32)


@mistake(blank="load_row")
def ignores_column_stride(x_ptr, row, row_stride, col, inside):
    x = tl.load(x_ptr + row * row_stride + col, mask=inside, other=-float("inf"))
    x = x.to(tl.float32)


@mistake(blank="normalise")
def loads_the_row_again(x, x_ptr, row, row_stride, col, col_stride, inside):
    weight = tl.exp(x - tl.max(x, axis=0))
    x = tl.load(x_ptr + row * row_stride + col * col_stride, mask=inside, other=-float("inf")).to(tl.float32)
    y = tl.exp(x - tl.max(x, axis=0)) / tl.sum(weight, axis=0)


@mistake(blank="normalise")
def forgets_max(x):
    weight = tl.exp(x)
    y = weight / tl.sum(weight, axis=0)


@mistake(blank="normalise")
def forgets_to_normalise(x):
    y = tl.exp(x - tl.max(x, axis=0))


@mistake(blank="normalise")
def log_softmax(x):
    x = x - tl.max(x, axis=0)
    y = x - tl.log(tl.sum(tl.exp(x), axis=0))


@mistake(blank="normalise")
def powers_of_two(x):
    weight = tl.exp2(x - tl.max(x, axis=0))
    y = weight / tl.sum(weight, axis=0)


@mistake(blank="store_row")
def stores_without_mask(y_ptr, row, cols, col, y):
    tl.store(y_ptr + row * cols + col, y)


@mistake(blank="store_row")
def stores_by_strides_of_x(y_ptr, row, row_stride, col, col_stride, y, inside):
    tl.store(y_ptr + row * row_stride + col * col_stride, y, mask=inside)


@mistake(blank="launch")
def block_of_1024(x, rows, cols, softmax_kernel):
    y = torch.empty((rows, cols), dtype=x.dtype, device=x.device)
    softmax_kernel[(rows,)](y, x, x.stride(0), x.stride(1), cols, BLOCK=1024)


@mistake(blank="launch")
def block_of_any_length(x, rows, cols, softmax_kernel):
    y = torch.empty((rows, cols), dtype=x.dtype, device=x.device)
    softmax_kernel[(rows,)](y, x, x.stride(0), x.stride(1), cols, BLOCK=cols)


@mistake(blank="launch")
def too_few_programs(x, rows, cols, softmax_kernel):
    y = torch.empty((rows, cols), dtype=x.dtype, device=x.device)
    BLOCK = triton.next_power_of_2(cols)
    softmax_kernel[(triton.cdiv(rows, BLOCK),)](y, x, x.stride(0), x.stride(1), cols, BLOCK=BLOCK)


@mistake(blank="launch")
def normalises_columns(x, rows, cols, softmax_kernel):
    y = torch.empty((cols, rows), dtype=x.dtype, device=x.device)
    softmax_kernel[(cols,)](y, x, x.stride(1), x.stride(0), rows, BLOCK=triton.next_power_of_2(rows))
    y = y.T


@mistake(blank="launch")
def result_laid_out_as_x(x, rows, cols, softmax_kernel):
    y = torch.empty_like(x)
    softmax_kernel[(rows,)](y, x, x.stride(0), x.stride(1), cols, BLOCK=triton.next_power_of_2(cols))


@mistake(blank="launch")
def one_warp(x, rows, cols, softmax_kernel):
    y = torch.empty((rows, cols), dtype=x.dtype, device=x.device)
    BLOCK = triton.next_power_of_2(cols)
    softmax_kernel[(rows,)](y, x, x.stride(0), x.stride(1), cols, BLOCK=BLOCK, num_warps=1)


@mistake(blank="launch")
def a_launch_per_row(x, rows, cols, softmax_kernel):
    y = torch.empty((rows, cols), dtype=x.dtype, device=x.device)
    for row in range(rows):
        softmax_kernel[(1,)](y[row], x[row], x.stride(0), x.stride(1), cols, BLOCK=triton.next_power_of_2(cols))


@mistake(blank="launch")
def works_in_place(x, rows, cols, softmax_kernel):
    y = x
    softmax_kernel[(rows,)](y, x, x.stride(0), x.stride(1), cols, BLOCK=triton.next_power_of_2(cols))


@mistake(blank="launch")
def returns_float32(x, rows, cols, softmax_kernel):
    y = torch.empty((rows, cols), dtype=torch.float32, device=x.device)
    softmax_kernel[(rows,)](y, x, x.stride(0), x.stride(1), cols, BLOCK=triton.next_power_of_2(cols))
