"""The numbers less their zeros are exact in half precision; each group's product is scaled in float32."""

import torch
import triton
import triton.language as tl


@triton.jit
def unpack(words, ROWS: tl.constexpr, COLS: tl.constexpr):
    shifts = tl.arange(0, 8) * 4
    return ((words[:, None, :] >> shifts[None, :, None]) & 0xF).reshape(ROWS, COLS)


@triton.jit
def kernel(
    x_ptr, w_ptr, s_ptr, z_ptr, y_ptr, M, N, K, sxm, sxk, ssg, ssn,
    G: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr,
):
    rm = tl.program_id(1) * BM + tl.arange(0, BM)
    rn = tl.program_id(0) * BN + tl.arange(0, BN)
    rk = tl.arange(0, G)
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for g in range(0, tl.cdiv(K, G)):
        x = tl.load(x_ptr + rm[:, None] * sxm + (g * G + rk)[None, :] * sxk, mask=rm[:, None] < M, other=0.0)
        r8 = g * (G // 8) + tl.arange(0, G // 8)
        q = unpack(tl.load(w_ptr + r8[:, None] * N + rn[None, :], mask=rn[None, :] < N, other=0), G, BN)
        s = tl.load(s_ptr + g * ssg + rn * ssn, mask=rn < N, other=0.0).to(tl.float32)
        z = (tl.load(z_ptr + g * (N // 8) + rn // 8, mask=rn < N, other=0) >> ((rn & 7) * 4)) & 0xF
        acc += tl.dot(x, (q - z[None, :]).to(x.dtype)) * s[None, :]
    tl.store(y_ptr + rm[:, None] * N + rn[None, :], acc.to(x_ptr.dtype.element_ty), mask=(rm[:, None] < M) & (rn[None, :] < N))


def dequant_matmul(x, packed, scales, zeros, group):
    M, K = x.shape
    N = packed.shape[1]
    y = torch.empty((M, N), device=x.device, dtype=x.dtype)
    grid = lambda meta: (triton.cdiv(N, meta["BN"]), triton.cdiv(M, meta["BM"]))
    kernel[grid](x, packed, scales, zeros, y, M, N, K, *x.stride(), *scales.stride(), G=group, BM=16, BN=64)
    return y
