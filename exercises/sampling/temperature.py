"""Temperature

The temperature T decides how sharp a distribution is. For each token i of a row:

    T > 0    probs_i = exp(logits_i / T) / Σ_j exp(logits_j / T)
    T = 0    the limit of this as T falls to 0: all probability is on the largest
             logit; where several are equal and largest, they share it evenly

A low T sharpens the distribution, a high one makes it even.

logits       [vocab] or [batch, vocab], float32, float16 or bfloat16; need not be
             contiguous, must not be changed; every row is a distribution of its own;
             -inf is a token already masked, with probability 0 (never all of a row)
temperature  float: 0, or between 1e-30 and 1e30. logits / T may be beyond what float32
             can hold; the result is right all the same, without inf and NaN
result       shape and dtype of logits (for half precision float32 is accepted, too);
             for T > 0 gradients flow to the logits

All arithmetic is done in float32 or better. torch's softmax is allowed.

Source: Hinton et al. 2015, Distilling the Knowledge in a Neural Network, arXiv:1503.02531, eq. 1
"""

import torch
from torch import Tensor


def temperature_probs(logits: Tensor, temperature: float) -> Tensor:
    """logits [vocab] or [batch, vocab] -> probabilities of this shape at this temperature, 0 included."""
    # TODO (2 lines): `gaps`, float32: how far each logit is from the largest of its row, 0 or less
    raise NotImplementedError("shift")
    # TODO (3 lines): at temperature 0, return the limit
    raise NotImplementedError("limit")
    # TODO (1 line): return the softmax at this temperature, in the dtype of the logits
    raise NotImplementedError("probabilities")
