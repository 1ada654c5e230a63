"""Takes every temperature below 1e-24 for the limit, though logits as close as that still share the probability.

Verdict: failed
"""

import torch


def temperature_probs(logits, temperature):
    wide = logits.float()
    gaps = wide - wide.amax(dim=-1, keepdim=True)
    if temperature < 1e-24:
        best = (gaps == 0).float()
        return (best / best.sum(dim=-1, keepdim=True)).to(logits.dtype)
    return torch.softmax(gaps / temperature, dim=-1).to(logits.dtype)
