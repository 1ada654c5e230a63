"""No sort: bisection for the threshold on the bit patterns of float32, which order like the numbers."""

import torch

BITS = 31


def mass_at_least(probs: torch.Tensor, threshold: torch.Tensor) -> torch.Tensor:
    return (probs * (probs >= threshold)).sum(-1, keepdim=True)


def top_p_probs(logits: torch.Tensor, p: float, temperature: float = 1.0) -> torch.Tensor:
    probs = torch.softmax(logits.float() / temperature, dim=-1)
    low = torch.zeros_like(probs[..., :1]).view(torch.int32)  # keeps enough, or everything
    high = probs.amax(-1, keepdim=True).view(torch.int32) + 1  # keeps nothing
    for _ in range(BITS):
        middle = low + (high - low) // 2
        enough = mass_at_least(probs, middle.view(torch.float32)) >= p
        low = torch.where(enough, middle, low)
        high = torch.where(enough, high, middle)
    threshold = torch.minimum(low.view(torch.float32), probs.amax(-1, keepdim=True))
    kept = probs.masked_fill(probs < threshold, 0)
    return (kept / kept.sum(-1, keepdim=True)).to(logits.dtype)
