"""KV cache

A decoder produces a text token by token. The keys and values of earlier tokens never
change, so they are kept. The cache is indexed by position and only grows: nothing is
looked up, replaced or evicted.

KVCache()               empty; several caches do not affect each other
cache.append(k, v)      takes k, v of the next n ≥ 1 tokens, [b, h, n, head_dim]; gives
                        all keys and all values, oldest first, [b, h, total, head_dim]
len(cache)              total, the number of tokens so far; 0 for an empty cache
attend(q, k, v, cache)  appends k and v, then lets the n new tokens attend; gives their
                        results, [b, h, n, head_dim]

The new tokens stand at positions total − n … total − 1. A token at position p attends
to all positions up to and including its own:

    y_p = softmax(q_p K_{0…p}ᵀ / √head_dim) V_{0…p}

Scores may reach thousands; the softmax must not overflow, nor see what it must not.
Token by token, in chunks or at once, the answer is that of one causal pass over the
whole text. b, h and head_dim do not change; there is no largest total.

The next token costs one row of attention, however long the text is: no earlier row is
computed again, and joining the pieces copies each of them once.

q, k, v are float32, float16 or bfloat16, and so are all results; they need not be
contiguous and must not be changed. Gradients are not asked for. Whether the cache is a
list, one tensor or a buffer is up to you; scaled_dot_product_attention is allowed.

Source: Shazeer 2019, Fast Transformer Decoding: One Write-Head is All You Need, arXiv:1911.02150, §2.4
"""

import math

import torch
from torch import Tensor


class KVCache:
    """Keys and values of all tokens so far, in order."""

    def __init__(self) -> None:
        self.keys: list[Tensor] = []  # one [b, h, n, head_dim] for each append
        self.values: list[Tensor] = []

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """k, v [b, h, n, head_dim] of n new tokens -> all keys and all values, each [b, h, total, head_dim]."""
        # TODO (3 lines): keep the new keys and values after the earlier ones and return all of both
        raise NotImplementedError("append")

    def __len__(self) -> int:
        """The number of tokens so far."""
        # TODO (1 line): how many tokens, not how many calls
        raise NotImplementedError("length")


def attend(q: Tensor, k: Tensor, v: Tensor, cache: KVCache) -> Tensor:
    """q, k, v [b, h, n, head_dim] of n new tokens, earlier ones in the cache -> [b, h, n, head_dim]."""
    # TODO (1 line): the new tokens into the cache; call all keys and values so far `keys`, `values`
    raise NotImplementedError("extend")
    # TODO (2 lines): boolean [n, total], True where a new token may attend; call it `visible`
    raise NotImplementedError("visible")
    # TODO (2 lines): scaled dot-product attention of q over `keys` and `values`, where `visible` allows it
    raise NotImplementedError("attention")
