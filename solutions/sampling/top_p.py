import torch
from torch import Tensor


def top_p_probs(logits: Tensor, p: float, temperature: float = 1.0) -> Tensor:
    """logits [vocab] or [batch, vocab] -> probabilities of this shape, 0 outside the nucleus."""
    # BLANK probabilities
    probs = torch.softmax(logits.float() / temperature, dim=-1)  # in bfloat16, 34.2 and 34.3 are one number
    # END
    # BLANK rank
    ranked, order = probs.sort(dim=-1, descending=True)
    # END
    # BLANK nucleus
    before = ranked.cumsum(dim=-1) - ranked  # the mass ranked above each token: 0 for the first, which always stays
    ranked = ranked.masked_fill(before >= p, 0.0)
    # END
    # BLANK renormalise
    ranked = ranked / ranked.sum(dim=-1, keepdim=True)
    # END
    # BLANK place
    return torch.zeros_like(ranked).scatter(-1, order, ranked).to(logits.dtype)
    # END
