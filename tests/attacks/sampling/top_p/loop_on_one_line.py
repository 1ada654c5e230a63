"""The loop is a while on one line, whose body and test are the same line.

Verdict: failed
"""

import torch


def top_p_probs(logits, p, temperature=1.0):
    probs = torch.softmax(logits.float() / temperature, dim=-1)
    flat, out = probs.reshape(-1, probs.shape[-1]), torch.zeros(logits.shape)
    rows = out.view(flat.shape)
    state = [(i, j, rows.__setitem__((i, j), flat[i, j])) for i in range(len(flat)) for j in range(flat.shape[1]) if flat[i][flat[i] > flat[i, j]].sum() < p]
    return (out / out.sum(-1, keepdim=True)).to(logits.dtype)
