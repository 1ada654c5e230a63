"""ALiBi: attention with linear biases

Instead of position embeddings, ALiBi adds to the score of a query with a key a penalty
that grows with their distance. Nothing is learned, and each head has its own slope m:

    bias[head, i, j] = -m[head] · (distance from query i back to key j)

and -inf where the key comes after the query, so that the bias is the causal mask, too.
Rows are queries, columns are keys. The t_q queries are the last of the t_k tokens: with
a cache, t_k - t_q tokens came before them. A token is at distance 0 from itself.

With n heads, n a power of two, the slopes are a geometric sequence:

    m = 2^(-8/n), 2^(-16/n), 2^(-24/n), …, 2^(-8)

For any other h take the n slopes of the largest power of two n below h. Behind them
come the 1st, 3rd, 5th, … slope of 2n heads, as many as are missing.

h         int, at least 1
t_q, t_k  int, 1 <= t_q <= t_k
result    alibi_slopes: float32 [h];  alibi_bias: float32 [h, t_q, t_k]

No Python loop over positions: as many lines of Python must run for 10 tokens as for
1000. A loop over the heads is fine.

Source: Press et al. 2022, Train Short, Test Long, arXiv:2108.12409, §3; its get_slopes for other numbers of heads
"""

import torch
from torch import Tensor


def alibi_slopes(h: int) -> Tensor:
    """One slope for each of h heads, [h]."""
    n = 2 ** (h.bit_length() - 1)  # the largest power of two that is at most h
    # TODO (1 line): `slopes`, float32 [n]: those of n heads, n a power of two
    raise NotImplementedError("slopes")
    # TODO (2 lines): return [h]: `slopes`, and behind them the h - n that are missing
    raise NotImplementedError("rest")


def alibi_bias(h: int, t_q: int, t_k: int) -> Tensor:
    """What is added to the scores of the last t_q of t_k tokens with all t_k, [h, t_q, t_k]."""
    slopes = alibi_slopes(h)[:, None, None]  # [h, 1, 1]
    # TODO (2 lines): `distance` [t_q, t_k]: how far each key is behind each query; negative if it is ahead
    raise NotImplementedError("distance")
    # TODO (1 line): return [h, t_q, t_k]: the penalty, and -inf where the key comes after the query
    raise NotImplementedError("bias")
