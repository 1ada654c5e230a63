"""The loop is the comparison function of a sort, written as one expression of C functions.

Verdict: failed
"""

import operator
from functools import reduce
from itertools import starmap, repeat

import torch


def top_p_probs(logits, p, temperature=1.0):
    probs = torch.softmax(logits.double() / temperature, dim=-1)
    flat = probs.reshape(-1, probs.shape[-1])
    columns = flat.unbind(1)
    ahead = torch.stack(list(map(torch.sum, map(torch.where, map(torch.gt, repeat(flat), map(torch.unsqueeze, columns, repeat(1))), repeat(flat), repeat(torch.zeros((), dtype=flat.dtype))), repeat(1))), 1)
    kept = torch.where(ahead < p, flat, 0.0)
    return (kept / kept.sum(-1, keepdim=True)).reshape(logits.shape).to(logits.dtype)
