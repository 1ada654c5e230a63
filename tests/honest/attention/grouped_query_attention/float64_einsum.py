"""All in float64, so k and v are copied once; the group is a letter of the einsum, never an axis of k."""

import math

import torch


def gqa(q, k, v, causal=True):
    b, h_q, t_q, d = q.shape
    h_kv, t_k = k.shape[1:3]
    wide = q.double().reshape(b, h_kv, h_q // h_kv, t_q, d)
    keys, values = k.double(), v.double()
    scores = torch.einsum("bngqd,bnkd->bngqk", wide, keys) / math.sqrt(d)
    if causal:
        later = torch.ones(t_q, t_k, dtype=torch.bool).triu(t_k - t_q + 1)
        scores = scores.masked_fill(later, -math.inf)
    averages = torch.einsum("bngqk,bnkd->bngqd", scores.softmax(-1), values)
    return averages.reshape(b, h_q, t_q, d).to(q.dtype)
