"""Int4 weight-only matmul kernel

A linear layer whose weight is kept in 4 bits, as by GPTQ or AWQ: write a Triton kernel,
and the function that launches it. In each column, `group` rows in a row share a scale s
and a zero point z; these turn the numbers q, 0 … 15, into weights:

    y = x w        w[i, j] = (q[i, j] - z[i // group, j]) · s[i // group, j]

Eight numbers make an int32, the first in its lowest four bits: of q eight rows of one
column, of z eight columns of one row.

    q[i, j] = packed[i // 8, j] >> (4 · (i % 8)) & 15
    z[g, j] = zeros[g, j // 8] >> (4 · (j % 8)) & 15

x        [m, k], float16 or bfloat16, m at least 1; strides any
scales   [k / group, n], the dtype of x; strides any
packed   [k / 8, n], int32, contiguous;          n is a multiple of 8
zeros    [k / group, n / 8], int32, contiguous;  k is a multiple of group
group    32, 64 or 128
result   [m, n], a new tensor of the dtype of x; no argument is changed

With few rows in x, time is spent on reading the weight: a quarter of its bytes takes a
quarter of the time. This holds if w is made on the chip, never in memory, and if a tile
of y takes each word once, not once for each of its numbers. w may be rounded to the
dtype of x, so that tl.dot runs on tensor cores; its products are added up in float32.
The host allocates and launches. A second launch is free, as to add up parts of k.

Source: Frantar et al. 2022, GPTQ, arXiv:2210.17323; Lin et al. 2023, AWQ, arXiv:2306.00978; layout of AutoGPTQ
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

        # TODO (4 lines): `q`, int (GROUP, BLOCK_N): the numbers in the rows of group `g`; beyond n anything
        raise NotImplementedError("unpack")

        # TODO (3 lines): `scale` and `zero` (BLOCK_N,): those of group `g`
        raise NotImplementedError("scale_and_zero")

        # TODO (2 lines): add x w of this group to `y`
        raise NotImplementedError("multiply")

        x_ptr += GROUP * x_k

    # TODO (2 lines): write `y` to its place in y [m, n], which is contiguous
    raise NotImplementedError("store")


def dequant_matmul(
    x: torch.Tensor, packed: torch.Tensor, scales: torch.Tensor, zeros: torch.Tensor, group: int
) -> torch.Tensor:
    """x [m, k] times a weight [k, n] in 4 bits, which `packed`, `scales` and `zeros` describe -> [m, n]."""
    (m, k), n = x.shape, scales.shape[1]
    BLOCK_M, BLOCK_N = (16, 32) if m <= 16 else (64, 64)  # few rows: many narrow programs share the reading of w

    # TODO (6 lines): `y`, a new tensor; let the kernel fill it: one program per tile
    raise NotImplementedError("launch")

    return y
