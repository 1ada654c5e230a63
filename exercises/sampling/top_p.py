"""Top-p (nucleus) sampling

Keep only the most probable tokens that together hold a probability of p:

    probs   = softmax(logits / temperature)
    nucleus = the fewest tokens, most probable first, whose probs add up to at least p
    result  = probs / (sum of probs over the nucleus)  inside the nucleus, 0 outside

Every token keeps its place. The most probable one is always kept, however small p is.
Of equally probable tokens at the border keep all, or only as many as it takes.

logits       [vocab] or [batch, vocab], float32, float16 or bfloat16; need not be
             contiguous, must not be changed; every row has a nucleus of its own; -inf
             is a token already masked, with probability 0 (never all of a row)
p            float, 0 < p <= 1
temperature  float > 0
result       shape and dtype of logits (for half precision float32 is accepted, too)

All arithmetic is done in float32. No Python loop over the vocabulary: as many lines of
Python must run for 10 tokens as for 100 000. A loop over the rows is fine.

Source: Holtzman et al. 2020, The Curious Case of Neural Text Degeneration, arXiv:1904.09751, eq. 2 and 3
"""

import torch
from torch import Tensor


def top_p_probs(logits: Tensor, p: float, temperature: float = 1.0) -> Tensor:
    """logits [vocab] or [batch, vocab] -> probabilities of this shape, 0 outside the nucleus."""
    # TODO (1 line): `probs`, float32: softmax of the logits at this temperature
    raise NotImplementedError("probabilities")
    # TODO (1 line): `ranked`: probs, the largest first; `order`: the indices that sorted them
    raise NotImplementedError("rank")
    # TODO (2 lines): make `ranked` 0 outside the nucleus
    raise NotImplementedError("nucleus")
    # TODO (1 line): make each row of `ranked` add up to 1 again
    raise NotImplementedError("renormalise")
    # TODO (1 line): return every probability to its token's place, in the dtype of the logits
    raise NotImplementedError("place")
