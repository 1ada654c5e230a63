"""As transformers writes it: rotate_half of neighbours, repeat_interleave for the angles, grouped heads by expand."""

import torch
import torch.nn.functional as F
from torch import nn


def rotate_half(x):
    return torch.stack((-x[..., 1::2], x[..., 0::2]), dim=-1).flatten(-2)


def rotary(x, cos, sin):
    r = cos.shape[-1]
    turning, still = x[..., :r], x[..., r:]
    return torch.cat([turning * cos + rotate_half(turning) * sin, still], dim=-1)


class GLMBlock(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads, d_ff, eps=1e-5, base=10000.0):
        super().__init__()
        self.head_dim = d_model // num_heads
        self.groups = num_heads // num_kv_heads
        r = self.head_dim // 2
        self.register_buffer("inv_freq", 1.0 / base ** (torch.arange(0, r, 2).float() / r), persistent=False)
        self.input_layernorm = nn.RMSNorm(d_model, eps=eps)
        self.post_attention_layernorm = nn.RMSNorm(d_model, eps=eps)
        self.q_proj = nn.Linear(d_model, num_heads * self.head_dim)
        self.k_proj = nn.Linear(d_model, num_kv_heads * self.head_dim)
        self.v_proj = nn.Linear(d_model, num_kv_heads * self.head_dim)
        self.o_proj = nn.Linear(d_model, d_model, bias=False)
        self.gate_up_proj = nn.Linear(d_model, 2 * d_ff, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x, positions, prefix_len):
        b, t, _ = x.shape
        h = self.input_layernorm(x)
        q = self.q_proj(h).view(b, t, -1, self.head_dim).transpose(1, 2)
        k = self.k_proj(h).view(b, t, -1, self.head_dim).transpose(1, 2)
        v = self.v_proj(h).view(b, t, -1, self.head_dim).transpose(1, 2)
        emb = (positions[:, None].float() * self.inv_freq).repeat_interleave(2, dim=-1)
        cos, sin = emb.cos().to(x.dtype), emb.sin().to(x.dtype)
        q, k = rotary(q, cos, sin), rotary(k, cos, sin)
        k = k.repeat_interleave(self.groups, dim=1)
        v = v.repeat_interleave(self.groups, dim=1)
        mask = torch.ones(b, 1, t, t, dtype=torch.bool, device=x.device).tril()
        for i, n in enumerate(prefix_len):
            mask[i, :, :, :n] = True
        weights = (q @ k.transpose(2, 3) * self.head_dim**-0.5).masked_fill(~mask, torch.finfo(x.dtype).min)
        weights = F.softmax(weights, dim=-1, dtype=torch.float32).to(x.dtype)
        x = x + self.o_proj((weights @ v).transpose(1, 2).reshape(b, t, -1))
        gate, up = self.gate_up_proj(self.post_attention_layernorm(x)).chunk(2, dim=-1)
        return x + self.down_proj(up * F.silu(gate))
