"""One function for each mode; the product takes raw logits, whose constants cancel, and masks what has no say."""
import torch


def mixture(scores, weights):
    return (scores + weights.log()).logsumexp(0)


def product(scores, weights):
    return (scores * weights).masked_fill(weights == 0, 0.0).sum(0).log_softmax(-1)


def ensemble_log_probs(logits, weights, mode):
    w = weights[(slice(None),) + (None,) * (logits.ndim - 1)]
    z = logits.float()
    if mode == "product":
        return product(z, w)
    return mixture(z - z.logsumexp(-1, True), w)
