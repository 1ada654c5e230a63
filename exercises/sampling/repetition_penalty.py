"""Repetition, presence and frequency penalties

Make tokens less probable that the text already holds. Let c_j be how often token j occurs
in ids. A token with c_j = 0 keeps its logit; for all others

    x_j      = logits_j / repetition    if logits_j > 0
               logits_j · repetition    otherwise
    result_j = x_j − presence − frequency · c_j

CTRL divides every logit by the penalty. A negative one would grow by that, so it is
multiplied, as all implementations do today. repetition and presence apply once, however
often a token occurs; frequency applies for each time.

logits      [vocab] or [batch, vocab], float32, float16 or bfloat16; need not be
            contiguous, must not be changed; -inf is a token already masked, and stays so
ids         int64, [n] or [batch, n]: the tokens of each row's text, 0 … vocab − 1; -1 is
            padding and no token; n may be 0 and may be larger than vocab
repetition  float > 0; 1 changes nothing
presence, frequency
            float of either sign; 0 changes nothing
result      shape and dtype of logits (for half precision float32 is accepted, too)

All arithmetic is done in float32. No Python loop over the vocabulary or the tokens of a
text: as many lines of Python must run for 10 as for 10 000. A loop over rows is fine.

Source: Keskar et al. 2019, CTRL, arXiv:1909.05858, §4.1; OpenAI API: frequency and presence penalties
"""

import torch
from torch import Tensor


def penalize(
    logits: Tensor, ids: Tensor, repetition: float = 1.0, presence: float = 0.0, frequency: float = 0.0
) -> Tensor:
    """logits [vocab] or [batch, vocab], ids so far [n] or [batch, n] -> penalised logits, the shape of logits."""
    # TODO (3 lines): `scores`: float32 logits; `counts`: how often each token occurs; `seen`: where it does
    raise NotImplementedError("count")
    # TODO (2 lines): apply `repetition` to the scores of tokens that were seen
    raise NotImplementedError("discount")
    # TODO (1 line): return the scores less presence and frequency penalty, in the dtype of the logits
    raise NotImplementedError("subtract")
