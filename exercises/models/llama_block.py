"""Llama block

One layer of Llama, which is decoder-only, without cross-attention: RMSNorm before each branch,
grouped-query attention with rotary positions, and SwiGLU. Nothing has a bias.

    x = x + attn(input_layernorm(x))
    y = x + mlp(post_attention_layernorm(x))

    norm(x) = x / sqrt(mean(x²) + eps) · weight     the mean over the last axis
    mlp(x)  = down_proj(silu(gate_proj(x)) · up_proj(x))     silu(u) = u / (1 + exp(-u))

attn: head i owns the features i·head_dim … (i+1)·head_dim − 1 of q_proj(x), k_proj(x), v_proj(x),
head_dim = d_model / num_heads; q has num_heads heads, k and v have num_kv_heads, each for
num_heads / num_kv_heads neighbouring heads of q. In each head of q and k, features i and
i + head_dim/2, (a, b), turn by angle = position · base^(−2i/head_dim), computed in float32:

    (a, b) -> (a cos(angle) − b sin(angle), b cos(angle) + a sin(angle))

The tokens of x come after those of the cache, whatever the positions say; each attends to the
whole cache, to those before it in x and to itself: softmax(q kᵀ / √head_dim) v, then o_proj of
the heads side by side. Scores may be in the hundred thousands.

The norms have a weight [d_model]. All projections are nn.Linear: q_proj and o_proj from d_model to
d_model, k_proj and v_proj to num_kv_heads·head_dim, gate_proj and up_proj to d_ff, down_proj back.

x          [b, t, d_model], float32, float16 or bfloat16, like the parameters; its squares may be
           beyond float16. No input need be contiguous or may be changed
positions  [t], int64, at least 0
cache      None, or (k, v) of s earlier tokens, [b, num_kv_heads, s, head_dim], keys turned
result     (y, (k, v)): y [b, t, d_model], and k, v of all s + t tokens for the next call, in the
           dtype of x; gradients flow to x, cache and parameters

scaled_dot_product_attention and nn.RMSNorm are allowed, nn.MultiheadAttention and its like not.

Source: Touvron et al. 2023, arXiv:2302.13971, §2.2; arXiv:2307.09288, §2.2; transformers, modeling_llama.py
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RMSNorm(nn.Module):
    """Divides each vector by its root mean square."""

    def __init__(self, d: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """x [..., d] -> [..., d]."""
        wide = x.float()  # in float16 a square overflows from |x| = 256
        normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return (normed * self.weight).to(x.dtype)


def rotate(x: Tensor, positions: Tensor, base: float) -> Tensor:
    """x [b, h, t, head_dim], each token turned by its position, positions [t]."""
    # TODO (5 lines): turn each pair by its angle, in float32; in the dtype of x
    raise NotImplementedError("rotate")


class LlamaBlock(nn.Module):
    """One decoder layer: grouped-query attention with rotary positions, then SwiGLU; nothing has a bias."""

    def __init__(
        self, d_model: int, num_heads: int, num_kv_heads: int, d_ff: int, eps: float = 1e-5, base: float = 10000.0
    ):
        super().__init__()
        self.head_dim, self.base = d_model // num_heads, base
        self.input_layernorm = RMSNorm(d_model, eps)
        self.q_proj = nn.Linear(d_model, d_model, bias=False)
        self.k_proj = nn.Linear(d_model, num_kv_heads * self.head_dim, bias=False)
        self.v_proj = nn.Linear(d_model, num_kv_heads * self.head_dim, bias=False)
        self.o_proj = nn.Linear(d_model, d_model, bias=False)
        self.post_attention_layernorm = RMSNorm(d_model, eps)
        self.gate_proj = nn.Linear(d_model, d_ff, bias=False)
        self.up_proj = nn.Linear(d_model, d_ff, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)

    def forward(
        self, x: Tensor, positions: Tensor, cache: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x [b, t, d_model], positions [t] -> y [b, t, d_model], and keys and values of all tokens so far."""
        attention, keys, values = self.attend(self.input_layernorm(x), positions, cache)
        # TODO (2 lines): from `x` as it came in and `attention`: `x` as it goes out
        raise NotImplementedError("residual")
        return x, (keys, values)

    def attend(
        self, x: Tensor, positions: Tensor, cache: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x [b, t, d_model], normalised -> what is added to it, and keys and values of all tokens so far."""
        q, k, v = (
            proj(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)  # [b, h or h_kv, t, head_dim]
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        # TODO (3 lines): `q` turned; `keys` and `values` of all tokens so far, keys turned
        raise NotImplementedError("extend")
        # TODO (3 lines): attention of q to the keys that each token may see, `heads` [b, num_heads, t, head_dim]
        raise NotImplementedError("heads")
        return self.o_proj(heads.transpose(1, 2).flatten(-2)), keys, values

    def feed(self, x: Tensor) -> Tensor:
        """x [b, t, d_model], normalised -> what is added to it."""
        # TODO (1 line): SwiGLU
        raise NotImplementedError("feed")
