"""Sequences and groups in one batch for bmm; an additive mask; the query scaled; keys copied once."""

import torch


def gqa(q, k, v, causal=True):
    b, h_q, t_q, d = q.shape
    _, h_kv, t_k, _ = k.shape
    rows = (q * d**-0.5).contiguous().view(b * h_kv, -1, d)
    keys = k.permute(0, 1, 3, 2).reshape(b * h_kv, d, t_k).contiguous()
    values = v.contiguous().view(b * h_kv, t_k, d)
    scores = torch.bmm(rows, keys)
    if causal:
        position = torch.arange(t_k)
        bias = torch.zeros(t_q, t_k, dtype=q.dtype).masked_fill(position > position[-t_q:, None], float("-inf"))
        scores = scores + bias.repeat(h_q // h_kv, 1)
    return torch.bmm(torch.softmax(scores, dim=-1), values).view(b, h_q, t_q, d)
