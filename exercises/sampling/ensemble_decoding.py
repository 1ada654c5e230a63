"""Ensembles: mixture and product of experts

Several language models with one vocabulary predict the next token together. Model k says
p_k = softmax(logits_k), a distribution over the vocabulary, and has the weight w_k:

    mixture    p(v) = Σ_k w_k p_k(v)
    product    p(v) = Π_k p_k(v)^w_k / Σ_u Π_k p_k(u)^w_k

The result is log p. A model of weight 0 has no say, not even where it gives -inf: it must
not turn the result into NaN. In a product, a token that a model of positive weight gives
the probability 0 is impossible; in a mixture, one that all of them give 0.

logits   [models, vocab] or [models, batch, vocab], float32, float16 or bfloat16; may be
         -inf, which is a probability of 0. Need not be contiguous, must not be changed.
weights  [models], float32, not negative; at least one is positive. For a mixture they add
         up to 1; for a product they need not.
mode     "mixture" or "product"
result   [vocab] or [batch, vocab]: log p, of the dtype of logits (float32 will do in half
         precision); -inf where p is 0. Some token is possible.

Log-probabilities may be below -100, where exp is 0 in float32; the logarithm of p must be
right there too. Work in float32 or wider. Gradients are those of the formulas; they
flow to logits and to positive weights, so a mixture is not normalised once more.

Source: Breiman 1996, Bagging Predictors (mixture); Hinton 2002, Training Products of Experts, eq. 1 (product)
"""

import torch
from torch import Tensor


def ensemble_log_probs(logits: Tensor, weights: Tensor, mode: str) -> Tensor:
    """logits [models, …, vocab], weights [models], "mixture" or "product" -> log-probabilities [..., vocab]."""
    # TODO (1 line): `log_probs`, float32: log p_k of each model, of the shape of logits
    raise NotImplementedError("log_probs")
    # TODO (3 lines): leave out the models of weight 0; `weights` such that they broadcast against `log_probs`
    raise NotImplementedError("align")
    if mode == "mixture":
        # TODO (1 line): `result`: the logarithm of the weighted sum of the probabilities
        raise NotImplementedError("mixture")
    else:
        # TODO (1 line): `result`: the logarithm of the weighted product, normalised
        raise NotImplementedError("product")
    return result.to(logits.dtype)
