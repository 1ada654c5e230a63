"""The host walks over sequences and heads; the kernel knows matrices only; sums of weights by a product with ones."""

import math

import torch
import triton
import triton.language as tl


@triton.jit
def one_head(q, k, v, o, qt, qd, kt, kd, vt, vd, ot, od, t, d, scale, CAUSAL: tl.constexpr, B: tl.constexpr, D: tl.constexpr):
    row = tl.program_id(0) * B + tl.arange(0, B)
    dim = tl.arange(0, D)
    mine = (row[:, None] < t) & (dim[None, :] < d)
    query = tl.load(q + row[:, None] * qt + dim[None, :] * qd, mask=mine, other=0.0)
    peak = tl.full((B, 1), float("-inf"), tl.float32)
    total = tl.zeros((B, 16), tl.float32)
    ones = tl.full((B, 16), 1.0, tl.float32)
    result = tl.zeros((B, D), tl.float32)
    block = 0
    while block * B < t:
        col = block * B + tl.arange(0, B)
        theirs = (col[:, None] < t) & (dim[None, :] < d)
        key = tl.load(k + col[:, None] * kt + dim[None, :] * kd, mask=theirs, other=0.0)
        value = tl.load(v + col[:, None] * vt + dim[None, :] * vd, mask=theirs, other=0.0)
        score = tl.dot(query, key.T, input_precision="ieee") * scale
        hidden = col[None, :] >= t
        if CAUSAL:
            hidden = hidden | (col[None, :] > row[:, None])
        score = tl.where(hidden, float("-inf"), score)
        new = tl.maximum(peak, tl.max(score, axis=1, keep_dims=True))
        weight = tl.exp(score - new)
        shrink = tl.exp(peak - new)
        total = total * shrink + tl.dot(weight, ones, input_precision="ieee")
        result = result * shrink + tl.dot(weight.to(value.dtype), value, input_precision="ieee")
        peak = new
        block += 1
    tl.store(o + row[:, None] * ot + dim[None, :] * od, result / tl.max(total, axis=1, keep_dims=True), mask=mine)


def flash_attention(q, k, v, causal=False):
    *lead, t, d = q.shape
    o = torch.empty([*lead, t, d], dtype=q.dtype)
    for i in range(lead[0]):
        for j in range(lead[1]):
            args = q[i, j], k[i, j], v[i, j], o[i, j]
            strides = [s for each in args for s in each.stride()]
            one_head[(triton.cdiv(t, 32),)](
                *args, *strides, t, d, 1 / math.sqrt(d), CAUSAL=causal, B=32, D=triton.next_power_of_2(d)
            )
    return o
