"""Speculative sampling

A small draft model has drawn gamma tokens, one after the other: x_i from q_i, for i = 0,
1, …, gamma − 1. One pass of the target model over all of them gives its own distribution
p_i at each of these places, and p_gamma at the place after the last. Decide how many of
the tokens stay, and from which distribution the next one is to be drawn, so that the text
is distributed exactly as if the target model had drawn every token:

    x_i is accepted if u_i < p_i(x_i) / q_i(x_i)        with u_i uniform in [0, 1)

From the first token that is not accepted, all are dropped. Let n be the number before it.

    n < gamma    the next token comes from max(0, p_n − q_n) / Σ max(0, p_n − q_n)
    n = gamma    the next token comes from p_gamma

p         [gamma + 1, vocab], float32: row i is p_i
q         [gamma, vocab], float32: row i is q_i; q_i(x_i) > 0
draft     int64 [gamma]: x_i, each in 0 … vocab − 1; gamma >= 1
uniforms  [gamma], float32: u_i, drawn for you; draw nothing yourself
result    (n, probs): n an int; probs [vocab], the distribution of the next token, float32

Probabilities may be 0. Tensors need not be contiguous and must not be changed. A loop over
the gamma tokens is fine.

Source: Leviathan et al. 2023, arXiv:2211.17192, algorithm 1; Chen et al. 2023, arXiv:2302.01318, algorithm 2
"""

import torch
from torch import Tensor


def verify_draft(p: Tensor, q: Tensor, draft: Tensor, uniforms: Tensor) -> tuple[int, Tensor]:
    """p [gamma + 1, vocab], q [gamma, vocab], draft, uniforms [gamma] -> how many stay, probabilities of the next."""
    # TODO (2 lines): `ratio`, [gamma]: p_i(x_i) / q_i(x_i) of each drafted token
    raise NotImplementedError("ratio")
    # TODO (1 line): `accepted`, an int: how many tokens stay
    raise NotImplementedError("accept")
    # TODO (2 lines): if all stay, return their number and the distribution of the token after them
    raise NotImplementedError("bonus")
    # TODO (2 lines): otherwise return the number and the distribution that replaces the rejected token
    raise NotImplementedError("residual")
