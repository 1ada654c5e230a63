import torch
from torch import Tensor


def alibi_slopes(h: int) -> Tensor:
    """One slope for each of h heads, [h]."""
    n = 2 ** (h.bit_length() - 1)  # the largest power of two that is at most h
    # BLANK slopes
    slopes = 2.0 ** (-8 * torch.arange(1, n + 1) / n)  # [n]; for 8 heads 1/2, 1/4, …, 1/256
    # END
    # BLANK rest
    odd = torch.arange(1, 2 * (h - n) + 1, 2)  # the even ones of 2n slopes are those that we have
    return torch.cat([slopes, 2.0 ** (-8 * odd / (2 * n))])  # [h]
    # END


def alibi_bias(h: int, t_q: int, t_k: int) -> Tensor:
    """What is added to the scores of the last t_q of t_k tokens with all t_k, [h, t_q, t_k]."""
    slopes = alibi_slopes(h)[:, None, None]  # [h, 1, 1]
    # BLANK distance
    query = torch.arange(t_k - t_q, t_k)[:, None]  # a cache holds the keys of the tokens before
    distance = query - torch.arange(t_k)  # [t_q, t_k]
    # END
    # BLANK bias
    return (-slopes * distance).masked_fill(distance < 0, -torch.inf)
    # END
