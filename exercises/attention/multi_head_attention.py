"""Multi-head attention

Every token of a sequence attends to the tokens that the mask allows, in several heads.
Let q = q_proj(x), k = k_proj(x), v = v_proj(x) and head_dim = d_model / num_heads. Head
i = 0, 1, … owns the features i·head_dim … (i+1)·head_dim − 1 of q, k and v:

    head_i = softmax(q_i k_iᵀ / √head_dim) v_i     [t, head_dim]
    y      = out_proj([head_0, head_1, …])         [t, d_model], the heads side by side

The softmax of a query runs over the keys that it may attend to; all other keys weigh 0,
whatever their scores. Scores may be in the thousands; the softmax must not overflow.

The parameters of MultiHeadAttention(d_model, num_heads, bias=True) are those of four
nn.Linear(d_model, d_model), q_proj, k_proj, v_proj and out_proj, all with bias or all
without: as many for one head as for eight. num_heads divides d_model.

x       [b, t, d_model], float32, float16 or bfloat16, like the parameters; need not be
        contiguous, must not be changed
mask    None (all may attend to all) or boolean, broadcastable to [b, num_heads, t, t]:
        True where the query (third axis) may attend to the key (last axis). Every query
        may attend to at least one key.
result  [b, t, d_model], the dtype of x; gradients flow to x and the parameters

A loop over heads, einsum, or a softmax in float32 are fine; torch's attention is not,
nor is projecting x again for every head.
There is no dropout: train and eval mode give the same.

Source: Vaswani et al. 2017, Attention Is All You Need, arXiv:1706.03762, eq. 1 and §3.2.2
"""

import math

from torch import Tensor, nn


class MultiHeadAttention(nn.Module):
    """Self-attention of every token to every token, by several heads."""

    def __init__(self, d_model: int, num_heads: int, bias: bool = True):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_model, bias=bias)
        self.v_proj = nn.Linear(d_model, d_model, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x [b, t, d_model], mask broadcastable to [b, h, t, t] -> [b, t, d_model]."""
        # TODO (4 lines): q, k and v from x by their projections, each [b, num_heads, t, head_dim]
        raise NotImplementedError("split")
        # TODO (1 line): the scaled dot product of each query with each key; call it `scores`, [b, num_heads, t, t]
        raise NotImplementedError("score")
        # TODO (2 lines): if there is a mask, let no score count where it is False
        raise NotImplementedError("block")
        # TODO (2 lines): average the values by the softmax of the scores; call it `heads`, [b, num_heads, t, head_dim]
        raise NotImplementedError("attend")
        # TODO (2 lines): the heads of each token side by side, then the output projection
        raise NotImplementedError("merge")
