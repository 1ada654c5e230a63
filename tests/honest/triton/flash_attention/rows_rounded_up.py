"""As Tri Dao's first Triton version: heuristics say what needs no mask; log-sum-exp and a scratch row of padded length."""

import math

import torch
import triton
import triton.language as tl


@triton.heuristics(
    {
        "WHOLE": lambda args: args["T"] % args["BLOCK"] == 0,
        "WHOLE_D": lambda args: args["D"] == args["BLOCK_D"],
    }
)
@triton.jit
def forward(
    Q, K, V, O, LSE, TMP, scale, qb, qh, qt, kb, kh, kt, vb, vh, vt, ob, oh, ot, H, T, padded, D,
    BIAS: tl.constexpr, CAUSAL: tl.constexpr, BLOCK: tl.constexpr, BLOCK_D: tl.constexpr,
    WHOLE: tl.constexpr, WHOLE_D: tl.constexpr,
):  # fmt: skip
    block, head = tl.program_id(0), tl.program_id(1)
    b, h = head // H, head % H
    rows = block * BLOCK + tl.arange(0, BLOCK)
    step = tl.arange(0, BLOCK)
    dims = tl.arange(0, BLOCK_D)
    q_ptrs = Q + b * qb + h * qh + (rows[:, None] * qt + dims[None, :])
    k_ptrs = K + b * kb + h * kh + (step[:, None] * kt + dims[None, :])
    v_ptrs = V + b * vb + h * vh + (step[:, None] * vt + dims[None, :])
    o_ptrs = O + b * ob + h * oh + (rows[:, None] * ot + dims[None, :])
    tmp = TMP + head * padded + rows
    lse = tl.zeros([BLOCK], tl.float32) - float("inf")
    peak = tl.zeros([BLOCK], tl.float32) - float("inf")
    acc = tl.zeros([BLOCK, BLOCK_D], tl.float32)
    if WHOLE & WHOLE_D:
        q = tl.load(q_ptrs)
    else:
        q = tl.load(q_ptrs, mask=(rows[:, None] < T) & (dims[None, :] < D), other=0.0)
    end = T if not CAUSAL else tl.minimum((block + 1) * BLOCK, T)
    for first in range(0, end, BLOCK):
        first = tl.multiple_of(first, BLOCK)
        if WHOLE & WHOLE_D:
            k = tl.load(k_ptrs + first * kt)
            v = tl.load(v_ptrs + first * vt)
        else:
            inside = ((first + step)[:, None] < T) & (dims[None, :] < D)
            k = tl.load(k_ptrs + first * kt, mask=inside, other=0.0)
            v = tl.load(v_ptrs + first * vt, mask=inside, other=0.0)
        s = tl.dot(q, tl.trans(k), input_precision="ieee")
        if not WHOLE:
            s += tl.where((first + step)[None, :] < T, 0, float("-inf"))
        if CAUSAL:
            s += tl.where(rows[:, None] >= (first + step)[None, :], 0, float("-inf"))
        tl.static_assert(BIAS == "none")
        new = tl.maximum(tl.max(s, 1) * scale, lse)
        p = tl.exp(s * scale - new[:, None])
        tl.store(tmp, tl.exp(peak - new))
        acc = acc * tl.load(tmp)[:, None] + tl.dot(p.to(v.dtype), v, input_precision="ieee")
        peak = new
        lse = new + tl.log(tl.exp(lse - new) + tl.sum(p, 1))
    tl.store(tmp, tl.exp(peak - lse))
    acc = acc * tl.load(tmp)[:, None]
    tl.store(LSE + head * padded + rows, lse)
    if WHOLE & WHOLE_D:
        tl.store(o_ptrs, acc)
    else:
        tl.store(o_ptrs, acc, mask=(rows[:, None] < T) & (dims[None, :] < D))


class Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx, q, k, v, causal):
        q, k, v = (x if x.stride(-1) == 1 else x.contiguous() for x in (q, k, v))
        b, t, h, d = q.shape
        padded = math.ceil(t / 128) * 128
        lse = torch.empty((b, h, padded), device=q.device, dtype=torch.float32)
        tmp = torch.empty((b, h, padded), device=q.device, dtype=torch.float32)
        o = torch.empty((b, t, h, d), device=q.device, dtype=q.dtype)
        strides = [x.stride(axis) for x in (q, k, v, o) for axis in (0, 2, 1)]
        grid = lambda META: (triton.cdiv(t, META["BLOCK"]), b * h)
        forward[grid](
            q, k, v, o, lse, tmp, 1.0 / math.sqrt(d), *strides, h, t, padded, d, "none", causal,
            BLOCK=64, BLOCK_D=max(triton.next_power_of_2(d), 16), num_warps=4 if d <= 64 else 8, num_stages=1,
        )  # fmt: skip
        ctx.save_for_backward(q, k, v, o, lse)
        return o


def flash_attention(q, k, v, causal=False):
    return Attention.apply(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), causal).transpose(1, 2)
