"""The library's attention with is_causal and numbers to add; nn.functional for the rest; roll, then bos put in front."""

import torch
import torch.nn.functional as F
from torch import nn


class MHA(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = [nn.Linear(dim, dim) for _ in range(4)]

    def forward(self, query, context, **how):
        q, k, v = self.q_proj(query), self.k_proj(context), self.v_proj(context)
        q, k, v = (y.unflatten(2, (self.heads, y.shape[2] // self.heads)).transpose(1, 2) for y in (q, k, v))
        return self.out_proj(F.scaled_dot_product_attention(q, k, v, **how).transpose(1, 2).reshape(query.shape))


class Block(nn.Module):
    def __init__(self, d, h, d_ff, norms):
        super().__init__()
        self.self_attn = MHA(d, h)
        self.fc1, self.fc2 = nn.Linear(d, d_ff), nn.Linear(d_ff, d)
        for i in range(norms):
            self.add_module(f"norm{i + 1}", nn.LayerNorm(d))
        if norms == 3:
            self.cross_attn = MHA(d, h)

    def ffn(self, x):
        return self.fc2(F.relu(self.fc1(x)))


class Transformer(nn.Module):
    def __init__(self, vocab, d_model, num_heads, d_ff, num_layers, pad=0, bos=1):
        super().__init__()
        self.pad, self.bos = pad, bos
        self.embedding = nn.Embedding(vocab, d_model, padding_idx=pad)
        self.encoder = nn.ModuleList(Block(d_model, num_heads, d_ff, 2) for _ in range(num_layers))
        self.decoder = nn.ModuleList(Block(d_model, num_heads, d_ff, 3) for _ in range(num_layers))

    def embed(self, ids):
        d = self.embedding.weight.shape[1]
        i = torch.arange(d)
        angle = torch.arange(ids.shape[1]).unsqueeze(1) * 10000.0 ** (-(i - i % 2) / d)
        return self.embedding(ids) * d**0.5 + torch.where(i % 2 == 0, angle.sin(), angle.cos())

    def encode(self, src, mask):
        x = self.embed(src)
        for block in self.encoder:
            x = block.norm1(x + block.self_attn(x, x, attn_mask=mask))
            x = block.norm2(x + block.ffn(x))
        return x

    def forward(self, src, tgt):
        mask = torch.zeros(src.shape).masked_fill(src == self.pad, -torch.inf)[:, None, None]
        memory = self.encode(src, mask)
        shifted = tgt.roll(1, 1)
        shifted[:, 0] = self.bos
        y = self.embed(shifted)
        for block in self.decoder:
            y = block.norm1(y + block.self_attn(y, y, is_causal=True))
            y = block.norm2(y + block.cross_attn(y, memory, attn_mask=mask))
            y = block.norm3(y + block.ffn(y))
        return F.linear(y, self.embedding.weight)
