"""Leaves out models whose weight is below a thousandth, although they can make a token impossible.

Verdict: failed
"""

import torch


def ensemble_log_probs(logits, weights, mode):
    kept = weights > 1e-3
    log_probs = torch.log_softmax(logits[kept].float(), dim=-1)
    weights = weights[kept].reshape(-1, *[1] * (logits.ndim - 1))
    if mode == "mixture":
        return torch.logsumexp(weights.log() + log_probs, dim=0).to(logits.dtype)
    return torch.log_softmax((weights * log_probs).sum(dim=0), dim=-1).to(logits.dtype)
