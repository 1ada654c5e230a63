import random

import pytest
import torch
import triton
import triton.language as tl

from clozekit.grading import mistake, reference

# m, n, k, group, dtype. Sizes differ from each other, so that an axis taken for another one shows.
SHAPES = {
    "one row": (1, 40, 64, 32, torch.float16),
    "one group": (4, 8, 32, 32, torch.float16),
    "ragged rows and columns": (5, 24, 96, 32, torch.float16),
    "many rows": (70, 72, 256, 32, torch.float16),
    "a group of 64": (3, 16, 128, 64, torch.float16),
    "a group of 128": (2, 16, 256, 128, torch.float16),
    "bfloat16": (5, 24, 64, 32, torch.bfloat16),
}


def words(*shape):
    """Eight numbers of 4 bits in each: any int32, negative ones too."""
    return torch.randint(-(2**31), 2**31, shape).to(torch.int32)


def draw(m, n, k, group, dtype=torch.float16):
    """x [m, k]; packed [k / 8, n], scales [k / group, n], zeros [k / group, n / 8]; group."""
    scales = (0.02 + 0.1 * torch.rand(k // group, n)).to(dtype)
    return torch.randn(m, k).to(dtype), words(k // 8, n), scales, words(k // group, n // 8), group


COSTS = [
    "dequant_matmul(float16[1, 4096], int32[512, 4096], float16[32, 4096], int32[32, 512], 128)",
    "dequant_matmul(bfloat16[96, 4096], int32[512, 4096], bfloat16[64, 4096], int32[64, 512], 64)",
]


@pytest.mark.parametrize("case", SHAPES)
def test_values(check, case):
    check("dequant_matmul", *draw(*SHAPES[case]))


def test_x_is_a_transposed_view(check):
    x, *weight = draw(5, 16, 64, 32)
    check("dequant_matmul", x.T.contiguous().T, *weight)


def test_x_is_every_other_column_of_wider_rows(check):
    _, *weight = draw(5, 16, 64, 32)
    check("dequant_matmul", torch.randn(5, 160).half()[:, 3:131:2], *weight)


def test_scales_are_a_transposed_view(check):
    x, packed, scales, *rest = draw(5, 16, 64, 32)
    check("dequant_matmul", x, packed, scales.T.contiguous().T, *rest)


def test_partial_sums_exceed_float16(check):
    """About 106,000 after the first group, back at 7,000 after the second."""
    x, _, scales, _, group = draw(3, 8, 64, 32)
    packed, zeros = torch.zeros(8, 8, dtype=torch.int32), torch.zeros(2, 1, dtype=torch.int32)
    packed[:4], zeros[1] = -1, -0x11111112  # q = 15, z = 0, then q = 0, z = 14
    check("dequant_matmul", 220 + x, packed, torch.ones_like(scales), zeros, group)


def test_memory_for_a_wide_weight(check):
    """Large enough for a weight of 16 bits to outweigh all that an honest call allocates."""
    check("dequant_matmul", *draw(1, 256, 128, 128))


@pytest.mark.parametrize("call", COSTS)
def test_costs(check, call):
    check.costs(call)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    for group in random.sample([32, 64, 128], 2):
        m, n, k = random.randint(6, 30), 8 * random.randint(6, 12), group * random.randint(2, 3)
        check("dequant_matmul", *draw(m, n, k, group, random.choice([torch.float16, torch.bfloat16])))
    check("dequant_matmul", *draw(random.randint(65, 90), 8 * random.randint(9, 12), 256, 32))
    check("dequant_matmul", *draw(random.randint(1, 4), 8 * random.randint(33, 36), 384, 32))


@reference("dequant_matmul")
def definition(x, packed, scales, zeros, group):
    bits = 4 * torch.arange(8)
    q = ((packed[:, None, :] >> bits[:, None]) & 15).flatten(0, 1)  # [k, n]
    z = ((zeros[:, :, None] >> bits) & 15).flatten(1)  # [k / group, n]
    weight = (q - z.repeat_interleave(group, 0)) * scales.repeat_interleave(group, 0)
    return torch.nn.functional.linear(x, weight.T)


@mistake(blank="unpack")
def takes_high_bits_first(packed_ptr, g, word, place, col, n, col_inside, GROUP, BLOCK_N):
    words_ptr = packed_ptr + (g * (GROUP // 8) + word)[:, None] * n + col[None, :]
    words = tl.load(words_ptr, mask=col_inside[None, :])
    q = tl.reshape((words[:, None, :] >> (28 - 4 * place)[None, :, None]) & 15, [GROUP, BLOCK_N])


@mistake(blank="unpack")
def takes_order_of_awq(packed_ptr, g, word, place, col, n, col_inside, GROUP, BLOCK_N):
    words_ptr = packed_ptr + (g * (GROUP // 8) + word)[:, None] * n + col[None, :]
    words = tl.load(words_ptr, mask=col_inside[None, :])
    place = place // 2 + 4 * (place % 2)
    q = tl.reshape((words[:, None, :] >> (4 * place)[None, :, None]) & 15, [GROUP, BLOCK_N])


@mistake(blank="unpack")
def keeps_higher_bits(packed_ptr, g, word, place, col, n, col_inside, GROUP, BLOCK_N):
    words_ptr = packed_ptr + (g * (GROUP // 8) + word)[:, None] * n + col[None, :]
    words = tl.load(words_ptr, mask=col_inside[None, :])
    q = tl.reshape(words[:, None, :] >> (4 * place)[None, :, None], [GROUP, BLOCK_N])


@mistake(blank="unpack")
def unpacks_along_columns(packed_ptr, g, word, place, col, n, col_inside, GROUP, BLOCK_N):
    words_ptr = packed_ptr + (g * (GROUP // 8) + word)[:, None] * n + col[None, :]
    words = tl.load(words_ptr, mask=col_inside[None, :])
    q = tl.reshape((words[:, :, None] >> (4 * place)[None, None, :]) & 15, [GROUP, BLOCK_N])


@mistake(blank="unpack")
def counts_words_by_numbers(packed_ptr, g, word, place, col, n, k, col_inside, GROUP, BLOCK_N):
    at = g * GROUP + word
    words = tl.load(packed_ptr + at[:, None] * n + col[None, :], mask=(at[:, None] < k // 8) & col_inside[None, :])
    q = tl.reshape((words[:, None, :] >> (4 * place)[None, :, None]) & 15, [GROUP, BLOCK_N])


@mistake(blank="unpack")
def loads_words_eight_times(packed_ptr, g, step, col, n, col_inside, GROUP):
    words_ptr = packed_ptr + ((g * GROUP + step) // 8)[:, None] * n + col[None, :]
    q = (tl.load(words_ptr, mask=col_inside[None, :]) >> (4 * (step % 8))[:, None]) & 15


@mistake(blank="scale_and_zero")
def first_group_for_all(scales_ptr, scales_n, zeros_ptr, col, col_inside):
    scale = tl.load(scales_ptr + col * scales_n, mask=col_inside)
    zero = (tl.load(zeros_ptr + col // 8, mask=col_inside) >> (4 * (col % 8))) & 15


@mistake(blank="scale_and_zero")
def one_zero_for_eight_columns(scales_ptr, zeros_ptr, g, scales_g, scales_n, col, n, col_inside):
    scale = tl.load(scales_ptr + g * scales_g + col * scales_n, mask=col_inside)
    zero = tl.load(zeros_ptr + g * (n // 8) + col // 8, mask=col_inside) & 15


@mistake(blank="scale_and_zero")
def adds_one_to_zero(scales_ptr, zeros_ptr, g, scales_g, scales_n, col, n, col_inside):
    scale = tl.load(scales_ptr + g * scales_g + col * scales_n, mask=col_inside)
    zero = tl.load(zeros_ptr + g * (n // 8) + col // 8, mask=col_inside)
    zero = ((zero >> (4 * (col % 8))) & 15) + 1


@mistake(blank="scale_and_zero")
def eight_is_zero(scales_ptr, g, scales_g, scales_n, col, n, col_inside, BLOCK_N):
    scale = tl.load(scales_ptr + g * scales_g + col * scales_n, mask=col_inside)
    zero = tl.full([BLOCK_N], 8, tl.int32)


@mistake(blank="multiply")
def forgets_zero(x, q, scale, y):
    w = q.to(x.dtype) * scale[None, :]
    y = tl.dot(x, w, y)


@mistake(blank="multiply")
def forgets_scale(x, q, zero, y):
    w = (q - zero[None, :]).to(x.dtype)
    y = tl.dot(x, w, y)


@mistake(blank="multiply")
def scales_before_zero(x, q, zero, scale, y):
    w = q.to(x.dtype) * scale[None, :] - zero[None, :].to(x.dtype)
    y = tl.dot(x, w, y)


@mistake(blank="multiply")
def rounds_groups_to_half(x, q, zero, scale, y):
    w = (q - zero[None, :]).to(x.dtype) * scale[None, :]
    y += tl.dot(x, w).to(x.dtype)


@mistake(blank="multiply")
def keeps_last_group(x, q, zero, scale):
    w = (q - zero[None, :]).to(x.dtype) * scale[None, :]
    y = tl.dot(x, w)


@mistake(blank="multiply")
def multiplies_in_float32(x, q, zero, scale, y):
    w = (q - zero[None, :]).to(tl.float32) * scale[None, :].to(tl.float32)
    y = tl.dot(x.to(tl.float32), w, y, input_precision="ieee")


@mistake(blank="store")
def stores_without_mask(y_ptr, row, col, n, y):
    tl.store(y_ptr + row[:, None] * n + col[None, :], y)


@mistake(blank="store")
def stores_columns_as_rows(y_ptr, row, col, m, n, y, row_inside, col_inside):
    tl.store(y_ptr + col[None, :] * m + row[:, None], y, mask=row_inside[:, None] & col_inside[None, :])


@mistake(blank="launch")
def takes_x_for_contiguous(x, packed, scales, zeros, group, m, n, k, BLOCK_M, BLOCK_N, dequant_matmul_kernel):
    y = torch.empty((m, n), dtype=x.dtype, device=x.device)
    dequant_matmul_kernel[(triton.cdiv(m, BLOCK_M), triton.cdiv(n, BLOCK_N))](
        y, x, packed, scales, zeros, k, 1, *scales.stride(), m, n, k,
        GROUP=group, BLOCK_M=BLOCK_M, BLOCK_N=BLOCK_N,
    )  # fmt: skip


@mistake(blank="launch")
def takes_scales_for_contiguous(x, packed, scales, zeros, group, m, n, k, BLOCK_M, BLOCK_N, dequant_matmul_kernel):
    y = torch.empty((m, n), dtype=x.dtype, device=x.device)
    dequant_matmul_kernel[(triton.cdiv(m, BLOCK_M), triton.cdiv(n, BLOCK_N))](
        y, x, packed, scales, zeros, *x.stride(), n, 1, m, n, k,
        GROUP=group, BLOCK_M=BLOCK_M, BLOCK_N=BLOCK_N,
    )  # fmt: skip


@mistake(blank="launch")
def leaves_out_last_rows(x, packed, scales, zeros, group, m, n, k, BLOCK_M, BLOCK_N, dequant_matmul_kernel):
    y = torch.empty((m, n), dtype=x.dtype, device=x.device)
    dequant_matmul_kernel[(max(1, m // BLOCK_M), triton.cdiv(n, BLOCK_N))](
        y, x, packed, scales, zeros, *x.stride(), *scales.stride(), m, n, k,
        GROUP=group, BLOCK_M=BLOCK_M, BLOCK_N=BLOCK_N,
    )  # fmt: skip


@mistake(blank="launch")
def always_groups_of_32(x, packed, scales, zeros, m, n, k, BLOCK_M, BLOCK_N, dequant_matmul_kernel):
    y = torch.empty((m, n), dtype=x.dtype, device=x.device)
    groups = scales.shape[0]
    dequant_matmul_kernel[(triton.cdiv(m, BLOCK_M), triton.cdiv(n, BLOCK_N))](
        y, x, packed, scales, zeros, *x.stride(), *scales.stride(), m, n, 32 * groups,
        GROUP=32, BLOCK_M=BLOCK_M, BLOCK_N=BLOCK_N,
    )  # fmt: skip


@mistake(blank="launch")
def a_launch_per_row(x, packed, scales, zeros, group, m, n, k, BLOCK_M, BLOCK_N, dequant_matmul_kernel):
    y = torch.empty((m, n), dtype=x.dtype, device=x.device)
    for row in range(m):
        dequant_matmul_kernel[(1, triton.cdiv(n, BLOCK_N))](
            y[row], x[row], packed, scales, zeros, *x.stride(), *scales.stride(), 1, n, k,
            GROUP=group, BLOCK_M=16, BLOCK_N=BLOCK_N,
        )  # fmt: skip


@mistake(blank="launch")
def returns_float32(x, packed, scales, zeros, group, m, n, k, BLOCK_M, BLOCK_N, dequant_matmul_kernel):
    y = torch.empty((m, n), dtype=torch.float32, device=x.device)
    dequant_matmul_kernel[(triton.cdiv(m, BLOCK_M), triton.cdiv(n, BLOCK_N))](
        y, x, packed, scales, zeros, *x.stride(), *scales.stride(), m, n, k,
        GROUP=group, BLOCK_M=BLOCK_M, BLOCK_N=BLOCK_N,
    )  # fmt: skip
