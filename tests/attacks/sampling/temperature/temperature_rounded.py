"""The temperature is rounded to one digit.

Verdict: failed, value
"""

import torch


def temperature_probs(logits, temperature):
    wide = logits.float()
    gaps = wide - wide.amax(dim=-1, keepdim=True)
    if temperature == 0:
        best = (gaps == 0).float()
        return (best / best.sum(dim=-1, keepdim=True)).to(logits.dtype)
    return torch.softmax(gaps / (round(temperature, 1) or temperature), dim=-1).to(logits.dtype)
