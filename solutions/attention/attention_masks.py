import math

import torch
from torch import Tensor


def make_mask(lengths: Tensor, t_q: int, t_k: int, causal: bool, offset: int = 0) -> Tensor:
    """lengths [b] -> boolean [b, 1, t_q, t_k], True where a query may attend to a key."""
    # BLANK padding
    key = torch.arange(t_k, device=lengths.device)  # [t_k], the position of each key
    real = key < lengths[:, None, None, None]  # [b, 1, 1, t_k]
    # END
    # BLANK causal
    query = offset + torch.arange(t_q, device=lengths.device)[:, None]  # [t_q, 1], the position of each query
    seen = key <= query if causal else torch.ones_like(query, dtype=torch.bool)  # a token may attend to itself
    # END
    # BLANK combine
    return (real & seen).expand(-1, -1, t_q, t_k)
    # END


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """scores [..., t_q, t_k], mask broadcastable to it -> weights [..., t_q, t_k], 0 where the mask is False."""
    # BLANK block
    scores = scores.masked_fill(
        ~mask, -math.inf
    )  # a new tensor; the gradient of what it fills is 0, whatever comes back
    # END
    # BLANK weigh
    weights = scores.softmax(dim=-1)  # NaN where a query has no key: 0/0
    return weights.masked_fill(~mask, 0.0)
    # END
