"""Scaled dot-product attention

Each query looks at all keys that it may attend to, and takes the average of their values,
weighted by how well query and key agree:

    y = softmax(q kᵀ / √d_k) v

Why the root: the dot product of two vectors of d_k independent features of variance 1 has
variance d_k. Divided by √d_k it has variance 1, whatever the width; large scores would
saturate the softmax, and hardly any gradient would be left.

The softmax of a query runs over the keys that it may attend to; all other keys weigh
exactly 0, whatever their scores. Scores may be in the thousands; the softmax must not
overflow.

q       [..., t_q, d_k]
k       [..., t_k, d_k]
v       [..., t_k, d_v]. The leading axes are the same for all three: batch and heads,
        the batch alone, or none. All are float32, float16 or bfloat16; they need not
        be contiguous and must not be changed
mask    None (every query may attend to every key) or boolean, broadcastable to
        [..., t_q, t_k]: True where the query may attend to the key. Every query may
        attend to at least one key
result  [..., t_q, d_v], the dtype of q; gradients flow to q, k and v

Only the mask decides who attends to whom: a decoder passes a causal one. Loops, einsum
or a softmax in float32 are fine; torch's own attention is not. There is no dropout.

Source: Vaswani et al. 2017, Attention Is All You Need, arXiv:1706.03762, §3.2.1, eq. 1
"""

import math

from torch import Tensor


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """q [..., t_q, d_k], k [..., t_k, d_k], v [..., t_k, d_v], mask [..., t_q, t_k] -> [..., t_q, d_v]."""
    # TODO (1 line): the scaled dot product of each query with each key; call it `scores`, [..., t_q, t_k]
    raise NotImplementedError("score")
    # TODO (2 lines): if there is a mask, let no score count where it is False
    raise NotImplementedError("block")
    # TODO (1 line): the softmax of the scores over the keys; call it `weights`, [..., t_q, t_k]
    raise NotImplementedError("weigh")
    # TODO (1 line): the values of all keys, averaged by the weights
    raise NotImplementedError("average")
