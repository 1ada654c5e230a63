import math

import torch
from torch import Tensor


def gqa(q: Tensor, k: Tensor, v: Tensor, causal: bool = True) -> Tensor:
    """q [b, h_q, t_q, d], k and v [b, h_kv, t_k, d] -> [b, h_q, t_q, d]."""
    b, h_q, t_q, d = q.shape
    h_kv, t_k = k.shape[1:3]
    # BLANK group
    rows = q.reshape(b, h_kv, h_q // h_kv * t_q, d)  # the queries of a group, head by head, share one head of keys
    # END
    # BLANK score
    scores = rows @ k.mT / math.sqrt(d)  # [b, h_kv, g·t_q, t_k]
    # END
    # BLANK block
    if causal:
        position = torch.arange(t_k, device=q.device)
        later = position > position[t_k - t_q :, None]  # [t_q, t_k]; the queries are the last tokens
        scores = scores.unflatten(2, (-1, t_q)).masked_fill(later, -math.inf).flatten(2, 3)
    # END
    # BLANK attend
    averages = scores.softmax(dim=-1) @ v  # [b, h_kv, g·t_q, d]
    # END
    # BLANK ungroup
    return averages.reshape(b, h_q, t_q, d)
    # END
