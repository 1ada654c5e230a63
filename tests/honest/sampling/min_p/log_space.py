"""No softmax: a quotient of probabilities is a difference of logits; torch's logarithm of 0 is -inf."""
import torch


def min_p_filter(logits, min_p):
    wide = logits.to(torch.float32)
    distance = torch.log(torch.tensor(min_p, dtype=torch.float32))
    keep = wide - wide.amax(-1, keepdim=True) >= distance
    return torch.where(keep, logits, torch.full_like(logits, -torch.inf))
