"""Min-p sampling

Before sampling, drop the tokens that are too improbable beside the most probable one. Where
the model is confident few stay, where it is unsure many do. For each row:

    probs    = softmax(logits)
    border   = min_p · max(probs)
    result_i = logits_i if probs_i >= border, otherwise -inf

So the most probable token always stays, and all that are equal to it, min_p = 1 included.

logits  [vocab] or [batch, vocab], float32, float16 or bfloat16; need not be contiguous,
        must not be changed; every row has a border of its own; -inf is a token already
        masked, and stays so (never all of a row)
min_p   float: 0 (then everything stays), or between 1e-6 and 1
result  shape and dtype of logits; what stays, stays as it is and where it is

What is compared is computed in float32. No Python loop over the vocabulary: as many lines
of Python must run for 10 tokens as for 100 000. A loop over the rows is fine.

Source: Nguyen et al. 2024, Turning Up the Heat: Min-p Sampling, arXiv:2407.01082, §3
"""

import math

import torch
from torch import Tensor


def min_p_filter(logits: Tensor, min_p: float) -> Tensor:
    """logits [vocab] or [batch, vocab] -> the same, -inf where a token is too improbable beside the best of its row."""
    # TODO (1 line): `probs`, float32: softmax of the logits
    raise NotImplementedError("probabilities")
    # TODO (1 line): `border`, [..., 1]: how probable a token of each row must be
    raise NotImplementedError("border")
    # TODO (1 line): return the logits, -inf where a token is less probable than the border
    raise NotImplementedError("filter")
