"""Grouped-query attention

Decoding is bound by reading the KV cache. Grouped-query attention keeps h_kv heads of keys
and values for h_q heads of queries, so that the cache shrinks by g = h_q / h_kv; the
arithmetic of scores and averages stays the same. h_kv = 1 is multi-query attention,
h_kv = h_q multi-head attention.

Neighbouring query heads share: for query head i, k and v are those of head i // g.

    y_i = softmax(q_i kᵀ / √d) v

q       [b, h_q, t_q, d]; h_kv divides h_q
k, v    [b, h_kv, t_k, d]. All are float32, float16 or bfloat16; they need not be
        contiguous and must not be changed
causal  if True, t_q ≤ t_k and the queries are the last t_q of the t_k tokens, as they are
        behind a cache: query j stands at position t_k − t_q + j and attends to the keys
        up to and including its own position. If False, every query attends to every key
result  [b, h_q, t_q, d], the dtype of q; gradients flow to q, k and v

Scores may be in the thousands; the softmax must not overflow, nor see what it must not.

What is saved must stay saved: k and v are never copied once for every query head. That is
what repeat_interleave does, and also a matrix product that broadcasts k over a group: it
expands its argument in memory before it multiplies. A loop over heads is fine, torch's own
attention is not.

Source: Ainslie et al. 2023, GQA, arXiv:2305.13245, §2.2; Shazeer 2019, arXiv:1911.02150, §3
"""

import math

import torch
from torch import Tensor


def gqa(q: Tensor, k: Tensor, v: Tensor, causal: bool = True) -> Tensor:
    """q [b, h_q, t_q, d], k and v [b, h_kv, t_k, d] -> [b, h_q, t_q, d]."""
    b, h_q, t_q, d = q.shape
    h_kv, t_k = k.shape[1:3]
    # TODO (1 line): q so that the heads of a group stand below one another, [b, h_kv, g·t_q, d]; call it `rows`
    raise NotImplementedError("group")
    # TODO (1 line): the scaled dot products with the keys of the group; call them `scores`, [b, h_kv, g·t_q, t_k]
    raise NotImplementedError("score")
    # TODO (4 lines): if causal, let no later key count; the rows are g heads of t_q queries each
    raise NotImplementedError("block")
    # TODO (1 line): average the values by the softmax of the scores; call it `averages`, [b, h_kv, g·t_q, d]
    raise NotImplementedError("attend")
    # TODO (1 line): each query head by itself again
    raise NotImplementedError("ungroup")
