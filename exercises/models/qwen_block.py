"""Qwen block

Llama's layer with two changes, both for texts longer than those of the training: q, k and v
have a bias, and the first Qwen scales late queries (LogN; Qwen2 has train_length None).

    x = x + attn(input_layernorm(x))
    y = x + mlp(post_attention_layernorm(x))

    norm(x) = x / sqrt(mean(x²) + eps) · weight     the mean over the last axis
    mlp(x)  = down_proj(silu(gate_proj(x)) · up_proj(x))     silu(u) = u / (1 + exp(-u))

attn: head i owns the features i·head_dim … (i+1)·head_dim − 1 of q_proj(x), k_proj(x), v_proj(x),
head_dim = d_model / num_heads; q has num_heads heads, k and v have num_kv_heads, each for
num_heads / num_kv_heads neighbouring heads of q. In each head of q and k, features i and
i + head_dim/2, (a, b), turn by angle = position · base^(−2i/head_dim), computed in float32:

    (a, b) -> (a cos(angle) − b sin(angle), b cos(angle) + a sin(angle))

If train_length is a number (above 1), the query at position p, and it alone, is multiplied by
max(1, log(p + 1) / log(train_length)): more keys flatten a softmax, this keeps its entropy.

The tokens of x come after those of the cache, whatever the positions say; each attends to the
whole cache, to those before it in x and to itself: softmax(q kᵀ / √head_dim) v, then o_proj of
the heads side by side.

The norms have a weight [d_model]. All projections are nn.Linear: q_proj and o_proj from d_model to
d_model, k_proj and v_proj to num_kv_heads·head_dim, gate_proj and up_proj to d_ff, down_proj
back; only q_proj, k_proj and v_proj have a bias.

x          [b, t, d_model], float32, float16 or bfloat16, like the parameters
positions  [t], int64, at least 0, in any order. No input need be contiguous or may be changed
cache      None, or (k, v) of s earlier tokens, [b, num_kv_heads, s, head_dim], keys turned
result     (y, (k, v)): y [b, t, d_model], and k, v of all s + t tokens for the next call, in the
           dtype of x; gradients flow to x, cache and parameters

scaled_dot_product_attention and nn.RMSNorm are allowed, nn.MultiheadAttention and its like not.

Source: arXiv:2309.16609, §2.3 and §2.5; Qwen2, arXiv:2407.10671, §2.2; modeling_qwen.py and modeling_qwen2.py
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def rotate(x: Tensor, positions: Tensor, base: float) -> Tensor:
    """x [b, h, t, head_dim], each token turned by its position, positions [t]; features i and i + d/2 are a pair."""
    d = x.shape[-1]
    angles = positions[:, None] * base ** -(torch.arange(0, d, 2, device=x.device) / d)  # [t, d/2]
    cos, sin = angles.cos(), angles.sin()
    first, second = x.float().chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1).to(x.dtype)


class QwenBlock(nn.Module):
    """One decoder layer: Llama's, with a bias where q, k and v are made, and queries that know how long the text is."""

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        num_kv_heads: int,
        d_ff: int,
        eps: float = 1e-6,
        base: float = 1000000.0,
        train_length: int | None = None,
    ):
        super().__init__()
        self.head_dim, self.base, self.train_length = d_model // num_heads, base, train_length
        self.input_layernorm = nn.RMSNorm(d_model, eps)
        self.post_attention_layernorm = nn.RMSNorm(d_model, eps)
        # TODO (4 lines): the linear layers q_proj, k_proj, v_proj and o_proj
        raise NotImplementedError("projections")
        self.gate_proj = nn.Linear(d_model, d_ff, bias=False)
        self.up_proj = nn.Linear(d_model, d_ff, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)

    def forward(
        self, x: Tensor, positions: Tensor, cache: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x [b, t, d_model], positions [t] -> y [b, t, d_model], and keys and values of all tokens so far."""
        # TODO (6 lines): `q`, `k`, `v` of the normalised x, [b, heads, t, head_dim] each; q and k turned by rotate
        raise NotImplementedError("project")
        # TODO (3 lines): LogN scaling of `q`, where there is a train_length
        raise NotImplementedError("logn")
        # TODO (4 lines): `k`, `v` of all tokens so far; `visible`, boolean [t, all], which keys each new token may see
        raise NotImplementedError("extend")
        heads = F.scaled_dot_product_attention(q, k, v, attn_mask=visible, enable_gqa=True)
        # TODO (3 lines): the heads through o_proj, the MLP, and the result
        raise NotImplementedError("residual")
