"""As transformers writes it: rotate_half, repeat_kv, an additive mask, torch's RMSNorm, all in the dtype of x but the norm."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def rotate_half(x):
    x1 = x[..., : x.shape[-1] // 2]
    x2 = x[..., x.shape[-1] // 2 :]
    return torch.cat((-x2, x1), dim=-1)


def repeat_kv(x, n):
    b, h, t, d = x.shape
    return x[:, :, None].expand(b, h, n, t, d).reshape(b, h * n, t, d)


class LlamaBlock(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads, d_ff, eps=1e-5, base=10000.0):
        super().__init__()
        self.head_dim = d_model // num_heads
        self.n_rep = num_heads // num_kv_heads
        inv_freq = 1.0 / (base ** (torch.arange(0, self.head_dim, 2, dtype=torch.float) / self.head_dim))
        self.register_buffer("inv_freq", inv_freq, persistent=False)
        self.q_proj = nn.Linear(d_model, num_heads * self.head_dim, bias=False)
        self.k_proj = nn.Linear(d_model, num_kv_heads * self.head_dim, bias=False)
        self.v_proj = nn.Linear(d_model, num_kv_heads * self.head_dim, bias=False)
        self.o_proj = nn.Linear(num_heads * self.head_dim, d_model, bias=False)
        self.gate_proj = nn.Linear(d_model, d_ff, bias=False)
        self.up_proj = nn.Linear(d_model, d_ff, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)
        self.input_layernorm = nn.RMSNorm(d_model, eps=eps)
        self.post_attention_layernorm = nn.RMSNorm(d_model, eps=eps)

    def attention(self, x, positions, cache):
        b, t, _ = x.shape
        shape = (b, t, -1, self.head_dim)
        q = self.q_proj(x).view(shape).transpose(1, 2)
        k = self.k_proj(x).view(shape).transpose(1, 2)
        v = self.v_proj(x).view(shape).transpose(1, 2)
        freqs = positions[:, None].float() * self.inv_freq
        emb = torch.cat((freqs, freqs), dim=-1)
        cos, sin = emb.cos().to(x.dtype), emb.sin().to(x.dtype)
        q = q * cos + rotate_half(q) * sin
        k = k * cos + rotate_half(k) * sin
        if cache is not None:
            k = torch.cat([cache[0], k], dim=-2)
            v = torch.cat([cache[1], v], dim=-2)
        weights = q @ repeat_kv(k, self.n_rep).transpose(2, 3) * self.head_dim**-0.5
        past = k.shape[-2] - t
        mask = torch.full((t, past + t), -math.inf, dtype=x.dtype).triu(past + 1)
        weights = F.softmax(weights + mask, dim=-1, dtype=torch.float32).to(q.dtype)
        y = weights @ repeat_kv(v, self.n_rep)
        return self.o_proj(y.transpose(1, 2).contiguous().view(b, t, -1)), (k, v)

    def forward(self, x, positions, cache=None):
        attn, present = self.attention(self.input_layernorm(x), positions, cache)
        h = x + attn
        u = self.post_attention_layernorm(h)
        return h + self.down_proj(F.silu(self.gate_proj(u)) * self.up_proj(u)), present
