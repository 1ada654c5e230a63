"""A loop over heads with einsum; LayerNorm, GELU and softmax written out, in float32 whatever the dtype."""

import math

import torch
from torch import nn


def norm(layer, x):
    wide = x.float()
    centred = wide - wide.mean(-1, keepdim=True)
    scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return (scaled * layer.weight.float() + layer.bias.float()).to(x.dtype)


def gelu(u):
    w = u.float()
    return (0.5 * w * (1 + torch.tanh(math.sqrt(2 / math.pi) * (w + 0.044715 * w**3)))).to(u.dtype)


def attend(q, k, v):
    scores = torch.einsum("bid,bjd->bij", q, k).float() / math.sqrt(q.shape[-1])
    hidden = torch.full(scores.shape[-2:], -math.inf).triu(1)
    scores = scores + hidden
    weights = (scores - scores.max(dim=-1, keepdim=True).values).exp()
    weights = (weights / weights.sum(-1, keepdim=True)).to(v.dtype)
    return torch.einsum("bij,bjd->bid", weights, v)


class Box(nn.Module):
    pass


class GPT(nn.Module):
    def __init__(self, vocab_size, context, d_model, num_heads, num_layers):
        super().__init__()
        self.head_dim = d_model // num_heads
        self.wte, self.wpe = nn.Embedding(vocab_size, d_model), nn.Embedding(context, d_model)
        self.ln_f = nn.LayerNorm(d_model)
        self.h = nn.ModuleList()
        for _ in range(num_layers):
            block = Box()
            block.attn, block.mlp = Box(), Box()
            block.ln_1, block.ln_2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
            block.attn.c_attn, block.attn.c_proj = nn.Linear(d_model, 3 * d_model), nn.Linear(d_model, d_model)
            block.mlp.c_fc, block.mlp.c_proj = nn.Linear(d_model, 4 * d_model), nn.Linear(4 * d_model, d_model)
            self.h.append(block)

    def forward(self, ids):
        x = self.wte(ids) + self.wpe.weight[: ids.shape[1]]
        for block in self.h:
            q, k, v = block.attn.c_attn(norm(block.ln_1, x)).chunk(3, dim=-1)
            heads = [
                attend(*(part[..., i : i + self.head_dim] for part in (q, k, v)))
                for i in range(0, x.shape[-1], self.head_dim)
            ]
            x = x + block.attn.c_proj(torch.cat(heads, dim=-1))
            x = x + block.mlp.c_proj(gelu(block.mlp.c_fc(norm(block.ln_2, x))))
        return torch.einsum("btd,vd->btv", norm(self.ln_f, x), self.wte.weight)
