import math

from torch import Tensor


def top_k_filter(logits: Tensor, k: int) -> Tensor:
    """logits [vocab] or [batch, vocab] -> the same, -inf outside the k largest of each row."""
    # BLANK border
    count = min(k, logits.shape[-1])  # topk refuses more than there are
    border = logits.topk(count, dim=-1).values[..., -1:]
    # END
    # BLANK filter
    return logits.masked_fill(logits < border, -math.inf)  # an equal logit is not below the border
    # END
