"""From scratch: one forward with a loop over groups of heads, complex rotation, buffers for the cache, softmax by hand."""

import torch
from torch import nn
from torch.nn import Linear


class Scale(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.eps, self.weight = eps, nn.Parameter(torch.ones(width))

    def forward(self, v):
        wide = v.to(torch.float32)
        wide = wide / torch.sqrt(wide.square().mean(dim=-1, keepdim=True) + self.eps)
        return self.weight * wide.to(v.dtype)


def spin(part, where, base):
    """part [b, t, heads, size]."""
    size = part.shape[-1]
    speed = 1.0 / base ** (torch.arange(size // 2, dtype=torch.float32) * 2 / size)
    circle = torch.polar(torch.ones(len(where), size // 2), torch.outer(where.float(), speed))[:, None]
    pairs = torch.stack([part[..., : size // 2], part[..., size // 2 :]], dim=-1).float().contiguous()
    moved = torch.view_as_real(torch.view_as_complex(pairs) * circle)
    return torch.cat([moved[..., 0], moved[..., 1]], dim=-1).to(part.dtype)


class LlamaBlock(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads, d_ff, eps=1e-5, base=10000.0):
        super().__init__()
        self.size, self.groups, self.base = d_model // num_heads, num_kv_heads, base
        for name, width in ("q_proj", d_model), ("k_proj", self.size * num_kv_heads), ("v_proj", self.size * num_kv_heads):
            self.add_module(name, Linear(d_model, width, bias=False))
        self.o_proj = Linear(d_model, d_model, bias=False)
        self.up_proj, self.gate_proj = Linear(d_model, d_ff, bias=False), Linear(d_model, d_ff, bias=False)
        self.down_proj = Linear(d_ff, d_model, bias=False)
        self.input_layernorm, self.post_attention_layernorm = Scale(d_model, eps), Scale(d_model, eps)

    def forward(self, x, positions, cache=None):
        batch, new, width = x.shape
        residual, x = x, self.input_layernorm(x)
        q = spin(self.q_proj(x).reshape(batch, new, -1, self.size), positions, self.base)
        k = spin(self.k_proj(x).reshape(batch, new, self.groups, self.size), positions, self.base).transpose(1, 2)
        v = self.v_proj(x).reshape(batch, new, self.groups, self.size).transpose(1, 2)
        old = cache[0].shape[2] if cache else 0
        shape = batch, self.groups, old + new, self.size
        keys, values = x.new_zeros(shape), x.new_zeros(shape)
        if cache:
            keys[:, :, :old], values[:, :, :old] = cache
        keys[:, :, old:], values[:, :, old:] = k, v
        blocked = torch.arange(old + new) > torch.arange(old, old + new).unsqueeze(1)
        results = []
        for group, queries in enumerate(q.chunk(self.groups, dim=2)):  # [b, t, g, size]
            scores = torch.einsum("btgd,bsd->bgts", queries, keys[:, group]).float() * self.size**-0.5
            scores = scores.masked_fill(blocked, float("-inf"))
            weights = (scores - scores.amax(-1, keepdim=True)).exp()
            weights = (weights / weights.sum(-1, keepdim=True)).to(x.dtype)
            results.append(torch.einsum("bgts,bsd->btgd", weights, values[:, group]))
        x = residual + self.o_proj(torch.cat(results, dim=2).reshape(batch, new, width))
        inner = self.post_attention_layernorm(x)
        gate = self.gate_proj(inner)
        return x + self.down_proj(gate * torch.sigmoid(gate) * self.up_proj(inner)), (keys, values)
