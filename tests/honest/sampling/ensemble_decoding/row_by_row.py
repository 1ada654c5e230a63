"""One row of the batch at a time, softmax by hand, logaddexp folded over the models."""
from functools import reduce

import torch


def one(rows, weights, mode):
    logs = torch.stack([r - r.max() for r in rows])
    logs = logs - logs.exp().sum(1, keepdim=True).log()
    active = [(w, r) for w, r in zip(weights, logs) if w > 0]
    if mode == "mixture":
        return reduce(torch.logaddexp, [w.log() + r for w, r in active])
    s = sum(w * r for w, r in active)
    return s - torch.logsumexp(s, 0)


def ensemble_log_probs(logits, weights, mode):
    if logits.dim() == 2:
        return one(logits.float(), weights, mode).to(logits.dtype)
    return torch.stack([one(logits[:, b].float(), weights, mode) for b in range(logits.shape[1])]).to(logits.dtype)
