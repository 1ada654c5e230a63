"""KV cache with a budget: sinks and heavy hitters

A KV cache that keeps everything grows by one row with each token, without end. This one holds
`budget` tokens at most, whatever the text. What it evicts is gone for good, so the results are
no longer those of full attention; the art is to lose what matters least. Nothing is looked
up and nothing can be missing: a token attends to whatever is there.

Three kinds of tokens stay: the first `sinks` of the text, on which attention rests even where
they say little; the last `recent`, of which the newest is one; and of those between the
heaviest, which have received the most attention so far, each head judging for itself.
With sinks + recent = budget that is StreamingLLM, with sinks = 0 and recent = budget / 2 H2O.

evict(mass, budget, sinks, recent)
        which of n tokens, oldest first, stay: all if n ≤ budget, else the first `sinks`, the
        last `recent`, and the budget − sinks − recent heaviest of the others
mass    [b, h, n], float32; no two are equal
result  int64 [b, h, min(n, budget)], slots 0 … n − 1, ascending

BoundedCache(budget, sinks, recent)   empty; several caches do not affect each other
cache.step(q, k, v)
        takes the next token in, gives its result [b, h, 1, d]. In this order: k and v
        join the cache; the token attends to all that is there, itself included,

            w = softmax(q Kᵀ / √d)     y = w V

        each token's mass, summed in float32 and 0 when it came, grows by its weight in w,
        the new one's too; then evict decides which tokens stay, with their mass
len(cache)                            how many tokens it holds, never more than budget

budget ≥ 1; sinks, recent ≥ 0; sinks + recent ≤ budget
q, k, v [b, h, 1, d], float32, float16 or bfloat16, like the result; need not be contiguous,
        must not be changed. Gradients are not asked for

A token costs the same however long the text is. torch's own attention is not allowed.

Source: Xiao et al. 2023, StreamingLLM, arXiv:2309.17453, §3; Zhang et al. 2023, H2O, arXiv:2306.14048, §4
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def evict(mass: Tensor, budget: int, sinks: int, recent: int) -> Tensor:
    """mass [b, h, n], oldest token first -> the slots that stay, int64 [b, h, min(n, budget)], ascending."""
    n = mass.shape[-1]
    # TODO (2 lines): boolean [n], True for sinks and recent tokens; call it `safe`
    raise NotImplementedError("protect")
    # TODO (2 lines): return the slots that stay
    raise NotImplementedError("choose")


class BoundedCache:
    """Keys and values of at most `budget` tokens, for each head those that it needs."""

    def __init__(self, budget: int, sinks: int, recent: int) -> None:
        self.budget, self.sinks, self.recent = budget, sinks, recent
        self.keys = self.values = self.mass = None

    def __len__(self) -> int:
        """The number of tokens in the cache, the same for each head."""
        # TODO (1 line): how many tokens the cache holds; 0 if none has come
        raise NotImplementedError("length")

    def step(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """q, k, v [b, h, 1, d] of the next token -> its result, [b, h, 1, d]."""
        # TODO (2 lines): `keys` and `values` [b, h, n, d], those of the cache and then the new token's
        raise NotImplementedError("extend")
        # TODO (1 line): `weights` [b, h, 1, n] of the new token for all tokens there, itself included
        raise NotImplementedError("attend")
        # TODO (3 lines): `mass` [b, h, n]: what each token received before, none if it is new, and its weight
        raise NotImplementedError("weigh")
        # TODO (4 lines): keep `self.keys`, `self.values` and `self.mass` of the tokens that stay, in each head its own
        raise NotImplementedError("keep")
        return weights @ values
