"""Cross-attention

The second attention of each decoder block lets every target token attend to the source text.
Its queries come from x, what the masked self-attention of the same block has just computed;
its keys and values come from memory, the output of the last layer of the encoder. Let

    q = q_proj(x)
    k = k_proj(memory)
    v = v_proj(memory)

and head_dim = d_model / num_heads. Head i = 0, 1, … owns the features i·head_dim …
(i+1)·head_dim − 1 of q, k and v:

    head_i = softmax(q_i k_iᵀ / √head_dim) v_i     [t, head_dim]
    y      = out_proj([head_0, head_1, …])         [t, d_model], the heads side by side

The parameters are those of four nn.Linear with bias: q_proj and out_proj from d_model to
d_model, k_proj and v_proj from d_memory to d_model. num_heads divides d_model.

x        [b, t, d_model], float32, float16 or bfloat16, like the parameters
memory   [b, s, d_memory], the dtype of x; s and t have nothing to do with each other.
         Neither need be contiguous, neither must be changed
lengths  int64 [b], from 1 to s: source tokens from lengths[b] on are padding, and weigh
         exactly 0, whatever their scores, which may be in the thousands. All targets see
         all that is left: the source is there as a whole
result   [b, t, d_model], the dtype of x; gradients flow to x, memory and the parameters

No residual connection, no normalization, no dropout: they belong to the block. Loops, einsum
or a softmax in float32 are fine; torch's attention is not.

Source: Vaswani et al. 2017, Attention Is All You Need, arXiv:1706.03762, fig. 1, §3.1 and §3.2.3
"""

import math

import torch
from torch import Tensor, nn


class CrossAttention(nn.Module):
    """Attention of every target token to every source token, by several heads."""

    def __init__(self, d_model: int, num_heads: int, d_memory: int):
        super().__init__()
        self.num_heads = num_heads
        # TODO (4 lines): the four nn.Linear: `self.q_proj`, `self.k_proj`, `self.v_proj`, `self.out_proj`
        raise NotImplementedError("projections")

    def forward(self, x: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
        """x [b, t, d_model], memory [b, s, d_memory], lengths [b] -> [b, t, d_model]."""
        # TODO (4 lines): q from x, k and v from memory, by heads: [b, h, t, head_dim] and [b, h, s, head_dim]
        raise NotImplementedError("split")
        # TODO (1 line): the scaled dot product of each target with each source token; call it `scores`, [b, h, t, s]
        raise NotImplementedError("score")
        # TODO (2 lines): let no score of padding count
        raise NotImplementedError("block")
        # TODO (2 lines): average the values by the softmax, put the heads of each token side by side, project
        raise NotImplementedError("merge")
