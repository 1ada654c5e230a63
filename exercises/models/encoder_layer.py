"""Transformer encoder layer

The encoder of the first Transformer is a stack of equal layers. Each lets its tokens look at
each other, then works on every token by itself; what a sublayer computes is added to what it
was given, and LayerNorm comes after the sum (post-LN; BERT has kept it):

    h = norm1(x + attention(x))
    y = norm2(h + fc2(relu(fc1(h))))

attention is multi-head self-attention. Head i = 0, 1, … owns the features i·head_dim …
(i+1)·head_dim − 1 of q_proj(x), k_proj(x) and v_proj(x), head_dim = d_model / num_heads:

    head_i       = softmax(q_i k_iᵀ / √head_dim) v_i
    attention(x) = out_proj([head_0, head_1, …])

Every token looks at all real tokens of its text, later ones too; padding weighs exactly 0.

The parameters are those of nn.Linear with bias: q_proj, k_proj, v_proj and out_proj from d_model
to d_model, fc1 from d_model to d_ff, fc2 back; and of nn.LayerNorm(d_model), eps 1e-5: norm1
and norm2. There is no dropout: train and eval mode give the same.

x       [b, t, d_model], float32, float16 or bfloat16, like the parameters; need not be
        contiguous, must not be changed
mask    boolean [b, t], True where the token is real, anywhere; at least one in each text is
result  [b, t, d_model], the dtype of x; padding gets a vector too, by the same formulas.
        Gradients flow to x and the parameters

scaled_dot_product_attention and nn.LayerNorm are allowed, nn.MultiheadAttention and its like not.

Source: Vaswani et al. 2017, Attention Is All You Need, arXiv:1706.03762, fig. 1, §3.1 and §3.3
"""

import torch.nn.functional as F
from torch import Tensor, nn


class EncoderLayer(nn.Module):
    """Self-attention, then a feed-forward network, each added to what it was given and normalised."""

    def __init__(self, d_model: int, num_heads: int, d_ff: int):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, d_model)
        self.v_proj = nn.Linear(d_model, d_model)
        self.out_proj = nn.Linear(d_model, d_model)
        # TODO (4 lines): the feed-forward network and the norms: `self.fc1`, `self.fc2`, `self.norm1`, `self.norm2`
        raise NotImplementedError("networks")

    def attention(self, x: Tensor, mask: Tensor) -> Tensor:
        """Every token looks at all real tokens: x [b, t, d_model], mask [b, t] -> [b, t, d_model]."""
        by_head = (self.num_heads, -1)
        # TODO (3 lines): `q`, `k` and `v` from x by their projections, each [b, num_heads, t, head_dim]
        raise NotImplementedError("attend")
        # TODO (1 line): `visible`: the mask, broadcastable to queries times keys, [b, num_heads, t, t]
        raise NotImplementedError("visible")
        heads = F.scaled_dot_product_attention(q, k, v, visible)  # [b, h, t, head_dim]
        return self.out_proj(heads.transpose(1, 2).flatten(-2))

    def feed_forward(self, x: Tensor) -> Tensor:
        """Each token by itself: [b, t, d_model] -> [b, t, d_model]."""
        # TODO (1 line): return what the feed-forward network makes of x
        raise NotImplementedError("feed_forward")

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x [b, t, d_model], mask [b, t], True where the token is real -> [b, t, d_model]."""
        # TODO (1 line): `h` [b, t, d_model]: the first sublayer, attention, with what belongs around it
        raise NotImplementedError("first")
        # TODO (1 line): return the second sublayer, the feed-forward network, with what belongs around it
        raise NotImplementedError("second")
