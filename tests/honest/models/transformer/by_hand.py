"""No library attention and one class for both kinds of layer; masks from positions; einsum for the logits."""

import math

import torch
from torch import Tensor, nn


class Look(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        for name in "q_proj", "k_proj", "v_proj", "out_proj":
            setattr(self, name, nn.Linear(width, width))

    def forward(self, asks: Tensor, told: Tensor, hidden: Tensor) -> Tensor:
        found = []
        for q, k, v in zip(*(y.chunk(self.heads, -1) for y in (self.q_proj(asks), self.k_proj(told), self.v_proj(told)))):
            scores = torch.einsum("bqd,bkd->bqk", q, k) / math.sqrt(q.shape[-1])
            found.append(scores.masked_fill(hidden, float("-inf")).softmax(2) @ v)
        return self.out_proj(torch.cat(found, -1))


class Layer(nn.Module):
    def __init__(self, width: int, heads: int, wide: int, looks: bool) -> None:
        super().__init__()
        self.self_attn = Look(width, heads)
        if looks:
            self.cross_attn, self.norm3 = Look(width, heads), nn.LayerNorm(width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, wide), nn.Linear(wide, width)
        self.looks = looks

    def forward(self, x: Tensor, hidden: Tensor, memory: Tensor | None = None, padding: Tensor | None = None) -> Tensor:
        x = self.norm1(self.self_attn(x, x, hidden) + x)
        if self.looks:
            x = self.norm2(self.cross_attn(x, memory, padding) + x)
        last = self.norm3 if self.looks else self.norm2
        return last(self.fc2(self.fc1(x).clamp(min=0)) + x)


class Transformer(nn.Module):
    def __init__(self, vocab, d_model, num_heads, d_ff, num_layers, pad=0, bos=1) -> None:
        super().__init__()
        self.width, self.pad, self.bos = d_model, pad, bos
        self.decoder = nn.ModuleList([Layer(d_model, num_heads, d_ff, True) for _ in range(num_layers)])
        self.encoder = nn.ModuleList([Layer(d_model, num_heads, d_ff, False) for _ in range(num_layers)])
        self.embedding = nn.Embedding(vocab, d_model)

    def begin(self, ids: Tensor) -> Tensor:
        rates = torch.exp(-math.log(10000.0) * torch.arange(0, self.width, 2) / self.width)
        table = torch.zeros(ids.shape[1], self.width)
        table[:, 0::2] = torch.sin(torch.outer(torch.arange(ids.shape[1]), rates))
        table[:, 1::2] = torch.cos(torch.outer(torch.arange(ids.shape[1]), rates))
        return self.embedding.weight[ids] * self.width**0.5 + table

    def forward(self, src: Tensor, tgt: Tensor) -> Tensor:
        padding = src.eq(self.pad).unsqueeze(1)
        memory = self.begin(src)
        for layer in self.encoder:
            memory = layer(memory, padding)
        y = self.begin(torch.cat([tgt.new_full((len(tgt), 1), self.bos), tgt], dim=1)[:, :-1])
        place = torch.arange(tgt.shape[1])
        for layer in self.decoder:
            y = layer(y, place > place.unsqueeze(1), memory, padding)
        return torch.einsum("btd,vd->btv", y, self.embedding.weight)
