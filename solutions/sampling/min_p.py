import math

import torch
from torch import Tensor


def min_p_filter(logits: Tensor, min_p: float) -> Tensor:
    """logits [vocab] or [batch, vocab] -> the same, -inf where a token is too improbable beside the best of its row."""
    # BLANK probabilities
    probs = torch.softmax(logits.float(), dim=-1)
    # END
    # BLANK border
    border = min_p * probs.amax(dim=-1, keepdim=True)  # low where the model is unsure, high where it is confident
    # END
    # BLANK filter
    return logits.masked_fill(probs < border, -math.inf)
    # END
