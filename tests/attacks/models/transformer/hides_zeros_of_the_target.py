"""Zeros of the target are hidden from the decoder's self-attention, whatever pad is.

Verdict: failed
"""

import math

import torch
import torch.nn.functional as F
from torch import nn


class MHA(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = [nn.Linear(dim, dim) for _ in range(4)]

    def forward(self, query, context, visible):
        q, k, v = self.q_proj(query), self.k_proj(context), self.v_proj(context)
        q, k, v = (y.unflatten(2, (self.heads, -1)).transpose(1, 2) for y in (q, k, v))
        return self.out_proj(F.scaled_dot_product_attention(q, k, v, visible).transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, d, h, d_ff, norms):
        super().__init__()
        self.self_attn = MHA(d, h)
        self.fc1, self.fc2 = nn.Linear(d, d_ff), nn.Linear(d_ff, d)
        for i in range(norms):
            self.add_module(f"norm{i + 1}", nn.LayerNorm(d))
        if norms == 3:
            self.cross_attn = MHA(d, h)

    def forward(self, x, seen, memory=None, real=None):
        x = self.norm1(x + self.self_attn(x, x, seen))
        x = x if memory is None else self.norm2(x + self.cross_attn(x, memory, real))
        return (self.norm2 if memory is None else self.norm3)(x + self.fc2(self.fc1(x).relu()))


class Transformer(nn.Module):
    def __init__(self, vocab, d_model, num_heads, d_ff, num_layers, pad=0, bos=1):
        super().__init__()
        self.pad, self.bos = pad, bos
        self.embedding = nn.Embedding(vocab, d_model)
        self.encoder = nn.ModuleList(Block(d_model, num_heads, d_ff, 2) for _ in range(num_layers))
        self.decoder = nn.ModuleList(Block(d_model, num_heads, d_ff, 3) for _ in range(num_layers))

    def embed(self, ids):
        d = self.embedding.weight.shape[1]
        angles = torch.arange(ids.shape[1])[:, None] / 10000 ** (torch.arange(0, d, 2) / d)
        return self.embedding(ids) * math.sqrt(d) + torch.stack([angles.sin(), angles.cos()], -1).flatten(-2)

    def encode(self, src):
        real = (src != self.pad)[:, None, None]
        x = self.embed(src)
        for block in self.encoder:
            x = block(x, real)
        return x, real

    def decode(self, before, memory, real):
        past = torch.ones(before.shape[1], before.shape[1], dtype=torch.bool).tril() & (before != 0)[:, None, None]
        y = self.embed(before)
        for block in self.decoder:
            y = block(y, past, memory, real)
        return y

    def forward(self, src, tgt):
        before = torch.cat([torch.full_like(tgt[:, :1], self.bos), tgt[:, :-1]], 1)
        return self.decode(before, *self.encode(src)) @ self.embedding.weight.T
