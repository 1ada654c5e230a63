"""Transformer decoder layer

A decoder writes the target text one token after the other, looking at the source. In training it
is given all of the target at once, so its self-attention must not see what it is to predict. Of
its three sublayers each is added to what it was given; LayerNorm comes after the sum (post-LN):

    h = norm1(x + self_attn(x, x))
    c = norm2(h + cross_attn(h, memory))
    y = norm3(c + fc2(relu(fc1(c))))

Both attentions are multi-head attention(x, source): with q = q_proj(x), k = k_proj(source),
v = v_proj(source) and head_dim = d_model / num_heads, head i = 0, 1, … owns the features
i·head_dim … (i+1)·head_dim − 1 of each:

    head_i               = softmax(q_i k_iᵀ / √head_dim) v_i
    attention(x, source) = out_proj([head_0, head_1, …])

In self_attn a token sees itself and those before it (padding of the target stands at its end); in
cross_attn all real tokens of memory, which the encoder made of the source. What is not seen
weighs exactly 0.

The parameters are those of nn.Linear with bias: q_proj, k_proj, v_proj and out_proj in self_attn
and in cross_attn, from d_model to d_model, fc1 from d_model to d_ff, fc2 back; and of
nn.LayerNorm(d_model), eps 1e-5: norm1, norm2, norm3. There is no dropout.

x            [b, t, d_model], float32, float16 or bfloat16, like the parameters
memory       [b, s, d_model], the dtype of x. No input need be contiguous or may be changed
memory_mask  boolean [b, s], True where the source token is real; in each text at least one is
result       [b, t, d_model], the dtype of x; gradients flow to x, memory and the parameters

scaled_dot_product_attention and nn.LayerNorm are allowed, nn.MultiheadAttention and its like not.

Source: Vaswani et al. 2017, Attention Is All You Need, arXiv:1706.03762, fig. 1, §3.1 and §3.2.3
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head attention of the tokens of one text to those of another, or of the same."""

    def __init__(self, d_model: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, d_model)
        self.v_proj = nn.Linear(d_model, d_model)
        self.out_proj = nn.Linear(d_model, d_model)

    def forward(self, x: Tensor, source: Tensor, visible: Tensor) -> Tensor:
        """x [b, t, d_model], source [b, s, d_model], visible [.., t, s]: True where x may look -> [b, t, d_model]."""
        by_head = (self.num_heads, -1)
        q = self.q_proj(x).unflatten(-1, by_head).transpose(1, 2)
        k = self.k_proj(source).unflatten(-1, by_head).transpose(1, 2)
        v = self.v_proj(source).unflatten(-1, by_head).transpose(1, 2)
        heads = F.scaled_dot_product_attention(q, k, v, visible)
        return self.out_proj(heads.transpose(1, 2).flatten(-2))


class DecoderLayer(nn.Module):
    """Masked self-attention, attention to the source, a feed-forward network: each added and normalised."""

    def __init__(self, d_model: int, num_heads: int, d_ff: int):
        super().__init__()
        # TODO (5 lines): both attentions, both nn.Linear and the three nn.LayerNorm, by the names above
        raise NotImplementedError("parts")

    def forward(self, x: Tensor, memory: Tensor, memory_mask: Tensor) -> Tensor:
        """x [b, t, d_model], memory [b, s, d_model], memory_mask [b, s], True where real -> [b, t, d_model]."""
        # TODO (2 lines): `past`, boolean [t, t]: True where the token (row) may see the other one (column)
        raise NotImplementedError("past")
        # TODO (1 line): `h` [b, t, d_model]: the first sublayer, with what belongs around it
        raise NotImplementedError("self_attention")
        # TODO (1 line): `c` [b, t, d_model]: the second sublayer, with what belongs around it
        raise NotImplementedError("cross_attention")
        # TODO (1 line): return the third sublayer, with what belongs around it
        raise NotImplementedError("network")
