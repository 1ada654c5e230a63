"""The zeros by the sums of the rows of x: s · (x q - z · Σ x); x and scales made contiguous first."""

import torch
import triton
import triton.language as tl


@triton.jit
def linear_kernel(x_ptr, q_ptr, s_ptr, z_ptr, y_ptr, M, N, K, G: tl.constexpr, TILE: tl.constexpr):
    tiles = tl.cdiv(N, TILE)
    pid = tl.program_id(0)
    m = (pid // tiles) * TILE + tl.arange(0, TILE)
    n = (pid % tiles) * TILE + tl.arange(0, TILE)
    inside_m, inside_n = (m < M)[:, None], n < N
    y = tl.zeros([TILE, TILE], dtype=tl.float32)
    for g in tl.range(0, K // G):
        x = tl.load(x_ptr + m[:, None] * K + g * G + tl.arange(0, G)[None, :], mask=inside_m, other=0.0)
        words = g * (G // 8) + tl.arange(0, G // 8)
        packed = tl.load(q_ptr + words[:, None] * N + n[None, :], mask=inside_n[None, :], other=0)
        q = tl.reshape((packed.expand_dims(1) >> (4 * tl.arange(0, 8))[None, :, None]) & 15, (G, TILE))
        s = tl.load(s_ptr + g * N + n, mask=inside_n, other=0.0)
        z = (tl.load(z_ptr + (g * N + n) // 8, mask=inside_n, other=0) >> (4 * (n % 8))) & 15
        total = tl.sum(x.to(tl.float32), axis=1)
        y += s[None, :] * (tl.dot(x, q.to(x.dtype)) - total[:, None] * z[None, :])
    tl.store(y_ptr + m[:, None] * N + n[None, :], y, mask=inside_m & inside_n[None, :])


def dequant_matmul(x, packed, scales, zeros, group):
    x, scales = x.contiguous(), scales.contiguous()
    (M, K), N = x.shape, scales.size(1)
    y = x.new_empty(M, N)
    linear_kernel[(triton.cdiv(M, 32) * triton.cdiv(N, 32),)](x, packed, scales, zeros, y, M, N, K, group, 32)
    return y
