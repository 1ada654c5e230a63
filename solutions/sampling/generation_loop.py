import math

import torch
from torch import Tensor


def keep_top_k(scores: Tensor, k: int) -> Tensor:
    """scores [b, vocab] -> the k largest of each row, -inf in all other places; 0 keeps all."""
    return scores.masked_fill(scores < scores.topk(k).values[:, -1:], -math.inf) if 0 < k < scores.shape[-1] else scores


def keep_top_p(scores: Tensor, p: float) -> Tensor:
    """scores [b, vocab] -> of each row the fewest tokens whose probabilities reach p, -inf in all other places."""
    ranked, order = scores.softmax(dim=-1).sort(dim=-1, descending=True)
    drop = ranked.cumsum(dim=-1) - ranked >= p  # those ranked above are enough
    return scores.masked_fill(drop.scatter(-1, order, drop), -math.inf)


def generate(
    model, ids: Tensor, mask: Tensor, uniforms: Tensor, stop: list[int], pad: int,
    temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0,
) -> Tensor:  # fmt: skip
    """ids int64 and mask bool [b, t], padded on the left, uniforms [b, max_new] -> int64 [b, t + n], n <= max_new."""
    # BLANK prefill
    cache = model.new_cache()
    logits = model(ids, mask, cache)[:, -1]  # [b, vocab]; with padding on the left all prompts end here
    # END
    finished = torch.zeros_like(mask[:, 0])
    for step in range(uniforms.shape[1]):
        # BLANK filter
        scores = keep_top_p(keep_top_k(logits / temperature, top_k), top_p)  # each counts what the one before it left
        probs = scores.softmax(dim=-1)  # [b, vocab]
        # END
        # BLANK draw
        token = (probs.cumsum(dim=-1) <= uniforms[:, step, None]).sum(dim=-1)  # [b]: how many sums do not exceed u
        # END
        # BLANK finish
        token = torch.where(finished, pad, token)  # [b]
        finished = finished | torch.isin(token, token.new_tensor(stop))
        # END
        ids = torch.cat([ids, token[:, None]], dim=1)
        # BLANK advance
        if finished.all() or step + 1 == uniforms.shape[1]:
            return ids
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)  # [b, t + step + 1]
        logits = model(token[:, None], mask, cache)[:, -1]
        # END
    return ids
