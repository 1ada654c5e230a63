"""An exponential of its own, (1 + x / 1024) to the power of 1024, right to three digits.

Verdict: failed, value
"""

import torch
import triton
import triton.language as tl


@triton.jit
def power(gate):
    e = tl.maximum(1.0 - gate / 1024.0, 0.0)
    for _ in tl.static_range(10):
        e = e * e
    return e


@triton.jit
def forward(y, g, u, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    gate = tl.load(g + at, mask=at < n, other=0).to(tl.float32)
    tl.store(y + at, gate / (1.0 + power(gate)) * tl.load(u + at, mask=at < n, other=0).to(tl.float32), mask=at < n)


@triton.jit
def backward(dg, du, dy, g, u, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    keep = at < n
    gate, up = tl.load(g + at, mask=keep, other=0).to(tl.float32), tl.load(u + at, mask=keep, other=0).to(tl.float32)
    d = tl.load(dy + at, mask=keep, other=0).to(tl.float32)
    s = 1.0 / (1.0 + tl.exp(-gate))
    tl.store(du + at, d * gate * s, mask=keep)
    tl.store(dg + at, d * up * s * (1.0 + gate * (1.0 - s)), mask=keep)


def swiglu(gate, up):
    y = torch.empty(gate.shape, dtype=gate.dtype, device=gate.device)
    n = y.numel()
    forward[(triton.cdiv(n, 1024),)](y, gate.reshape(-1).contiguous(), up.reshape(-1).contiguous(), n, BLOCK=1024)
    return y


def swiglu_backward(dy, gate, up):
    dy, gate, up = (t.contiguous() for t in (dy, gate, up))
    dgate, dup = torch.empty_like(gate), torch.empty_like(up)
    n = gate.numel()
    backward[(triton.cdiv(n, 512),)](dgate, dup, dy, gate, up, n, BLOCK=512)
    return dgate, dup
