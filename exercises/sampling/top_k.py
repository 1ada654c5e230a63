"""Top-k sampling

Before sampling, keep only the k tokens with the largest logits, so that the softmax of
the result gives all others probability 0. For each row:

    border   = the k-th largest logit, equal ones counted one by one
    result_i = logits_i if logits_i >= border, otherwise -inf

So all tokens equal to the k-th largest stay, even if these are more than k in all:
nothing prefers one of them. Where k is at least the size of the vocabulary, all stay.

logits  [vocab] or [batch, vocab], float32, float16 or bfloat16; need not be contiguous,
        must not be changed; every row has a border of its own; -inf is a token already
        masked, and stays so
k       int, 1 or more; it may be larger than the vocabulary
result  shape and dtype of logits; what stays, stays as it is and where it is

torch's topk and sort are allowed. No Python loop over the vocabulary: as many lines of
Python must run for 10 tokens as for 100 000. A loop over the rows is fine.

Source: Fan et al. 2018, Hierarchical Neural Story Generation, arXiv:1805.04833
"""

import math

from torch import Tensor


def top_k_filter(logits: Tensor, k: int) -> Tensor:
    """logits [vocab] or [batch, vocab] -> the same, -inf outside the k largest of each row."""
    # TODO (2 lines): `border`, [..., 1]: the k-th largest logit of each row, or the smallest if there are fewer than k
    raise NotImplementedError("border")
    # TODO (1 line): return the logits, -inf where they are below the border
    raise NotImplementedError("filter")
