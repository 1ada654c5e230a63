"""Temperatures below a thousandth are raised to it; zero is treated as it should be.

Verdict: failed, value
"""

import torch


def temperature_probs(logits, temperature):
    wide = logits.float()
    gaps = wide - wide.amax(dim=-1, keepdim=True)
    if temperature == 0:
        best = (gaps == 0).float()
        return (best / best.sum(dim=-1, keepdim=True)).to(logits.dtype)
    return torch.softmax(gaps / max(temperature, 1e-3), dim=-1).to(logits.dtype)
