"""A bias that is added, as models have it: the least float32 in place of -inf; the softmax in float32."""

import torch
from torch import Tensor


def make_mask(lengths: Tensor, t_q: int, t_k: int, causal: bool, offset: int = 0) -> Tensor:
    positions = torch.arange(max(t_k, t_q + offset))
    keys, queries = positions[:t_k], positions[offset : offset + t_q]
    hidden = (lengths.unsqueeze(1) <= keys).view(-1, 1, 1, t_k).expand(-1, 1, t_q, -1)
    if causal:
        hidden = hidden.logical_or(queries.view(-1, 1) < keys)
    return hidden.logical_not()


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    bias = torch.where(mask, 0.0, torch.finfo(torch.float32).min)
    weights = torch.nn.functional.softmax(scores.float() + bias, dim=-1, dtype=torch.float32)
    return torch.where(mask, weights, 0.0).to(scores.dtype)
