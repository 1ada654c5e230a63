import random

import pytest
import torch
import triton
import triton.language as tl

from clozekit.grading import mistake, reference

# m, k, n, dtype. Sizes differ from each other, so that an axis taken for another one shows.
SHAPES = {
    "one element": (1, 1, 1, torch.float32),
    "one row": (1, 70, 150, torch.float32),
    "one column": (150, 70, 1, torch.float32),
    "ragged on every side": (150, 90, 137, torch.float32),
    "whole blocks": (128, 64, 256, torch.float32),
    "ragged inside alone": (128, 40, 128, torch.float32),
    "a long inner dimension": (5, 320, 9, torch.float32),
    "more rows of blocks than a group": (1100, 3, 130, torch.float32),
    "many columns": (3, 5, 600, torch.float32),
    "float16": (40, 130, 30, torch.float16),
    "bfloat16": (40, 130, 30, torch.bfloat16),
}

# a [m, k] and b [k, n], each laid out in its own way.
LAYOUTS = {
    "a transposed": lambda: (torch.randn(40, 7).T, torch.randn(40, 9)),
    "b transposed": lambda: (torch.randn(7, 40), torch.randn(9, 40).T),
    "slices of larger matrices": lambda: (torch.randn(9, 50)[1:8, 5:45], torch.randn(60, 12)[11:51, 2:11]),
    "every other element": lambda: (torch.randn(7, 80)[:, ::2], torch.randn(80, 18)[::2, ::2]),
    "one row for all": lambda: (torch.randn(1, 40).expand(7, 40), torch.randn(40, 9)),
}


def draw(m, k, n, dtype=torch.float32):
    return torch.randn(m, k).to(dtype), torch.randn(k, n).to(dtype)


@pytest.mark.parametrize("case", SHAPES)
def test_shape(check, case):
    check("matmul", *draw(*SHAPES[case]))


@pytest.mark.parametrize("case", LAYOUTS)
def test_layout(check, case):
    check("matmul", *LAYOUTS[case]())


def test_sums_on_their_way_exceed_float16(check):
    """100 products of 90,000, then 100 of -90,000."""
    a, b = draw(3, 200, 5)
    sign = torch.where(torch.arange(200) < 100, 1, -1)
    check("matmul", (300 + a).half(), (300 * sign[:, None] + b).half())


def test_costs(check):
    check.costs("matmul(float16[256, 512], float16[512, 512].T)")


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    few, some, many = random.randint(2, 20), random.randint(129, 160), random.randint(1200, 1400)
    half = random.choice([torch.float16, torch.bfloat16])
    check("matmul", *draw(many, random.randint(2, 9), some))
    check("matmul", *draw(some, random.randint(600, 700), few))
    check("matmul", *draw(few, some, random.randint(700, 800), half))
    a, b = draw(few, random.randint(65, 90), some, half)
    check("matmul", a.T.contiguous().T, b.T.contiguous().T)


@reference("matmul", compute=torch.float32)
def definition(a, b):
    return a @ b


@mistake(blank="order")
def full_last_group(program, blocks_n, GROUP):
    programs = GROUP * blocks_n
    block_m = program // programs * GROUP + program % programs % GROUP
    block_n = program % programs // GROUP


@mistake(blank="order")
def counts_groups_as_blocks(program, blocks_n, m, BLOCK_M, GROUP):
    programs = GROUP * blocks_n
    first_block = program // programs
    rows_of_blocks = tl.minimum(tl.cdiv(m, BLOCK_M) - first_block, GROUP)
    block_m = first_block + program % programs % rows_of_blocks
    block_n = program % programs // rows_of_blocks


@mistake(blank="order")
def divides_by_the_height(program, m, BLOCK_M):
    block_m = program // tl.cdiv(m, BLOCK_M)
    block_n = program % tl.cdiv(m, BLOCK_M)


@mistake(blank="tiles")
def sums_beyond_k(a_ptr, b_ptr, a_offset, b_offset, row, col, m, n):
    a = tl.load(a_ptr + a_offset, mask=row[:, None] < m, other=0.0)
    b = tl.load(b_ptr + b_offset, mask=col[None, :] < n, other=0.0)


@mistake(blank="tiles")
def mask_of_the_first_block(a_ptr, b_ptr, a_offset, b_offset, row, col, step, m, n, k):
    inside = step < k
    a = tl.load(a_ptr + a_offset, mask=(row[:, None] < m) & inside[None, :], other=0.0)
    b = tl.load(b_ptr + b_offset, mask=inside[:, None] & (col[None, :] < n), other=0.0)


@mistake(blank="tiles")
def leaves_padding_undefined(a_ptr, b_ptr, a_offset, b_offset, row, col, first, step, m, n, k):
    inside = first + step < k
    a = tl.load(a_ptr + a_offset, mask=(row[:, None] < m) & inside[None, :])
    b = tl.load(b_ptr + b_offset, mask=inside[:, None] & (col[None, :] < n))


@mistake(blank="tiles")
def loads_without_mask(a_ptr, b_ptr, a_offset, b_offset):
    a = tl.load(a_ptr + a_offset)
    b = tl.load(b_ptr + b_offset)


@mistake(blank="accumulate")
def keeps_the_last_product(a, b):
    c = tl.dot(a, b, input_precision="ieee")


@mistake(blank="accumulate")
def products_in_tf32(a, b, c):
    c = tl.dot(a, b, c)


@mistake(blank="accumulate")
def rounds_each_product(a, b, c):
    c += tl.dot(a, b, input_precision="ieee").to(a.dtype)


@mistake(blank="accumulate")
def converts_to_float32(a, b, c):
    c = tl.dot(a.to(tl.float32), b.to(tl.float32), c, input_precision="ieee")


@mistake(blank="store")
def stores_without_mask(c_ptr, c, row, col, n):
    tl.store(c_ptr + row[:, None] * n + col[None, :], c)


@mistake(blank="store")
def stores_rows_of_m(c_ptr, c, row, col, m, n):
    tl.store(c_ptr + row[:, None] * m + col[None, :], c, mask=(row[:, None] < m) & (col[None, :] < n))


@mistake(blank="store")
def stores_transposed(c_ptr, c, row, col, m, n):
    tl.store(c_ptr + row[:, None] + col[None, :] * m, c, mask=(row[:, None] < m) & (col[None, :] < n))


@mistake(blank="launch")
def leaves_out_last_blocks(a, b, m, n, k, matmul_kernel):
    c = torch.empty((m, n), dtype=a.dtype, device=a.device)
    matmul_kernel[((m // 128) * (n // 128),)](
        c, a, b, m, n, k, *a.stride(), *b.stride(), BLOCK_M=128, BLOCK_N=128, BLOCK_K=32, GROUP=8
    )


@mistake(blank="launch")
def a_program_per_row_of_blocks(a, b, m, n, k, matmul_kernel):
    c = torch.empty((m, n), dtype=a.dtype, device=a.device)
    matmul_kernel[(triton.cdiv(m, 128),)](
        c, a, b, m, n, k, *a.stride(), *b.stride(), BLOCK_M=128, BLOCK_N=128, BLOCK_K=32, GROUP=8
    )


@mistake(blank="launch")
def takes_both_for_contiguous(a, b, m, n, k, matmul_kernel):
    c = torch.empty((m, n), dtype=a.dtype, device=a.device)
    grid = (triton.cdiv(m, 128) * triton.cdiv(n, 128),)
    matmul_kernel[grid](c, a, b, m, n, k, k, 1, n, 1, BLOCK_M=128, BLOCK_N=128, BLOCK_K=32, GROUP=8, num_warps=8)


@mistake(blank="launch")
def returns_float32(a, b, m, n, k, matmul_kernel):
    c = torch.empty((m, n), dtype=torch.float32, device=a.device)
    matmul_kernel[(triton.cdiv(m, 128) * triton.cdiv(n, 128),)](
        c, a, b, m, n, k, *a.stride(), *b.stride(), BLOCK_M=128, BLOCK_N=128, BLOCK_K=32, GROUP=8, num_warps=8
    )


@mistake(blank="launch")
def rounds_in_a_pass_of_its_own(a, b, m, n, k, matmul_kernel):
    c = torch.empty((m, n), dtype=torch.float32, device=a.device)
    matmul_kernel[(triton.cdiv(m, 128) * triton.cdiv(n, 128),)](
        c, a, b, m, n, k, *a.stride(), *b.stride(), BLOCK_M=128, BLOCK_N=128, BLOCK_K=32, GROUP=8, num_warps=8
    )
    c = c.to(a.dtype)


@mistake(blank="launch")
def converts_to_float32_on_the_host(a, b, m, n, k, matmul_kernel):
    c = torch.empty((m, n), dtype=a.dtype, device=a.device)
    a, b = a.float(), b.float()
    matmul_kernel[(triton.cdiv(m, 128) * triton.cdiv(n, 128),)](
        c, a, b, m, n, k, *a.stride(), *b.stride(), BLOCK_M=128, BLOCK_N=128, BLOCK_K=32, GROUP=8, num_warps=8
    )


@mistake(blank="launch")
def too_few_warps(a, b, m, n, k, matmul_kernel):
    c = torch.empty((m, n), dtype=a.dtype, device=a.device)
    matmul_kernel[(triton.cdiv(m, 128) * triton.cdiv(n, 128),)](
        c, a, b, m, n, k, *a.stride(), *b.stride(), BLOCK_M=128, BLOCK_N=128, BLOCK_K=16, GROUP=8, num_warps=2
    )


@mistake(blank="launch")
def blocks_of_16(a, b, m, n, k, matmul_kernel):
    c = torch.empty((m, n), dtype=a.dtype, device=a.device)
    matmul_kernel[(triton.cdiv(m, 16) * triton.cdiv(n, 16),)](
        c, a, b, m, n, k, *a.stride(), *b.stride(), BLOCK_M=16, BLOCK_N=16, BLOCK_K=16, GROUP=8
    )


@mistake(blank="launch")
def a_launch_per_row_of_blocks(a, b, m, n, k, matmul_kernel):
    c = torch.empty((m, n), dtype=a.dtype, device=a.device)
    for first in range(0, m, 128):
        rows = a[first : first + 128]
        matmul_kernel[(triton.cdiv(n, 128),)](
            c[first:], rows, b, len(rows), n, k, *a.stride(), *b.stride(),
            BLOCK_M=128, BLOCK_N=128, BLOCK_K=32, GROUP=8, num_warps=8,
        )  # fmt: skip
