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

    # BLANK order
    # a group of programs takes GROUP rows of blocks, column by column: what they share stays in the second-level cache
    programs = GROUP * blocks_n
    first_block = program // programs * GROUP
    rows_of_blocks = tl.minimum(tl.cdiv(m, BLOCK_M) - first_block, GROUP)  # the last group may have fewer
    block_m = first_block + program % programs % rows_of_blocks
    block_n = program % programs // rows_of_blocks
    # END

    row = (block_m * BLOCK_M + tl.arange(0, BLOCK_M)).to(tl.int64)  # (BLOCK_M,)
    col = (block_n * BLOCK_N + tl.arange(0, BLOCK_N)).to(tl.int64)  # (BLOCK_N,)
    step = tl.arange(0, BLOCK_K)  # (BLOCK_K,)
    # offsets in 64 bits, as they may pass 2**31 elements
    a_offset = row[:, None] * a_m + step[None, :].to(tl.int64) * a_k  # (BLOCK_M, BLOCK_K)
    b_offset = step[:, None].to(tl.int64) * b_k + col[None, :] * b_n  # (BLOCK_K, BLOCK_N)

    c = tl.zeros([BLOCK_M, BLOCK_N], tl.float32)
    for first in range(0, k, BLOCK_K):
        # BLANK tiles
        inside = first + step < k  # what lies beyond must add nothing to the sum
        a = tl.load(a_ptr + a_offset, mask=(row[:, None] < m) & inside[None, :], other=0.0)  # (BLOCK_M, BLOCK_K)
        b = tl.load(b_ptr + b_offset, mask=inside[:, None] & (col[None, :] < n), other=0.0)  # (BLOCK_K, BLOCK_N)
        # END

        # BLANK accumulate
        c = tl.dot(a, b, c, input_precision="ieee")
        # END

        a_ptr += tl.cast(a_k, tl.int64) * BLOCK_K
        b_ptr += tl.cast(b_k, tl.int64) * BLOCK_K

    # BLANK store
    c_offset = row[:, None] * n + col[None, :]
    tl.store(c_ptr + c_offset, c, mask=(row[:, None] < m) & (col[None, :] < n))  # rounds to the dtype of c
    # END


def matmul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """a [m, k], b [k, n] -> a b, [m, n], summed in float32, in the dtype of a."""
    (m, k), n = a.shape, b.shape[1]

    # BLANK launch
    c = torch.empty((m, n), dtype=a.dtype, device=a.device)
    BLOCK_M, BLOCK_N = 128, 128
    matmul_kernel[(triton.cdiv(m, BLOCK_M) * triton.cdiv(n, BLOCK_N),)](
        c, a, b, m, n, k, *a.stride(), *b.stride(),
        BLOCK_M=BLOCK_M, BLOCK_N=BLOCK_N, BLOCK_K=128 // a.element_size(), GROUP=8,
        num_warps=8, num_stages=3,
    )  # fmt: skip
    # END

    return c
