"""An nn.Module around an autograd.Function; log-sum-exp stored too for a backward; heuristics; linear programs by swizzle."""

import torch
import triton
import triton.language as tl
from torch import nn


@triton.heuristics({
    "BLOCK_D": lambda args: triton.next_power_of_2(args["d"]),
    "EVEN": lambda args: args["t"] % args["BLOCK"] == 0,
})
@triton.jit
def forward_kernel(
    o, lse, q, k, v, qs0, qs1, qs2, qs3, ks0, ks1, ks2, ks3, vs0, vs1, vs2, vs3, h, t, d, scale,
    CAUSAL: tl.constexpr, BLOCK: tl.constexpr, BLOCK_D: tl.constexpr, EVEN: tl.constexpr,
):
    pid = tl.program_id(0)
    blocks = tl.cdiv(t, BLOCK)
    i, bh = pid % blocks, pid // blocks
    b = bh // h
    n = bh % h
    r = i * BLOCK + tl.arange(0, BLOCK)
    c = tl.arange(0, BLOCK_D)
    cm = c[None, :] < d
    rm = cm if EVEN else cm & (r[:, None] < t)
    Q = tl.load(q + b * qs0 + n * qs1 + r[:, None] * qs2 + c[None, :] * qs3, mask=rm & (r[:, None] < t), other=0.0)
    m = tl.full([BLOCK], -float("inf"), tl.float32)
    s = tl.full([BLOCK], 0.0, tl.float32)
    acc = tl.zeros([BLOCK, BLOCK_D], tl.float32)
    last = i + 1 if CAUSAL else blocks
    for j in range(last):
        kk = j * BLOCK + tl.arange(0, BLOCK)
        km = cm & (kk[:, None] < t)
        K = tl.load(k + b * ks0 + n * ks1 + kk[:, None] * ks2 + c[None, :] * ks3, mask=km, other=0.0)
        V = tl.load(v + b * vs0 + n * vs1 + kk[:, None] * vs2 + c[None, :] * vs3, mask=km, other=0.0)
        S = tl.dot(Q, K.T, input_precision="ieee")
        S *= scale
        see = kk[None, :] < t
        if CAUSAL:
            see &= kk[None, :] <= r[:, None]
        S = tl.where(see, S, -float("inf"))
        m2 = tl.maximum(m, S.max(axis=1))
        P = tl.exp(S - m2[:, None])
        f = tl.exp(m - m2)
        s = tl.fma(s, f, P.sum(axis=1))
        acc = acc * f[:, None] + tl.dot(P.to(V.dtype), V, input_precision="ieee")
        m = m2
    tl.store(lse + bh * t + r, m + tl.log(s), mask=r < t)
    tl.store(o + bh.to(tl.int64) * t * d + r[:, None] * d + c[None, :], acc / s[:, None], mask=cm & (r[:, None] < t))


class Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx, q, k, v, causal):
        b, h, t, d = q.shape
        o = q.new_empty(b, h, t, d)
        lse = torch.empty(b, h, t, dtype=torch.float32, device=q.device)
        BLOCK = 32
        forward_kernel[(triton.cdiv(t, BLOCK) * b * h,)](
            o, lse, q, k, v, *q.stride(), *k.stride(), *v.stride(), h, t, d, d**-0.5, CAUSAL=causal, BLOCK=BLOCK
        )
        ctx.save_for_backward(q, k, v, o, lse)
        ctx.causal = causal
        return o

    @staticmethod
    def backward(ctx, grad):
        raise NotImplementedError("forward only")


class Flash(nn.Module):
    def __init__(self, causal=False):
        super().__init__()
        self.causal = causal

    def forward(self, q, k, v):
        return Attention.apply(q, k, v, self.causal)


def flash_attention(q, k, v, causal=False):
    return Flash(causal)(q, k, v)
