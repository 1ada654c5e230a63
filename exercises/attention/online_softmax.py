"""Online softmax

A safe softmax reads a row of scores three times: for the maximum, for the sum, for the
results. Kernels such as FlashAttention cannot wait for the whole row. They take it chunk by
chunk and keep two numbers of all that came so far:

    m = max_j x_j           d = Σ_j exp(x_j - m)

When a larger score comes, the earlier sum is put right by one factor. From then on the
scores are not needed. Every row is on its own.

OnlineSoftmax(rows)   nothing seen yet: m = −inf and d = 0, of every row
update(x)             x [rows, n], the next n ≥ 1 scores; gives (m, d), each [rows], of all
                      so far
merge(other)          takes in all that `other`, an OnlineSoftmax of as many rows, has seen;
                      gives (m, d) of both; `other` stays as it is
probabilities(x)      x [rows, n], scores that were seen earlier; gives their softmax over
                      all that were seen, exp(x_j − m) / d, [rows, n] in the dtype of x

Scores are float32, float16 or bfloat16, up to thousands above or below 0; x need not be
contiguous and must not be changed. m and d are float32, and so is the arithmetic. What was
returned earlier must not change when more comes.

A score of −inf is masked and weighs 0. A row that has seen nothing else has m = −inf,
d = 0, and probabilities 0; NaN must not come out.

The next chunk costs the same however much came before: each score is read once for m and d,
and none is kept. torch's softmax, logsumexp and logaddexp are not allowed. Gradients are not asked
for.

Source: Milakov and Gimelshein 2018, Online normalizer calculation for softmax, arXiv:1805.02867, Algorithm 3 and eq. 4
"""

import math

import torch
from torch import Tensor


class OnlineSoftmax:
    """Of every row of scores its maximum m and d, the sum of exp(score - m); no score is kept."""

    def __init__(self, rows: int) -> None:
        # TODO (2 lines): `self.m` and `self.d`, float32 [rows], of no scores at all
        raise NotImplementedError("start")

    def update(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x [rows, n], the next scores of every row -> m and d, each [rows], of all scores so far."""
        # TODO (3 lines): `m` and `d`, float32 [rows], of the scores in x alone
        raise NotImplementedError("chunk")
        return self.combine(m, d)

    def merge(self, other: "OnlineSoftmax") -> tuple[Tensor, Tensor]:
        """Take in all that another one has seen -> m and d, each [rows], of both."""
        return self.combine(other.m, other.d)

    def combine(self, m: Tensor, d: Tensor) -> tuple[Tensor, Tensor]:
        """m and d of other scores -> those of all."""
        # TODO (3 lines): `self.m` and `self.d` of both together; return them
        raise NotImplementedError("combine")

    def probabilities(self, x: Tensor) -> Tensor:
        """x [rows, n], scores among those seen -> their softmax over all that were seen, [rows, n]."""
        # TODO (2 lines): the softmax of x, in the dtype of x; 0 in rows that are all -inf
        raise NotImplementedError("normalise")


def weigh(x: Tensor, m: Tensor) -> Tensor:
    """exp(x - m), for x up to m."""
    # TODO (1 line): exp(x - m), and 0 where both are -inf
    raise NotImplementedError("weigh")
