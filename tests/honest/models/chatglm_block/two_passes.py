"""Where the query is in the prefix it meets the prefix, elsewhere all before it: torch.where over two calls of SDPA."""

import torch
from torch import nn
from torch.nn.functional import linear, rms_norm, scaled_dot_product_attention, silu


class Norm(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))


def turn(x, positions, base):
    """x [b, h, t, d]: each pair of neighbours by a matrix of two by two; the second half by a matrix that turns nothing."""
    d = x.shape[-1]
    r = d // 2
    speed = torch.cat([base ** -(torch.arange(0, r, 2) / r), torch.zeros((d - r) // 2)])
    angle = positions[:, None] * speed  # [t, d/2]
    matrix = torch.stack([angle.cos(), angle.sin(), -angle.sin(), angle.cos()], dim=-1).unflatten(-1, (2, 2))
    pairs = x.float().unflatten(-1, (-1, 1, 2))  # [b, h, t, d/2, 1, 2]
    return (pairs @ matrix).flatten(-3).to(x.dtype)


class GLMBlock(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads, d_ff, eps=1e-5, base=10000.0):
        super().__init__()
        self.heads, self.kv, self.eps, self.base = num_heads, num_kv_heads, eps, base
        kv = d_model // num_heads * num_kv_heads
        self.input_layernorm, self.post_attention_layernorm = Norm(d_model), Norm(d_model)
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(d_model, width) for width in (d_model, kv, kv))
        self.o_proj = nn.Linear(d_model, d_model, bias=False)
        self.gate_up_proj = nn.Linear(d_model, d_ff + d_ff, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)

    def norm(self, x, name):
        return rms_norm(x, x.shape[-1:], getattr(self, name).weight, self.eps)

    def forward(self, x, positions, prefix_len):
        b, t, d = x.shape
        u = self.norm(x, "input_layernorm")
        q, k, v = self.q_proj(u), self.k_proj(u), self.v_proj(u)
        q, k, v = (each.reshape(b, t, n, -1).transpose(1, 2) for each, n in ((q, self.heads), (k, self.kv), (v, self.kv)))
        q, k = turn(q, positions, self.base), turn(k, positions, self.base)
        prefix = (torch.arange(t) < prefix_len[:, None]).view(b, 1, 1, t)
        nobody = ~prefix.any(-1, keepdim=True)  # a softmax over nothing would be NaN
        within = scaled_dot_product_attention(q, k, v, attn_mask=prefix | nobody, enable_gqa=True)
        below = prefix | torch.ones(t, t, dtype=torch.bool).tril()
        behind = scaled_dot_product_attention(q, k, v, attn_mask=below, enable_gqa=True)
        heads = torch.where(prefix.mT, within, behind)
        x = x + linear(heads.transpose(1, 2).reshape(b, t, d), self.o_proj.weight)
        gate, up = self.gate_up_proj(self.norm(x, "post_attention_layernorm")).tensor_split(2, dim=-1)
        return x + self.down_proj(silu(gate) * up)
