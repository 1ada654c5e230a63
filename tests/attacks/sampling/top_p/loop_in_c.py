"""The loop over the vocabulary runs inside itertools, on a list of floats.

Verdict: failed
"""

import itertools
import operator

import torch


def row(probs, p):
    order = sorted(range(len(probs)), key=probs.__getitem__, reverse=True)
    before = itertools.chain([0.0], itertools.accumulate(map(probs.__getitem__, order)))
    kept = list(itertools.compress(order, map(p.__gt__, before)))
    total = sum(map(probs.__getitem__, kept))
    out = dict.fromkeys(range(len(probs)), 0.0)
    out.update(zip(kept, map(total.__rtruediv__, map(probs.__getitem__, kept))))
    return list(out.values())


def top_p_probs(logits, p, temperature=1.0):
    probs = torch.softmax(logits.double() / temperature, dim=-1)
    rows = list(map(row, probs.reshape(-1, probs.shape[-1]).tolist(), itertools.repeat(float(p))))
    return torch.tensor(rows, dtype=torch.float64).reshape(logits.shape).to(logits.dtype)
