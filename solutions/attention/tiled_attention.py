import math

import torch
from torch import Tensor


def tiled_attention(
    q: Tensor, k: Tensor, v: Tensor, block_q: int, block_k: int, causal: bool = False
) -> tuple[Tensor, Tensor]:
    """q, k, v [b, h, t, d] -> the averages [b, h, t, d], and of each row the logsumexp of its scores, [b, h, t]."""
    b, h, t, d = q.shape
    out, lse = torch.empty_like(q), torch.empty(b, h, t, device=q.device)
    for first in range(0, t, block_q):
        end = min(first + block_q, t)
        # BLANK start
        rows = q[:, :, first:end].float() / math.sqrt(d)
        peak = rows.new_full(rows.shape[:3], -math.inf)  # [b, h, rows], the largest score so far
        total = torch.zeros_like(peak)  # the sum of exp(score - peak)
        mixed = torch.zeros_like(rows)  # the sum of exp(score - peak) v
        # END
        for start in range(0, end if causal else t, block_k):  # later tiles are hidden from all these rows
            # BLANK tile
            keys, values = (x[:, :, start : start + block_k].float() for x in (k, v))
            scores = rows @ keys.mT  # [b, h, rows, keys]
            # END
            # BLANK block
            if causal:
                query = torch.arange(first, end, device=q.device)[:, None]
                key = start + torch.arange(keys.shape[2], device=q.device)  # the last tile may be narrower
                scores = scores.masked_fill(key > query, -math.inf)
            # END
            # BLANK update
            new = torch.maximum(peak, scores.amax(dim=-1))
            shrink = torch.exp(peak - new)  # what was added up so far knew a smaller maximum
            weights = torch.exp(scores - new[..., None])
            total = total * shrink + weights.sum(dim=-1)
            mixed = mixed * shrink[..., None] + weights @ values
            peak = new
            # END
        # BLANK finish
        out[:, :, first:end] = mixed / total[..., None]
        lse[:, :, first:end] = peak + total.log()
        # END
    return out, lse
