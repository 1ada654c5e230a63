import math

from torch import Tensor


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """q [..., t_q, d_k], k [..., t_k, d_k], v [..., t_k, d_v], mask [..., t_q, t_k] -> [..., t_q, d_v]."""
    # BLANK score
    scores = q @ k.mT / math.sqrt(q.shape[-1])  # [..., t_q, t_k]; of variance 1 where that of q and k is 1
    # END
    # BLANK block
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)  # exp(-inf) is 0, however small the other scores are
    # END
    # BLANK weigh
    weights = scores.softmax(dim=-1)  # [..., t_q, t_k], each query's weights sum to 1
    # END
    # BLANK average
    return weights @ v
    # END
