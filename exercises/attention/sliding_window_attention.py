"""Sliding-window attention

Full attention computes t² scores. Here each token looks back over a fixed distance: it attends
to itself and the window − 1 tokens before it, or to as many as there are.

    y_i = softmax(q_i k_jᵀ / √d) v_j     over the keys j with i − window < j ≤ i and 0 ≤ j

Layers add up: n of them pass on what stood up to n·(window − 1) tokens before.

What it costs grows with the text and not with its square: for the same window, twice the
tokens take twice the operations and twice the memory. No [t, t] tensor is ever made, neither
of scores nor as a mask. Longformer cuts the text into blocks as long as the window: the keys
of a block are then in two blocks, its own and the one before. That computes twice the scores
that count, and does so in matrix products; blocks of another length may cost up to three
times as much as that.

Padding, where you add some, is hidden like any other key: a key of zeros has the score 0, which
weighs more than a negative one.

q, k, v  [b, h, t, d], float32, float16 or bfloat16; t need not be a multiple of window; they
         need not be contiguous and must not be changed
window   int, 1 or more. Far longer than the text, it costs no more than causal attention
result   [b, h, t, d], the dtype of q; gradients flow to q, k and v

Scores may be in the thousands; the softmax must not overflow, nor see what it must not.
Loops, einsum and unfold are fine, torch's own attention is not.

Source: Beltagy et al. 2020, Longformer, arXiv:2004.05150, §3.1; Jiang et al. 2023, Mistral 7B, arXiv:2310.06825, §2
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def sliding_window_attention(q: Tensor, k: Tensor, v: Tensor, window: int) -> Tensor:
    """q, k, v [b, h, t, d] -> [b, h, t, d]; each token attends to itself and the window - 1 tokens before it."""
    t, d = q.shape[2:]
    # TODO (2 lines): `size` of a block, at most t; q, k, v in blocks, [b, h, n, size, d], padded at the end
    raise NotImplementedError("blocks")
    # TODO (2 lines): `keys`, `values` of the block before, then of its own, [b, h, n, 2·size, d]
    raise NotImplementedError("neighbours")
    # TODO (3 lines): `visible`: boolean, broadcastable to [n, size, 2·size], True where a query may attend
    raise NotImplementedError("visible")
    # TODO (2 lines): `blocks`: values averaged by the softmax of the scaled scores, [b, h, n, size, d]
    raise NotImplementedError("attend")
    # TODO (1 line): the tokens in a row again, without the padding
    raise NotImplementedError("join")
