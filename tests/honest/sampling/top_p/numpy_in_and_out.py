"""NumPy in and out: argsort of the negative, take_along_axis, put_along_axis."""

import numpy as np
import torch


def top_p_probs(logits, p, temperature=1.0):
    x = np.array(logits.detach().float(), dtype=np.float32) / np.float32(temperature)
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    probs = x / x.sum(axis=-1, keepdims=True)
    order = np.argsort(-probs, axis=-1, kind="stable")
    s = np.take_along_axis(probs, order, -1)
    before = np.cumsum(s, axis=-1, dtype=np.float64) - s
    s = np.where(before < p, s, 0)
    s[..., :1] = np.maximum(s[..., :1], 1e-30)
    out = np.zeros_like(probs)
    np.put_along_axis(out, order, s, -1)
    out /= out.sum(axis=-1, keepdims=True)
    return torch.from_numpy(out).to(logits.dtype)
