"""Untied positions: absolute and relative at once (TUPE)

Who adds a vector for the position to that of the word gets four terms in each attention logit:
word with word, word with position, position with word, position with position. The two in the
middle ask what a word has to do with a place. TUPE leaves them out and gives positions
projections of their own. Absolute and relative positions can then both be there (what is
sometimes called a hybrid encoding), apart from the words:

    a_ij = xq_i xk_jᵀ / √(2d) + r_ij
    r_ij = pq_i pk_jᵀ / √(2d) + b_(j−i)     for i, j = 1 … t − 1

Place 0 belongs to [CLS], which stands for the whole text and not for a place in it. There
r_ij is replaced, and neither pq, pk nor b matter: by θ_1 in the row i = 0, from [CLS] to all
and to itself; by θ_2 in the rest of the column j = 0, from others to [CLS]. The words' term
stays.

Of two dot products of d terms each the sum is √2 times as large as one: hence √(2d).

xq, xk    [b, h, t, d], queries and keys of the words
pq, pk    [h, t, d], queries and keys of places 0 … t − 1, the same for all sequences
rel_bias  [h, 2m − 1] with m ≥ t: b for the relative positions −(m − 1) … m − 1, in this
          order; relative is the key's place minus the query's
theta     [h, 2], θ_1 and θ_2 of each head
result    [b, h, t, t], the logits a, before mask and softmax; the dtype of xq; gradients
          flow to all six

All are float32, float16 or bfloat16, need not be contiguous and must not be changed.

Source: Ke et al. 2020, TUPE: Rethinking Positional Encoding in Language Pre-training, arXiv:2006.15595, §3
"""

import math

import torch
from torch import Tensor


def tupe_logits(xq: Tensor, xk: Tensor, pq: Tensor, pk: Tensor, rel_bias: Tensor, theta: Tensor) -> Tensor:
    """xq, xk [b, h, t, d], pq, pk [h, t, d], rel_bias [h, 2 m - 1], theta [h, 2] -> [b, h, t, t]."""
    t, d = xq.shape[2:]
    # TODO (1 line): the words' term; call it `words`, [b, h, t, t]
    raise NotImplementedError("words")
    # TODO (1 line): what the places say to each other; call it `positions`, [h, t, t]
    raise NotImplementedError("absolute")
    # TODO (3 lines): the places as `place`, [t]; add b for each relative position to `positions`
    raise NotImplementedError("relative")
    # TODO (2 lines): replace row and column of [CLS] in `positions`, without changing theta or the result's gradients
    raise NotImplementedError("untie")
    return words + positions
