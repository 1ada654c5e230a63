"""As in FlashAttention: a running maximum and sum over blocks of keys, float32 accumulators."""

import torch
from torch import nn

BLOCK = 4


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_model, bias=bias)
        self.v_proj = nn.Linear(d_model, d_model, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)

    def forward(self, x, mask=None):
        b, t, d_model = x.shape
        h, d = self.num_heads, d_model // self.num_heads

        def heads(y):
            return y.view(b, t, h, d).transpose(1, 2).float()

        q, k, v = heads(self.q_proj(x)), heads(self.k_proj(x)), heads(self.v_proj(x))
        allowed = torch.ones(1, dtype=torch.bool) if mask is None else mask
        allowed = allowed.expand(b, h, t, t)

        m = q.new_full((b, h, t, 1), float("-inf"))
        total = q.new_zeros(b, h, t, 1)
        acc = torch.zeros_like(q)
        for start in range(0, t, BLOCK):
            block = slice(start, start + BLOCK)
            s = q @ k[:, :, block].mT / d**0.5
            s = s.masked_fill(~allowed[..., block], float("-inf"))
            m_new = torch.maximum(m, s.detach().amax(-1, keepdim=True))
            safe = m_new.masked_fill(m_new.isinf(), 0.0)
            alpha = torch.exp(m - safe)
            p = torch.exp(s - safe)
            total = total * alpha + p.sum(-1, keepdim=True)
            acc = acc * alpha + p @ v[:, :, block]
            m = m_new
        y = (acc / total).to(x.dtype).transpose(1, 2).flatten(-2)
        return self.out_proj(y)
