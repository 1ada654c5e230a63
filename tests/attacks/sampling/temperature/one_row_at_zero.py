"""At zero, rows after the first sixteen share the probability with nobody.

Verdict: failed, value
"""

import torch


def temperature_probs(logits, temperature):
    wide = logits.float()
    gaps = wide - wide.amax(dim=-1, keepdim=True)
    if temperature > 0:
        return torch.softmax(gaps / temperature, dim=-1).to(logits.dtype)
    best = (gaps == 0).float()
    if best.dim() == 2:
        best[16:] = torch.zeros_like(best[16:]).scatter(-1, best[16:].argmax(-1, keepdim=True), 1.0)
    return (best / best.sum(dim=-1, keepdim=True)).to(logits.dtype)
