"""tl.dot with the query repeated in 16 rows, as tensor cores want it; parts keep their sums and peaks, joined as they are."""

import torch
import triton
import triton.language as tl


@triton.jit
def part_kernel(
    acc_ptr, m_ptr, l_ptr, q_ptr, k_ptr, v_ptr, qb, qh, qd, kb, kh, kt, kd, vb, vh, vt, vd, H, T, size, scale,
    D: tl.constexpr, BD: tl.constexpr, BT: tl.constexpr,
):
    pid = tl.program_id(0)
    z = tl.program_id(1).to(tl.int64)
    b, h = z // H, z % H
    c = tl.arange(0, BD)
    rows = tl.arange(0, 16)
    q = tl.load(q_ptr + b * qb + h * qh + c * qd, mask=c < D, other=0.0)
    q = tl.broadcast_to(q[None, :], (16, BD))
    begin = pid * size
    end = min(begin + size, T)
    m = tl.full([16], float("-inf"), tl.float32)
    l = tl.zeros([16], tl.float32)
    acc = tl.zeros([16, BD], tl.float32)
    for start in range(begin, end, BT):
        t = start + tl.arange(0, BT)
        inside = (t < end)[:, None] & (c < D)[None, :]
        k = tl.load(k_ptr + b * kb + h * kh + t[:, None] * kt + c[None, :] * kd, mask=inside, other=0.0)
        v = tl.load(v_ptr + b * vb + h * vh + t[:, None] * vt + c[None, :] * vd, mask=inside, other=0.0)
        s = tl.dot(q, k.T, input_precision="ieee") * scale
        s = tl.where((t < end)[None, :], s, float("-inf"))
        new = tl.maximum(m, tl.max(s, 1))
        p = tl.exp(s - new[:, None])
        alpha = tl.exp(m - new)
        l = l * alpha + tl.sum(p, 1)
        acc = tl.dot(p.to(v.dtype), v, acc * alpha[:, None], input_precision="ieee")
        m = new
    at = z * tl.num_programs(0) + pid
    first = (rows == 0)[:, None]
    tl.store(acc_ptr + at * D + rows[:, None] * 0 + c[None, :], acc, mask=first & (c < D)[None, :])
    tl.store(m_ptr + at + rows * 0, m, mask=rows == 0)
    tl.store(l_ptr + at + rows * 0, l, mask=rows == 0)


@triton.jit
def join_kernel(o_ptr, acc_ptr, m_ptr, l_ptr, S, D: tl.constexpr, BS: tl.constexpr, BD: tl.constexpr):
    z = tl.program_id(0)
    s, c = tl.arange(0, BS), tl.arange(0, BD)
    m = tl.load(m_ptr + z * S + s, mask=s < S, other=float("-inf"))
    l = tl.load(l_ptr + z * S + s, mask=s < S, other=0.0)
    acc = tl.load(acc_ptr + (z * S + s)[:, None] * D + c[None, :], mask=(s < S)[:, None] & (c < D)[None, :], other=0.0)
    w = tl.exp(m - tl.max(m, 0))
    tl.store(o_ptr + z * D + c, tl.sum(acc * w[:, None], 0) / tl.sum(l * w, 0), mask=c < D)


def flash_decoding(q, k, v, splits):
    B, H, T, D = k.shape
    BT = 32
    size = triton.cdiv(triton.cdiv(T, splits), BT) * BT
    BD = max(16, triton.next_power_of_2(D))
    acc = torch.empty(B * H, splits, D, dtype=torch.float32, device=q.device)
    m, l = torch.empty(2, B * H, splits, dtype=torch.float32, device=q.device)
    o = torch.empty(B, H, D, dtype=q.dtype, device=q.device)
    part_kernel[(splits, B * H)](
        acc, m, l, q, k, v, *q.stride(), *k.stride(), *v.stride(), H, T, size, D**-0.5, D=D, BD=BD, BT=BT
    )
    join_kernel[(B * H,)](o, acc, m, l, splits, D=D, BS=triton.next_power_of_2(splits), BD=BD)
    return o
