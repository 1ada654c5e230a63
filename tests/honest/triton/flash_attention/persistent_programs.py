"""Few programs, each walking over (batch, head, block of queries) by a grid stride; CRLF; a NamedTuple for the strides."""
from typing import NamedTuple

import torch
import triton
import triton.language as tl

PROGRAMS = 3
NEG_INF: tl.constexpr = tl.constexpr(float("-inf"))


@triton.jit
def rescale(old, new):
    return tl.exp(old - new)


@triton.jit
def load_rows(ptr, rows, dims, row_stride, dim_stride, t, d):
    mask = (rows < t)[:, None] & (dims < d)[None, :]
    return tl.load(ptr + rows[:, None] * row_stride + dims[None, :] * dim_stride, mask=mask, other=0.0)


@triton.jit
def persistent(q_ptr, k_ptr, v_ptr, o_ptr, heads, t, d, tasks, scale,
               qs0, qs1, qs2, qs3, ks0, ks1, ks2, ks3, vs0, vs1, vs2, vs3,
               CAUSAL: tl.constexpr, BQ: tl.constexpr, BK: tl.constexpr, BD: tl.constexpr):
    blocks = tl.cdiv(t, BQ)
    dims = tl.arange(0, BD)
    for task in range(tl.program_id(0), tasks, tl.num_programs(0)):
        block = task % blocks
        head = (task // blocks) % heads
        batch = task // (blocks * heads)
        rows = block * BQ + tl.arange(0, BQ)
        q = load_rows(q_ptr + batch * qs0 + head * qs1, rows, dims, qs2, qs3, t, d)
        peak = tl.full((BQ,), NEG_INF, tl.float32)
        total = tl.zeros((BQ,), tl.float32)
        out = tl.zeros((BQ, BD), tl.float32)
        for start in range(0, t, BK):
            cols = start + tl.arange(0, BK)
            k = load_rows(k_ptr + batch * ks0 + head * ks1, cols, dims, ks2, ks3, t, d)
            scores = tl.dot(q, k.trans(1, 0), input_precision="ieee") * scale
            hidden = cols[None, :] >= t
            if CAUSAL:
                hidden = hidden | (cols[None, :] > rows[:, None])
            scores = tl.where(hidden, NEG_INF, scores)
            new = tl.maximum(peak, tl.max(scores, 1))
            weights = tl.exp(scores - new[:, None])
            total = total * rescale(peak, new) + tl.sum(weights, 1)
            v = load_rows(v_ptr + batch * vs0 + head * vs1, cols, dims, vs2, vs3, t, d)
            out = out * rescale(peak, new)[:, None] + tl.dot(weights.to(v.dtype), v, input_precision="ieee")
            peak = new
        where = ((batch * heads + head) * t + rows[:, None]) * d + dims[None, :]
        tl.store(o_ptr + where, out / total[:, None], mask=(rows < t)[:, None] & (dims < d)[None, :])


class Shape(NamedTuple):
    b: int
    h: int
    t: int
    d: int


def flash_attention(q, k, v, causal=False):
    shape = Shape(*q.shape)
    BQ = BK = 32
    tasks = shape.b * shape.h * triton.cdiv(shape.t, BQ)
    o = q.new_empty(tuple(shape))
    persistent[(min(tasks, PROGRAMS),)](
        q, k, v, o, shape.h, shape.t, shape.d, tasks, shape.d ** -0.5,
        *q.stride(), *k.stride(), *v.stride(),
        CAUSAL=causal, BQ=BQ, BK=BK, BD=triton.next_power_of_2(shape.d), num_warps=4)
    return o
