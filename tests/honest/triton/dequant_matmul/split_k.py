"""Two programs share the groups of each tile; a second launch adds up what they found."""

import torch
import triton
import triton.language as tl

SPLITS = 2


@triton.jit
def parts_kernel(
    part_ptr, x_ptr, packed_ptr, scales_ptr, zeros_ptr, x_m, x_k, s_g, s_n, m, n, groups, splits,
    GROUP: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr,
):
    row = tl.program_id(0) * BM + tl.arange(0, BM)[:, None]
    col = tl.program_id(1) * BN + tl.arange(0, BN)
    split = tl.program_id(2)
    part = tl.zeros([BM, BN], tl.float32)
    for g in range(split, groups, splits):
        i = g * GROUP + tl.arange(0, GROUP)
        x = tl.load(x_ptr + row * x_m + i[None, :] * x_k, mask=row < m, other=0.0)
        word = g * (GROUP // 8) + tl.arange(0, GROUP // 8)
        words = tl.load(packed_ptr + word[:, None] * n + col[None, :], mask=col[None, :] < n, other=0)
        q = tl.reshape((words[:, None, :] >> (4 * tl.arange(0, 8))[None, :, None]) & 15, [GROUP, BN])
        scale = tl.load(scales_ptr + g * s_g + col * s_n, mask=col < n, other=0.0)
        zero = (tl.load(zeros_ptr + g * (n // 8) + col // 8, mask=col < n, other=0) >> (4 * (col % 8))) & 15
        w = (q - zero[None, :]).to(tl.float32) * scale[None, :].to(tl.float32)
        part = tl.dot(x, w.to(x.dtype), part)
    tl.store(part_ptr + (split * m + row) * n + col[None, :], part, mask=(row < m) & (col[None, :] < n))


@triton.jit
def sum_kernel(y_ptr, part_ptr, size, SPLITS: tl.constexpr, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    total = tl.zeros([BLOCK], tl.float32)
    for split in tl.static_range(SPLITS):
        total += tl.load(part_ptr + split * size + at, mask=at < size, other=0.0)
    tl.store(y_ptr + at, total, mask=at < size)


def dequant_matmul(x, packed, scales, zeros, group):
    (m, k), n = x.shape, packed.shape[1]
    part = torch.empty(SPLITS, m, n, dtype=torch.float32, device=x.device)
    y = torch.empty(m, n, dtype=x.dtype, device=x.device)
    parts_kernel[(triton.cdiv(m, 32), triton.cdiv(n, 32), SPLITS)](
        part, x, packed, scales, zeros, *x.stride(), *scales.stride(), m, n, k // group, SPLITS,
        GROUP=group, BM=32, BN=32,
    )
    sum_kernel[(triton.cdiv(m * n, 1024),)](y, part, m * n, SPLITS=SPLITS, BLOCK=1024)
    return y
