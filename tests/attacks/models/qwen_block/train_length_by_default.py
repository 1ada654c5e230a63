"""Without a train_length it is 2048.

Verdict: failed, value
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
        train_length: int | None = 2048,
    ):
        super().__init__()
        self.head_dim, self.base, self.train_length = d_model // num_heads, base, train_length
        self.input_layernorm = nn.RMSNorm(d_model, eps)
        self.post_attention_layernorm = nn.RMSNorm(d_model, eps)
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, num_kv_heads * self.head_dim)
        self.v_proj = nn.Linear(d_model, num_kv_heads * self.head_dim)
        self.o_proj = nn.Linear(d_model, d_model, bias=False)
        self.gate_proj = nn.Linear(d_model, d_ff, bias=False)
        self.up_proj = nn.Linear(d_model, d_ff, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)

    def forward(
        self, x: Tensor, positions: Tensor, cache: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x [b, t, d_model], positions [t] -> y [b, t, d_model], and keys and values of all tokens so far."""
        normed = self.input_layernorm(x)
        q, k, v = (
            proj(normed).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)  # [b, h or h_kv, t, head_dim]
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, k = rotate(q, positions, self.base), rotate(k, positions, self.base)
        if self.train_length is not None:
            scale = torch.log(positions + 1) / math.log(self.train_length)  # 1 at the last position of training
            q = q * scale.clamp(min=1).to(q.dtype)[:, None]
        if cache is not None:
            k, v = torch.cat([cache[0], k], dim=2), torch.cat([cache[1], v], dim=2)
        order = torch.arange(k.shape[2], device=x.device)
        visible = order <= order[-x.shape[1] :, None]  # [t, all]; the new tokens are the last
        heads = F.scaled_dot_product_attention(q, k, v, attn_mask=visible, enable_gqa=True)
        x = x + self.o_proj(heads.transpose(1, 2).flatten(-2))
        normed = self.post_attention_layernorm(x)
        return x + self.down_proj(F.silu(self.gate_proj(normed)) * self.up_proj(normed)), (k, v)
