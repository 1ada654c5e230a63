"""The tutorial's grouped ordering of tiles, autotuned; words taken apart by interleaving their halves three times."""

import torch
import triton
import triton.language as tl


@triton.jit
def doubled(low, high, ROWS: tl.constexpr, COLS: tl.constexpr):
    return tl.trans(tl.reshape(tl.trans(tl.join(low, high), 1, 0, 2), [COLS, ROWS]))  # rows low, high, low, high, …


@triton.autotune(
    configs=[triton.Config({"BM": 32, "BN": 64, "GROUP_M": 4}, num_warps=4, num_stages=2), triton.Config({"BM": 16, "BN": 64, "GROUP_M": 8})],
    key=["M", "N", "K"],
)
@triton.jit
def matmul_kernel(
    x_ptr, b_ptr, s_ptr, z_ptr, c_ptr, M, N, K, stride_xm, stride_xk, stride_sg, stride_sn,
    G: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, GROUP_M: tl.constexpr,
):
    pid = tl.program_id(axis=0)
    num_m, num_n = tl.cdiv(M, BM), tl.cdiv(N, BN)
    per_group = GROUP_M * num_n
    first_m = (pid // per_group) * GROUP_M
    size_m = min(num_m - first_m, GROUP_M)
    pid_m = first_m + (pid % per_group) % size_m
    pid_n = (pid % per_group) // size_m
    offs_m = pid_m * BM + tl.arange(0, BM)
    offs_n = pid_n * BN + tl.arange(0, BN)
    mask_n = offs_n[None, :] < N
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for g in range(0, K // G):
        x = tl.load(
            x_ptr + offs_m[:, None] * stride_xm + (g * G + tl.arange(0, G))[None, :] * stride_xk,
            mask=offs_m[:, None] < M, other=0.0,
        )
        b = tl.load(b_ptr + (g * (G // 8) + tl.arange(0, G // 8))[:, None] * N + offs_n[None, :], mask=mask_n, other=0)
        b = doubled(b & 0xFFFF, (b >> 16) & 0xFFFF, G // 4, BN)
        b = doubled(b & 0xFF, b >> 8, G // 2, BN)
        b = doubled(b & 0xF, b >> 4, G, BN)
        scale = tl.load(s_ptr + g * stride_sg + offs_n[None, :] * stride_sn, mask=mask_n, other=0.0)
        zero = (tl.load(z_ptr + g * (N // 8) + offs_n[None, :] // 8, mask=mask_n, other=0) >> ((offs_n[None, :] % 8) * 4)) & 0xF
        acc = tl.dot(x, ((b - zero) * scale).to(x.dtype), acc)
    tl.store(c_ptr + offs_m[:, None] * N + offs_n[None, :], acc, mask=(offs_m[:, None] < M) & mask_n)


def dequant_matmul(x, packed, scales, zeros, group):
    assert x.shape[1] == packed.shape[0] * 8, "Incompatible dimensions"
    M, K = x.shape
    _, N = packed.shape
    c = torch.empty((M, N), device=x.device, dtype=x.dtype)
    grid = lambda META: (triton.cdiv(M, META["BM"]) * triton.cdiv(N, META["BN"]),)
    matmul_kernel[grid](
        x, packed, scales, zeros, c, M, N, K, x.stride(0), x.stride(1), scales.stride(0), scales.stride(1), G=group
    )
    return c
