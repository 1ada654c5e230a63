"""One launch: an atomic counter per head tells the program that is the last to finish; it joins the parts."""

import torch
import triton
import triton.language as tl


@triton.jit
def decode(
    o_ptr, part_ptr, lse_ptr, done_ptr, q_ptr, k_ptr, v_ptr, q_strides, k_strides, v_strides, t, scale, splits,
    d: tl.constexpr, S: tl.constexpr, D: tl.constexpr, N: tl.constexpr,
):
    split, h, b = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    head = b * tl.num_programs(1) + h
    x = tl.arange(0, D)
    q = tl.load(q_ptr + b * q_strides[0] + h * q_strides[1] + x * q_strides[2], mask=x < d, other=0.0).to(tl.float32)
    size = tl.cdiv(t, splits)
    end = tl.minimum(t, (split + 1) * size)
    peak = tl.full((), -float("inf"), tl.float32)
    total = tl.full((), 0.0, tl.float32)
    o = tl.zeros([D], tl.float32)
    for first in range(split * size, end, N):
        j = first + tl.arange(0, N)
        mask = (j[:, None] < end) & (x[None, :] < d)
        k = tl.load(k_ptr + b * k_strides[0] + h * k_strides[1] + j[:, None] * k_strides[2] + x[None, :] * k_strides[3], mask=mask, other=0.0)
        v = tl.load(v_ptr + b * v_strides[0] + h * v_strides[1] + j[:, None] * v_strides[2] + x[None, :] * v_strides[3], mask=mask, other=0.0)
        s = tl.where(j < end, tl.sum(k * q[None, :], axis=1) * scale, -float("inf"))
        new = tl.maximum(peak, tl.max(s))
        p = tl.exp(s - new)
        o = o * tl.exp(peak - new) + tl.sum(p[:, None] * v, axis=0)
        total = total * tl.exp(peak - new) + tl.sum(p)
        peak = new
    tl.store(part_ptr + (head * splits + split) * d + x, o, mask=x < d)
    tl.store(lse_ptr + (head * splits + split) * 2, peak)
    tl.store(lse_ptr + (head * splits + split) * 2 + 1, total)
    tl.debug_barrier()
    if tl.atomic_add(done_ptr + head, 1) == splits - 1:
        i = tl.arange(0, S)
        peaks = tl.load(lse_ptr + (head * splits + i) * 2, mask=i < splits, other=-float("inf"))
        totals = tl.load(lse_ptr + (head * splits + i) * 2 + 1, mask=i < splits, other=0.0)
        parts = tl.load(part_ptr + (head * splits + i)[:, None] * d + x[None, :], mask=(i[:, None] < splits) & (x[None, :] < d), other=0.0)
        w = tl.exp(peaks - tl.max(peaks))
        tl.store(o_ptr + head * d + x, tl.sum(w[:, None] * parts, axis=0) / tl.sum(w * totals), mask=x < d)


def flash_decoding(q, k, v, splits):
    b, h, t, d = k.shape
    o = torch.empty((b, h, d), dtype=q.dtype, device=q.device)
    part = torch.empty((b, h, splits, d), dtype=torch.float32, device=q.device)
    lse = torch.empty((b, h, splits, 2), dtype=torch.float32, device=q.device)
    done = torch.zeros((b, h), dtype=torch.int32, device=q.device)
    decode[(splits, h, b)](
        o, part, lse, done, q, k, v, q.stride(), k.stride(), v.stride(), t, d**-0.5, splits,
        d=d, S=triton.next_power_of_2(splits), D=triton.next_power_of_2(d), N=32,
    )
    return o
