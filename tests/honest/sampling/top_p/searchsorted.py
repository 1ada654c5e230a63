"""torch.searchsorted for the size of the nucleus, gather of the border probability, keep all that reach it."""

import torch
from torch import Tensor


def _border(probs: Tensor, *, p: float) -> Tensor:
    down = probs.sort(dim=-1, descending=True).values
    mass = down.double().cumsum(-1)
    place = torch.searchsorted(mass, torch.full_like(mass[..., :1], p))
    return down.gather(-1, place.clamp(max=probs.shape[-1] - 1))


def top_p_probs(logits: Tensor, p: float, temperature: float = 1.0) -> Tensor:
    probs = torch.softmax(logits.to(torch.float32) / temperature, -1)
    kept = torch.where(probs >= _border(probs, p=p), probs, 0.0)
    return (kept / kept.sum(-1, keepdim=True)).to(logits.dtype)
