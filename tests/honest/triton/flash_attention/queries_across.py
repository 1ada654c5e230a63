"""Keys in the rows and queries in the columns of a block; the state runs along axis 1, o is transposed at the end."""

import torch
import triton
import triton.language as tl


@triton.jit
def attend(
    Q, K, V, O, qb, qh, qt, qd, kb, kh, kt, kd, vb, vh, vt, vd, T, SCALE,
    DIM: tl.constexpr, CAUSAL: tl.constexpr, BQ: tl.constexpr, BK: tl.constexpr, BD: tl.constexpr,
):  # fmt: skip
    start = tl.program_id(2) * BQ
    Q += tl.program_id(0) * qb + tl.program_id(1) * qh
    K += tl.program_id(0) * kb + tl.program_id(1) * kh
    V += tl.program_id(0) * vb + tl.program_id(1) * vh
    O += (tl.program_id(0) * tl.num_programs(1) + tl.program_id(1)) * T * DIM
    rows, dims = start + tl.arange(0, BQ), tl.arange(0, BD)
    own = (dims < DIM)[:, None] & (rows < T)[None, :]
    queries = tl.load(Q + dims[:, None] * qd + rows[None, :] * qt, mask=own, other=0)  # (BD, BQ)
    peak = tl.zeros([BQ], tl.float32) - float("inf")
    total = tl.zeros([BQ], tl.float32)
    acc = tl.zeros([BD, BQ], tl.float32)
    end = tl.minimum(start + BQ, T) if CAUSAL else T
    for first in tl.range(0, end, BK):
        cols = first + tl.arange(0, BK)
        inside = (cols < T)[:, None] & (dims < DIM)[None, :]
        keys = tl.load(K + cols[:, None] * kt + dims[None, :] * kd, mask=inside, other=0)
        values = tl.load(V + cols[:, None] * vt + dims[None, :] * vd, mask=inside, other=0)
        s = SCALE * tl.dot(keys, queries, input_precision="ieee")  # (BK, BQ)
        s = tl.where((cols < T)[:, None], s, -float("inf"))
        if CAUSAL:
            s = tl.where(cols[:, None] <= rows[None, :], s, -float("inf"))
        new = tl.maximum(peak, tl.max(s, axis=0))
        p = tl.exp(s - new[None, :])
        fade = tl.exp(peak - new)
        total = total * fade + tl.sum(p, axis=0)
        acc = acc * fade[None, :] + tl.dot(tl.trans(values), p.to(values.dtype), input_precision="ieee")
        peak = new
    acc = tl.trans(acc / total[None, :])
    tl.store(O + rows[:, None] * DIM + dims[None, :], acc, mask=(rows < T)[:, None] & (dims < DIM)[None, :])


def flash_attention(q, k, v, causal=False):
    B, H, T, D = q.shape
    out = q.new_empty((B, H, T, D))
    attend[(B, H, triton.cdiv(T, 32))](
        q, k, v, out, *q.stride(), *k.stride(), *v.stride(), T, D**-0.5,
        DIM=D, CAUSAL=causal, BQ=32, BK=32, BD=triton.next_power_of_2(D),
    )  # fmt: skip
    return out
