"""GLM block: a prefix read in both directions

GLM and ChatGLM-6B are prefix decoders, neither encoder-decoder nor purely causal: the prompt is
read in both directions, the answer behind it is written in one. This is the layer of ChatGLM2 to
GLM-4 with that mask; GLM-4 itself is causal, prefix_len 0.

    x = x + attn(input_layernorm(x))
    y = x + mlp(post_attention_layernorm(x))

    norm(x) = x / sqrt(mean(x²) + eps) · weight     the mean over the last axis
    mlp(x)  = down_proj(silu(gate) · up)            gate_up_proj(x) is gate and up side by side

silu(u) = u / (1 + exp(−u)). attn: head i owns the features i·head_dim … (i+1)·head_dim − 1 of
q_proj(x), k_proj(x), v_proj(x), head_dim = d_model / num_heads, a multiple of 4; q has num_heads
heads, k and v have num_kv_heads, each for num_heads / num_kv_heads neighbouring heads of q. Of
each head of q and k only the first r = head_dim/2 features turn, in pairs of neighbours: features
2i and 2i + 1, (a, b), by angle = position · base^(−2i/r), computed in float32:

    (a, b) -> (a cos(angle) − b sin(angle), b cos(angle) + a sin(angle))

The first prefix_len[n] tokens of sequence n are its prefix. Every token attends to the whole
prefix, to itself and to all tokens before it, whatever the positions say:
softmax(q kᵀ / √head_dim) v, then o_proj of the heads side by side. Scores may be in the hundred thousands.

The norms have a weight [d_model]. All projections are nn.Linear: q_proj and o_proj from d_model to
d_model, k_proj and v_proj to num_kv_heads·head_dim, gate_up_proj to 2·d_ff, down_proj from d_ff
to d_model; only q_proj, k_proj and v_proj have a bias.

x           [b, t, d_model], float32, float16 or bfloat16, like the parameters
positions   [t], int64, at least 0, in any order; they may repeat
prefix_len  [b], int64, from 0 to t. No input need be contiguous or may be changed
result      [b, t, d_model], the dtype of x; gradients flow to x and the parameters

scaled_dot_product_attention and nn.RMSNorm are allowed, nn.MultiheadAttention and its like not.

Source: arXiv:2103.10360, §2.1; arXiv:2210.02414, §2.1; GLM-4, arXiv:2406.12793, §2; transformers, modeling_glm.py
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def rotate(x: Tensor, positions: Tensor, base: float) -> Tensor:
    """x [b, h, t, head_dim], the first half of each head turned by the position of its token, positions [t]."""
    # TODO (7 lines): turn the first half of each head, in float32; all features, in the dtype of x
    raise NotImplementedError("rotate")


class GLMBlock(nn.Module):
    """One decoder layer: a prefix that is read in both directions, a text behind it that is written in one."""

    def __init__(
        self, d_model: int, num_heads: int, num_kv_heads: int, d_ff: int, eps: float = 1e-5, base: float = 10000.0
    ):
        super().__init__()
        self.head_dim, self.base = d_model // num_heads, base
        self.input_layernorm = nn.RMSNorm(d_model, eps)
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, num_kv_heads * self.head_dim)
        self.v_proj = nn.Linear(d_model, num_kv_heads * self.head_dim)
        self.o_proj = nn.Linear(d_model, d_model, bias=False)
        self.post_attention_layernorm = nn.RMSNorm(d_model, eps)
        self.gate_up_proj = nn.Linear(d_model, 2 * d_ff, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x: Tensor, positions: Tensor, prefix_len: Tensor) -> Tensor:
        """x [b, t, d_model], positions [t], prefix_len [b] -> [b, t, d_model]."""
        normed = self.input_layernorm(x)
        q, k, v = (
            proj(normed).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)  # [b, h or h_kv, t, head_dim]
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, k = rotate(q, positions, self.base), rotate(k, positions, self.base)
        # TODO (3 lines): `visible`, boolean [b, t, t], True where a token (second axis) may attend to another
        raise NotImplementedError("visible")
        heads = F.scaled_dot_product_attention(q, k, v, attn_mask=visible[:, None], enable_gqa=True)
        # TODO (2 lines): the heads through o_proj, then the MLP by feed
        raise NotImplementedError("residual")

    def feed(self, x: Tensor) -> Tensor:
        """x [b, t, d_model], normalised -> what is added to it."""
        # TODO (2 lines): gated MLP; gate_up_proj gives the gate first
        raise NotImplementedError("feed")
