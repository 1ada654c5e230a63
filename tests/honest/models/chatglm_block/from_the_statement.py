"""From scratch: each sequence by itself, complex numbers for the pairs, a mask that is added, softmax by hand."""

import math

import torch
from torch import nn


class Root(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        wide = x.float()
        return (self.weight.float() * wide / (wide.square().mean(dim=-1, keepdim=True) + self.eps).sqrt()).to(x.dtype)


class GLMBlock(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads, d_ff, eps=1e-5, base=10000.0):
        super().__init__()
        size = d_model // num_heads
        self.size, self.base, self.shared = size, base, num_heads // num_kv_heads
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj, self.v_proj = nn.Linear(d_model, num_kv_heads * size), nn.Linear(d_model, num_kv_heads * size)
        self.o_proj = nn.Linear(d_model, d_model, bias=False)
        self.gate_up_proj, self.down_proj = nn.Linear(d_model, 2 * d_ff, bias=False), nn.Linear(d_ff, d_model, bias=False)
        self.input_layernorm, self.post_attention_layernorm = Root(d_model, eps), Root(d_model, eps)

    def spin(self, heads, positions):
        """heads [h, t, size]."""
        r = self.size // 2
        speed = torch.tensor([self.base ** (-2 * i / r) for i in range(r // 2)])
        angle = positions[:, None].float() * speed
        pairs = torch.view_as_complex(heads[..., :r].float().reshape(*heads.shape[:-1], r // 2, 2))
        moved = torch.view_as_real(pairs * torch.complex(angle.cos(), angle.sin())).flatten(-2)
        return torch.cat([moved.to(heads.dtype), heads[..., r:]], dim=-1)

    def attend(self, x, positions, prefix):
        """x [t, d_model] of one sequence."""
        t = len(x)
        q, k, v = (
            layer(x).reshape(t, -1, self.size).transpose(0, 1) for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, k = self.spin(q, positions), self.spin(k, positions)
        k, v = (each.repeat_interleave(self.shared, dim=0) for each in (k, v))
        hidden = torch.zeros(t, t)
        for row in range(t):
            hidden[row, max(row + 1, prefix) :] = -math.inf
        scores = torch.einsum("hid,hjd->hij", q.float(), k.float()) / math.sqrt(self.size) + hidden
        weights = torch.exp(scores - scores.max(dim=-1, keepdim=True).values)
        heads = (weights / weights.sum(dim=-1, keepdim=True)).to(v.dtype) @ v
        return heads.transpose(0, 1).reshape(t, -1)

    def forward(self, x, positions, prefix_len):
        inner = self.input_layernorm(x)
        rows = [self.attend(row, positions, prefix) for row, prefix in zip(inner, prefix_len.tolist())]
        x = x + self.o_proj(torch.stack(rows))
        both = self.gate_up_proj(self.post_attention_layernorm(x))
        half = both.shape[-1] // 2
        gate = both[..., :half]
        return x + self.down_proj(gate * gate.sigmoid() * both[..., half:])
