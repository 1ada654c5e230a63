"""Loads each word once for each of its eight numbers.

Verdict: failed, meter-loads
"""

import torch
import triton
import triton.language as tl


@triton.jit
def dequant_matmul_kernel(
    y_ptr, x_ptr, packed_ptr, scales_ptr, zeros_ptr,
    x_m, x_k, scales_g, scales_n,  # strides of x and of scales
    m, n, k, GROUP: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    """One program computes BLOCK_M x BLOCK_N of y, and takes one group of rows of w at a time."""
    row = tl.program_id(0).to(tl.int64) * BLOCK_M + tl.arange(0, BLOCK_M)  # (BLOCK_M,); y may have 2**31 elements
    col = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)  # (BLOCK_N,)
    step = tl.arange(0, GROUP)  # (GROUP,)
    word = tl.arange(0, GROUP // 8)  # (GROUP // 8,)
    place = tl.arange(0, 8)  # of a number in its word
    row_inside, col_inside = row < m, col < n  # what lies beyond is never stored, whatever it is

    x_ptr += row[:, None] * x_m + step[None, :] * x_k
    y = tl.zeros([BLOCK_M, BLOCK_N], tl.float32)
    for g in range(k // GROUP):
        x = tl.load(x_ptr, mask=row_inside[:, None])  # (BLOCK_M, GROUP)

        words_ptr = packed_ptr + ((g * GROUP + step) // 8)[:, None] * n + col[None, :]
        words = tl.load(words_ptr, mask=col_inside[None, :])  # (GROUP, BLOCK_N)
        q = (words >> (4 * (step % 8))[:, None]) & 15

        scale = tl.load(scales_ptr + g * scales_g + col * scales_n, mask=col_inside)  # (BLOCK_N,)
        zero = tl.load(zeros_ptr + g * (n // 8) + col // 8, mask=col_inside)
        zero = (zero >> (4 * (col % 8))) & 15  # (BLOCK_N,)

        w = (q - zero[None, :]).to(x.dtype) * scale[None, :]  # (GROUP, BLOCK_N), half precision for tensor cores
        y = tl.dot(x, w, y)

        x_ptr += GROUP * x_k

    inside = row_inside[:, None] & col_inside[None, :]
    tl.store(y_ptr + row[:, None] * n + col[None, :], y, mask=inside)  # rounds to the dtype of y


def dequant_matmul(
    x: torch.Tensor, packed: torch.Tensor, scales: torch.Tensor, zeros: torch.Tensor, group: int
) -> torch.Tensor:
    """x [m, k] times a weight [k, n] in 4 bits, which `packed`, `scales` and `zeros` describe -> [m, n]."""
    (m, k), n = x.shape, scales.shape[1]
    BLOCK_M, BLOCK_N = (16, 32) if m <= 16 else (64, 64)  # few rows: many narrow programs share the reading of w

    y = torch.empty((m, n), dtype=x.dtype, device=x.device)
    grid = (triton.cdiv(m, BLOCK_M), triton.cdiv(n, BLOCK_N))  # neighbours read the same part of w
    dequant_matmul_kernel[grid](
        y, x, packed, scales, zeros, *x.stride(), *scales.stride(), m, n, k,
        GROUP=group, BLOCK_M=BLOCK_M, BLOCK_N=BLOCK_N, num_stages=3,
    )  # fmt: skip

    return y
