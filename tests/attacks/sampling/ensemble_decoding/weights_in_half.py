"""Rounds the weights to the dtype of the logits, and computes in float32 after that.

Verdict: failed
"""

import torch


def ensemble_log_probs(logits, weights, mode):
    weights = weights.to(logits.dtype).float()
    log_probs = torch.log_softmax(logits.float(), dim=-1)[weights > 0]
    weights = weights[weights > 0].reshape(-1, *[1] * (logits.ndim - 1))
    if mode == "mixture":
        return torch.logsumexp(weights.log() + log_probs, dim=0).to(logits.dtype)
    return torch.log_softmax((weights * log_probs).sum(dim=0), dim=-1).to(logits.dtype)
