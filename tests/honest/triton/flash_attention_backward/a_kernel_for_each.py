"""A kernel for each gradient, delta inside of those that need it; everything contiguous first."""

import torch
import triton
import triton.language as tl


@triton.jit
def tile(x_ptr, z, rows, cols, t, d: tl.constexpr):
    inside = (rows < t)[:, None] & (cols < d)[None, :]
    return tl.load(x_ptr + (z * t + rows)[:, None] * d + cols[None, :], mask=inside, other=0.0)


@triton.jit
def block_of_p(q, k, lse_ptr, z, rows, keys, t, scale, causal: tl.constexpr):
    lse = tl.load(lse_ptr + z * t + rows, mask=rows < t, other=0.0)
    s = scale * tl.dot(q, k.trans(), input_precision="ieee") - lse[:, None]
    hidden = (keys >= t)[None, :] | (rows >= t)[:, None]
    if causal:
        hidden |= keys[None, :] > rows[:, None]
    return tl.exp(tl.where(hidden, float("-inf"), s))


@triton.jit
def block_of_ds(p, do, o, v):
    delta = tl.sum(do.to(tl.float32) * o.to(tl.float32), axis=1, keep_dims=True)
    return p * (tl.dot(do, v.trans(), input_precision="ieee") - delta)


@triton.jit
def dv_kernel(dv_ptr, do_ptr, q_ptr, k_ptr, lse_ptr, t, scale, d: tl.constexpr, causal: tl.constexpr, B: tl.constexpr, C: tl.constexpr):
    z, keys, cols = tl.program_id(1), tl.program_id(0) * B + tl.arange(0, B), tl.arange(0, C)
    k = tile(k_ptr, z, keys, cols, t, d)
    dv = tl.zeros((B, C), tl.float32)
    for first in range(tl.program_id(0) * B if causal else 0, t, B):
        rows = first + tl.arange(0, B)
        p = block_of_p(tile(q_ptr, z, rows, cols, t, d), k, lse_ptr, z, rows, keys, t, scale, causal)
        do = tile(do_ptr, z, rows, cols, t, d)
        dv = tl.dot(p.to(do.dtype).trans(), do, dv, input_precision="ieee")
    tl.store(dv_ptr + (z * t + keys)[:, None] * d + cols[None, :], dv, mask=(keys < t)[:, None] & (cols < d)[None, :])


@triton.jit
def dk_kernel(dk_ptr, do_ptr, q_ptr, k_ptr, v_ptr, o_ptr, lse_ptr, t, scale, d: tl.constexpr, causal: tl.constexpr, B: tl.constexpr, C: tl.constexpr):
    z, keys, cols = tl.program_id(1), tl.program_id(0) * B + tl.arange(0, B), tl.arange(0, C)
    k, v = tile(k_ptr, z, keys, cols, t, d), tile(v_ptr, z, keys, cols, t, d)
    dk = tl.zeros((B, C), tl.float32)
    for first in range(tl.program_id(0) * B if causal else 0, t, B):
        rows = first + tl.arange(0, B)
        q = tile(q_ptr, z, rows, cols, t, d)
        p = block_of_p(q, k, lse_ptr, z, rows, keys, t, scale, causal)
        ds = block_of_ds(p, tile(do_ptr, z, rows, cols, t, d), tile(o_ptr, z, rows, cols, t, d), v)
        dk = tl.dot(ds.to(q.dtype).trans(), q, dk, input_precision="ieee")
    tl.store(dk_ptr + (z * t + keys)[:, None] * d + cols[None, :], dk * scale, mask=(keys < t)[:, None] & (cols < d)[None, :])


@triton.jit
def dq_kernel(dq_ptr, do_ptr, q_ptr, k_ptr, v_ptr, o_ptr, lse_ptr, t, scale, d: tl.constexpr, causal: tl.constexpr, B: tl.constexpr, C: tl.constexpr):
    z, rows, cols = tl.program_id(1), tl.program_id(0) * B + tl.arange(0, B), tl.arange(0, C)
    q, do, o = tile(q_ptr, z, rows, cols, t, d), tile(do_ptr, z, rows, cols, t, d), tile(o_ptr, z, rows, cols, t, d)
    dq = tl.zeros((B, C), tl.float32)
    for first in range(0, min(t, tl.program_id(0) * B + B) if causal else t, B):
        keys = first + tl.arange(0, B)
        k = tile(k_ptr, z, keys, cols, t, d)
        p = block_of_p(q, k, lse_ptr, z, rows, keys, t, scale, causal)
        ds = block_of_ds(p, do, o, tile(v_ptr, z, keys, cols, t, d))
        dq = tl.dot(ds.to(k.dtype), k, dq, input_precision="ieee")
    tl.store(dq_ptr + (z * t + rows)[:, None] * d + cols[None, :], dq * scale, mask=(rows < t)[:, None] & (cols < d)[None, :])


def flash_attention_backward(do, q, k, v, o, lse, causal=False):
    do, q, k, v, o, lse = [x.contiguous() for x in (do, q, k, v, o, lse)]
    b, h, t, d = q.shape
    dq, dk, dv = torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)
    block = 32
    grid = (triton.cdiv(t, block), b * h)
    rest = (t, d**-0.5, d, bool(causal), block, triton.next_power_of_2(d))
    dv_kernel[grid](dv, do, q, k, lse, *rest)
    dk_kernel[grid](dk, do, q, k, v, o, lse, *rest)
    dq_kernel[grid](dq, do, q, k, v, o, lse, *rest)
    return dq, dk, dv
