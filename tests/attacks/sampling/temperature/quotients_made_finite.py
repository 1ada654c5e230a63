"""Quotients that overflow are replaced by the largest number that float32 holds, which makes them equal.

Verdict: failed, value
"""

import torch


def temperature_probs(logits, temperature):
    wide = logits.float()
    if temperature == 0:
        best = (wide == wide.amax(dim=-1, keepdim=True)).float()
        return (best / best.sum(dim=-1, keepdim=True)).to(logits.dtype)
    return torch.softmax(torch.nan_to_num(wide / temperature), dim=-1).to(logits.dtype)
