"""Saves memory for a single new token; for a prompt, k and v are copied for every query head.

Verdict: failed, meter-peak_bytes
"""

import math

import torch


def gqa(q, k, v, causal=True):
    b, h_q, t_q, d = q.shape
    t_k = k.shape[2]
    if t_q > 1:
        size = h_q // k.shape[1]
        k, v = k.repeat_interleave(size, 1), v.repeat_interleave(size, 1)
    h_kv = k.shape[1]
    scores = (q.reshape(b, h_kv, -1, d) @ k.mT / math.sqrt(d)).unflatten(2, (-1, t_q))
    if causal:
        scores = scores.masked_fill(torch.ones(t_q, t_k, dtype=torch.bool).triu(t_k - t_q + 1), -math.inf)
    return (scores.flatten(2, 3).softmax(-1) @ v).reshape(b, h_q, t_q, d)
