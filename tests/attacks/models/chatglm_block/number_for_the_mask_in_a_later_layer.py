"""Scores are divided by 3 and masked with -10,000, then multiplied by 3, as ChatGLM-6B does in its third layer.

Verdict: failed, value
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def rotate(x: Tensor, positions: Tensor, base: float) -> Tensor:
    """x [b, h, t, head_dim], the first half of each head turned by the position of its token, positions [t]."""
    turning, still = x.float().chunk(2, dim=-1)
    d = turning.shape[-1]
    angles = positions[:, None] * base ** -(torch.arange(0, d, 2, device=x.device) / d)  # [t, d/2]
    cos, sin = angles.cos(), angles.sin()
    first, second = turning[..., 0::2], turning[..., 1::2]  # a pair is two neighbours
    turned = torch.stack([first * cos - second * sin, second * cos + first * sin], dim=-1).flatten(-2)
    return torch.cat([turned, still], dim=-1).to(x.dtype)


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
        order = torch.arange(x.shape[1], device=x.device)
        in_prefix = order < prefix_len[:, None]  # [b, t]
        visible = in_prefix[:, None] | (order <= order[:, None])  # [b, t, t]
        k, v = (each.repeat_interleave(q.shape[1] // k.shape[1], dim=1) for each in (k, v))
        scores = q @ k.mT / (3 * self.head_dim**0.5)
        scores = 3 * scores.masked_fill(~visible[:, None], -10_000)
        heads = scores.softmax(dim=-1) @ v
        x = x + self.o_proj(heads.transpose(1, 2).flatten(-2))
        return x + self.feed(self.post_attention_layernorm(x))

    def feed(self, x: Tensor) -> Tensor:
        """x [b, t, d_model], normalised -> what is added to it."""
        gate, up = self.gate_up_proj(x).chunk(2, dim=-1)
        return self.down_proj(F.silu(gate) * up)
