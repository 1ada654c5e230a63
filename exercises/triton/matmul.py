"""Tiled matmul kernel

Write a Triton kernel, and the function that launches it, for a product of matrices:

    c[i, j] = Σ_l a[i, l] b[l, j]      a [m, k], b [k, n], c [m, n]

A program computes a block of c. It walks along k, loads a block of a and one of b, and
adds their product (tl.dot) to an accumulator on the chip. Where blocks of c are
128 × 128, each element of a is loaded n / 128 times instead of n times.

Which program takes which block is free, and no count here shows it, yet a GPU feels it:
programs that run together should share what they load, in the second-level cache. 64
programs in one row of blocks need 1 + 64 rows and columns of blocks; 64 programs in a
group of 8 rows, one column after the other, need 8 + 8.

a, b    [m, k] and [k, n], all at least 1, finite, of one dtype: float32, float16 or
        bfloat16; strides any, each its own; must not be changed
result  [m, n], a new tensor of this dtype

Sums are float32; only the result is rounded. Products of float32 stay float32 (tl.dot:
input_precision="ieee"); half precision is multiplied as it is, on tensor cores, without
conversion. The host allocates and launches once: no product there. Each element of c is
stored once, and its block is at least 64 × 64, where c is as large.

Source: Triton tutorial 03, https://triton-lang.org/main/getting-started/tutorials/03-matrix-multiplication.html
"""

import torch
import triton
import triton.language as tl


@triton.jit
def matmul_kernel(
    c_ptr, a_ptr, b_ptr,
    m, n, k,
    a_m, a_k,  # strides of a over its rows and columns
    b_k, b_n,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    """One program computes one block of c, (BLOCK_M, BLOCK_N), from BLOCK_K columns of a and rows of b at a time."""
    program = tl.program_id(0)
    blocks_n = tl.cdiv(n, BLOCK_N)

    # TODO (6 lines): `block_m`, `block_n`: the block of c of this program; best in groups of GROUP rows of blocks
    raise NotImplementedError("order")

    row = (block_m * BLOCK_M + tl.arange(0, BLOCK_M)).to(tl.int64)  # (BLOCK_M,)
    col = (block_n * BLOCK_N + tl.arange(0, BLOCK_N)).to(tl.int64)  # (BLOCK_N,)
    step = tl.arange(0, BLOCK_K)  # (BLOCK_K,)
    # offsets in 64 bits, as they may pass 2**31 elements
    a_offset = row[:, None] * a_m + step[None, :].to(tl.int64) * a_k  # (BLOCK_M, BLOCK_K)
    b_offset = step[:, None].to(tl.int64) * b_k + col[None, :] * b_n  # (BLOCK_K, BLOCK_N)

    c = tl.zeros([BLOCK_M, BLOCK_N], tl.float32)
    for first in range(0, k, BLOCK_K):
        # TODO (3 lines): `a` (BLOCK_M, BLOCK_K), `b` (BLOCK_K, BLOCK_N): from `first` on; beyond k what adds nothing
        raise NotImplementedError("tiles")

        # TODO (1 line): add the product of `a` and `b` to `c`
        raise NotImplementedError("accumulate")

        a_ptr += tl.cast(a_k, tl.int64) * BLOCK_K
        b_ptr += tl.cast(b_k, tl.int64) * BLOCK_K

    # TODO (2 lines): write `c` to its block of c, which is contiguous
    raise NotImplementedError("store")


def matmul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """a [m, k], b [k, n] -> a b, [m, n], summed in float32, in the dtype of a."""
    (m, k), n = a.shape, b.shape[1]

    # TODO (7 lines): `c`, a new tensor [m, n]; let the kernel fill it, a program for each block
    raise NotImplementedError("launch")

    return c
