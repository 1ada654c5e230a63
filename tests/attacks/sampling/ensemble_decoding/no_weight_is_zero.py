"""Lifts weights to a trillionth, so that their logarithm is finite.

Verdict: failed
"""

import torch


def ensemble_log_probs(logits, weights, mode):
    log_probs = torch.log_softmax(logits.float(), dim=-1)
    if mode == "mixture":
        shares = weights.clamp(min=1e-12).log().reshape(-1, *[1] * (logits.ndim - 1))
        return torch.logsumexp(shares + log_probs, dim=0).to(logits.dtype)
    kept = weights > 0
    return torch.log_softmax(torch.einsum("m,m...->...", weights[kept], log_probs[kept]), dim=-1).to(logits.dtype)
