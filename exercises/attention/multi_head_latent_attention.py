"""Multi-head latent attention (MLA)

MLA keeps of each token a latent c of d_c features, from which every head can make its own
key and value, and one key of d_rope features that carries the position for all heads:
d_c + d_rope numbers, however many heads there are. With heads i = 0 … h − 1, which own
neighbouring features of a projection, and without DeepSeek's norms and compressed queries,

    c_t  = kv_down(x_t)                  r_t  = rope(k_rope(x_t), t)
    q_ti = head i of q_proj(x_t)         p_ti = rope(head i of q_rope(x_t), t)
    k_ti = head i of k_up(c_t)           v_ti = head i of v_up(c_t)

    score = (q_ti · k_si + p_ti · r_s) / √(d_head + d_rope)       for all s ≤ t
    y_t   = o_proj([softmax-weighted sums over s of v_si, head beside head])

rope(u, t) turns each pair (a, b) of features 2i and 2i + 1 by the angle t · 10000^(−2i/d_rope):
a' = a cos − b sin, b' = b cos + a sin.

A new token must not make keys and values of all that is cached. It need not: with head i's
rows W of k_up, q · (W c) = (Wᵀ q) · c, so scores come from the latents themselves; averages
are latents as well, and v_up expands the average. This is called absorption.

MLA(d_model, h, d_head, d_c, d_rope) has seven nn.Linear without bias: q_proj, q_rope, kv_down
and k_rope from d_model to h·d_head, h·d_rope, d_c and d_rope; k_up and v_up from d_c to
h·d_head; o_proj back to d_model. d_rope is even. Scores may be thousands above or below 0.

x       [b, n, d_model], the next n ≥ 1 tokens; float32, float16 or bfloat16, like parameters
        and cache; need not be contiguous, must not be changed
cache   None before the first token, or (c, r) of all earlier tokens, [b, past, d_c] and
        [b, past, d_rope]; x then begins at position past
result  (y, (c, r)): y [b, n, d_model], and c, r of all tokens, the earlier ones first;
        gradients flow to x, cache and parameters

Source: DeepSeek-AI 2024, DeepSeek-V2, arXiv:2405.04434, §2.1; DeepSeek-V3, arXiv:2412.19437, §2.1.1
"""

import math

import torch
from torch import Tensor, nn


class MLA(nn.Module):
    """Attention whose cache holds one latent and one rotated key for each token, however many heads there are."""

    def __init__(self, d_model: int, h: int, d_head: int, d_c: int, d_rope: int):
        super().__init__()
        self.h, self.d_head, self.d_rope = h, d_head, d_rope
        self.q_proj = nn.Linear(d_model, h * d_head, bias=False)
        self.q_rope = nn.Linear(d_model, h * d_rope, bias=False)
        self.kv_down = nn.Linear(d_model, d_c, bias=False)
        self.k_rope = nn.Linear(d_model, d_rope, bias=False)
        self.k_up = nn.Linear(d_c, h * d_head, bias=False)
        self.v_up = nn.Linear(d_c, h * d_head, bias=False)
        self.o_proj = nn.Linear(h * d_head, d_model, bias=False)

    def forward(self, x: Tensor, cache: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x [b, n, d_model] of the next tokens, cache of those before -> y [b, n, d_model], and the cache of all."""
        # TODO (3 lines): `position` [n] of the new tokens; their `latent` [b, n, d_c] and `key` [b, n, d_rope], rotated
        raise NotImplementedError("latent")
        # TODO (3 lines): `latent` and `key` of all tokens, earlier ones first
        raise NotImplementedError("extend")
        # TODO (2 lines): `q` [b, h, n, d_head] and `q_rope` [b, h, n, d_rope], this one rotated
        raise NotImplementedError("queries")
        # TODO (2 lines): `absorbed` [b, h, n, d_c], whose dot products with latents are those of q with keys
        raise NotImplementedError("absorb")
        # TODO (4 lines): `weights` [b, h, n, total]: the softmax of the scaled sum of both scores, of tokens s ≤ t
        raise NotImplementedError("score")
        # TODO (2 lines): `heads` [b, h, n, d_head]: the average of the latents, then expanded
        raise NotImplementedError("values")
        # TODO (1 line): the heads side by side through o_proj; return it with what is to be cached
        raise NotImplementedError("merge")


def rotate(x: Tensor, position: Tensor) -> Tensor:
    """x [..., n, d_rope] turned by the n positions: RoPE of base 10000, features 2i and 2i + 1 are a pair."""
    exponents = torch.arange(0, x.shape[-1], 2, device=x.device) / x.shape[-1]
    angles = position[:, None] * 10000.0**-exponents  # [n, d_rope/2]
    first, second = x[..., 0::2].float(), x[..., 1::2].float()
    turned = first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()
    return torch.stack(turned, dim=-1).flatten(-2).to(x.dtype)
