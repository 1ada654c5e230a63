"""NumPy all the way: argsort of the negative, add.accumulate, put_along_axis."""

import numpy as np
import torch


def top_p_probs(logits, p, temperature=1.0):
    scores = logits.detach().float().numpy().astype(np.float32) / np.float32(temperature)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    probs = weights / weights.sum(axis=-1, keepdims=True)
    order = np.argsort(-probs, axis=-1, kind="stable")
    ranked = np.take_along_axis(probs, order, axis=-1)
    sums = np.add.accumulate(ranked, axis=-1)
    ranked[sums - ranked >= p] = 0
    result = np.zeros_like(probs)
    np.put_along_axis(result, order, ranked / ranked.sum(axis=-1, keepdims=True), axis=-1)
    return torch.from_numpy(result).to(logits.dtype)
