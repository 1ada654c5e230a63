"""No shift of its own: float64 holds every quotient, and softmax does the rest."""

import torch
import torch.nn.functional as F


def temperature_probs(logits, temperature):
    x = logits.double()
    if temperature:
        return F.softmax(x / temperature, dim=-1).to(logits.dtype)
    ties = x.eq(x.max(dim=-1, keepdim=True).values).double()
    return F.normalize(ties, p=1, dim=-1).to(logits.dtype)
