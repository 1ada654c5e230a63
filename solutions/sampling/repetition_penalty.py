import torch
from torch import Tensor


def penalize(
    logits: Tensor, ids: Tensor, repetition: float = 1.0, presence: float = 0.0, frequency: float = 0.0
) -> Tensor:
    """logits [vocab] or [batch, vocab], ids so far [n] or [batch, n] -> penalised logits, the shape of logits."""
    # BLANK count
    scores = logits.float()
    counts = torch.zeros_like(scores).scatter_add(-1, ids.clamp(min=0), (ids >= 0).float())  # padding adds 0
    seen = counts > 0
    # END
    # BLANK discount
    discounted = torch.where(scores > 0, scores / repetition, scores * repetition)  # both become less probable
    scores = torch.where(seen, discounted, scores)
    # END
    # BLANK subtract
    return (scores - presence * seen - frequency * counts).to(logits.dtype)
    # END
