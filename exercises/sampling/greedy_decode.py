"""Greedy decoding

Continue a text, always with the token that a language model finds most probable:

    x_i = argmax_v p(v | x_0, …, x_{i−1})

A model gives, at each place of a text, its logits for the token that comes next:

model(ids)   ids int64 [1, n], n >= 1  ->  logits float32 [1, n, vocab]; those at place i
             say what follows x_0, …, x_i. Softmax makes probabilities of them.

A new token becomes part of the text before the next one is chosen. eos ends the text as
soon as it is chosen.

model    as above; n may be up to 128
ids      int64 [t], t >= 1: the text to be continued. It may hold eos; that ends nothing.
max_new  int, 0 or more: at most so many tokens are added
eos      int: the token that ends a text
result   list of int: the new tokens only, in order; eos, where it was reached, is the last

No two tokens share the largest logit. Call the model as often as you like.

Source: Holtzman et al. 2020, The Curious Case of Neural Text Degeneration, arXiv:1904.09751, §3
"""

from collections.abc import Callable

import torch
from torch import Tensor


def greedy_decode(model: Callable[[Tensor], Tensor], ids: Tensor, max_new: int, eos: int) -> list[int]:
    """ids int64 [t] -> the tokens that follow, at most max_new, each the most probable."""
    new: list[int] = []
    for _ in range(max_new):
        # TODO (2 lines): `logits`, [vocab]: what the model says after all of the text, new tokens included
        raise NotImplementedError("predict")
        # TODO (1 line): `token`, an int: the most probable one
        raise NotImplementedError("choose")
        # TODO (3 lines): take the token into `new`; leave the loop if it ends the text
        raise NotImplementedError("append")
    return new
