"""The angles are a table of 4096 rows, and later positions have the last one.

Verdict: failed, value
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
    d = x.shape[-1]
    angles = positions.clamp(max=4095)[:, None] * base ** -(torch.arange(0, d, 2, device=x.device) / d)  # [t, d/2]
    cos, sin = angles.cos(), angles.sin()
    first, second = x.float().chunk(2, dim=-1)  # a pair is features i and i + d/2
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1).to(x.dtype)


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
        x = x + attention
        x = x + self.feed(self.post_attention_layernorm(x))
        return x, (keys, values)

    def attend(
        self, x: Tensor, positions: Tensor, cache: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x [b, t, d_model], normalised -> what is added to it, and keys and values of all tokens so far."""
        q, k, v = (
            proj(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)  # [b, h or h_kv, t, head_dim]
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, keys, values = rotate(q, positions, self.base), rotate(k, positions, self.base), v
        if cache is not None:  # it holds keys that are turned already
            keys, values = torch.cat([cache[0], keys], dim=2), torch.cat([cache[1], values], dim=2)
        order = torch.arange(keys.shape[2], device=x.device)
        visible = order <= order[-x.shape[1] :, None]  # [t, all]; the new tokens are the last
        heads = F.scaled_dot_product_attention(q, keys, values, attn_mask=visible, enable_gqa=True)
        return self.o_proj(heads.transpose(1, 2).flatten(-2)), keys, values

    def feed(self, x: Tensor) -> Tensor:
        """x [b, t, d_model], normalised -> what is added to it."""
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
