import torch
from torch import Tensor


def temperature_probs(logits: Tensor, temperature: float) -> Tensor:
    """logits [vocab] or [batch, vocab] -> probabilities of this shape at this temperature, 0 included."""
    # BLANK shift
    wide = logits.float()
    gaps = wide - wide.amax(dim=-1, keepdim=True)  # 0 or less: a quotient can only underflow, and exp(-inf) is 0
    # END
    # BLANK limit
    if temperature == 0:
        best = (gaps == 0).float()
        return (best / best.sum(dim=-1, keepdim=True)).to(logits.dtype)
    # END
    # BLANK probabilities
    return torch.softmax(gaps / temperature, dim=-1).to(logits.dtype)
    # END
