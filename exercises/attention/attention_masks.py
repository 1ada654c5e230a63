"""Attention masks

A mask says who may attend to whom. Build it from its two reasons, padding and causality,
and write the softmax that obeys it.

make_mask(lengths, t_q, t_k, causal, offset=0)
        boolean [b, 1, t_q, t_k], True where a query (a row) may attend to a key (a
        column), the same for every head. Two conditions, and both must hold:
        padding   key j is a real token: j < lengths[b]. The rest of the row is padding,
                  on the right
        causal    if causal: key j is not later than the query. Query i stands at
                  position offset + i, key j at j; a token may attend to itself
        Only keys are hidden. A query that is padding has a row like any other; nobody
        reads its result.
lengths int64 [b], from 0 to t_k
offset  ≥ 0, how many tokens were cached before the first query. t_q, t_k and offset
        need not fit together: there may be room for keys that are yet to come

masked_softmax(scores, mask)
        the softmax over the last axis, of the keys alone that the mask allows; all others
        weigh exactly 0, whatever their scores. A query that may attend to no key at all
        has the weights 0, never NaN
scores  [..., t_q, t_k], float32, float16 or bfloat16, in the thousands at times; need
        not be contiguous, must not be changed
mask    boolean, broadcastable to scores
result  the shape and dtype of scores; gradients flow to scores and are 0, not NaN, where
        the mask is False

The decoder of the paper sets scores, not weights, to −∞: what is left then adds up to 1.

Source: Vaswani et al. 2017, Attention Is All You Need, arXiv:1706.03762, §3.2.3
"""

import math

import torch
from torch import Tensor


def make_mask(lengths: Tensor, t_q: int, t_k: int, causal: bool, offset: int = 0) -> Tensor:
    """lengths [b] -> boolean [b, 1, t_q, t_k], True where a query may attend to a key."""
    # TODO (2 lines): the positions of the keys, [t_k], as `key`; which are real, [b, 1, 1, t_k], as `real`
    raise NotImplementedError("padding")
    # TODO (2 lines): which keys each query may see as far as time goes, [t_q, t_k] or [t_q, 1], as `seen`
    raise NotImplementedError("causal")
    # TODO (1 line): both conditions, [b, 1, t_q, t_k]
    raise NotImplementedError("combine")


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """scores [..., t_q, t_k], mask broadcastable to it -> weights [..., t_q, t_k], 0 where the mask is False."""
    # TODO (3 lines): let no blocked key count; call the result `scores` again, but change no argument
    raise NotImplementedError("block")
    # TODO (2 lines): the softmax over the keys; exactly 0 wherever the mask is False, even if it is False for all keys
    raise NotImplementedError("weigh")
