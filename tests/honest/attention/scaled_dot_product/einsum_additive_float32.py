"""einsum with letters; an additive mask; scores and softmax in float32, as many models have it."""

import math

import torch
from torch import Tensor


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    scale = 1.0 / math.sqrt(k.shape[-1])
    scores = torch.einsum("...id,...jd->...ij", q.float(), k.float()) * scale
    if mask is not None:
        bias = torch.zeros(mask.shape).masked_fill(~mask, float("-inf"))
        scores = scores + bias
    weights = torch.nn.functional.softmax(scores, dim=-1)
    return torch.einsum("...ij,...jd->...id", weights, v.float()).to(q.dtype)
