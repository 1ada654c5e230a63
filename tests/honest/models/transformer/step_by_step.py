"""The decoder makes one step after the other and keeps keys and values; keys and values of the memory are made once."""

import torch
import torch.nn.functional as F
from torch import nn


class Projections(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = [nn.Linear(d, d) for _ in range(4)]

    def cut(self, y):
        return y.view(*y.shape[:2], self.h, -1).permute(0, 2, 1, 3)

    def told(self, x):
        return self.cut(self.k_proj(x)), self.cut(self.v_proj(x))

    def look(self, x, k, v, mask=None):
        weights = self.cut(self.q_proj(x)) @ k.transpose(2, 3) / (k.shape[-1] ** 0.5)
        if mask is not None:
            weights = torch.where(mask, weights, torch.finfo(weights.dtype).min)
        return self.out_proj((F.softmax(weights, dim=-1) @ v).permute(0, 2, 1, 3).flatten(2))


class EncoderLayer(nn.Module):
    def __init__(self, d, h, d_ff):
        super().__init__()
        self.self_attn = Projections(d, h)
        self.fc1, self.fc2 = nn.Linear(d, d_ff), nn.Linear(d_ff, d)
        self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)


class DecoderLayer(EncoderLayer):
    def __init__(self, d, h, d_ff):
        super().__init__(d, h, d_ff)
        self.cross_attn, self.norm3 = Projections(d, h), nn.LayerNorm(d)


class Transformer(nn.Module):
    def __init__(self, vocab, d_model, num_heads, d_ff, num_layers, pad=0, bos=1):
        super().__init__()
        self.pad, self.bos, self.d = pad, bos, d_model
        self.embedding = nn.Embedding(vocab, d_model)
        self.encoder = nn.ModuleList(EncoderLayer(d_model, num_heads, d_ff) for _ in range(num_layers))
        self.decoder = nn.ModuleList(DecoderLayer(d_model, num_heads, d_ff) for _ in range(num_layers))

    def embed(self, ids, first=0):
        p = torch.arange(first, first + ids.shape[1]).float()
        columns = []
        for j in range(0, self.d, 2):
            angle = p / 10000 ** (j / self.d)
            columns += [torch.sin(angle), torch.cos(angle)]
        return self.d**0.5 * self.embedding(ids) + torch.stack(columns, 1)

    def forward(self, src, tgt):
        real = (src != self.pad).view(len(src), 1, 1, -1)
        x = self.embed(src)
        for layer in self.encoder:
            x = layer.norm1(x + layer.self_attn.look(x, *layer.self_attn.told(x), real))
            x = layer.norm2(x + layer.fc2(F.relu(layer.fc1(x))))
        memory = [layer.cross_attn.told(x) for layer in self.decoder]
        past, steps = [[] for _ in self.decoder], []
        token = torch.full_like(tgt[:, :1], self.bos)
        for i in range(tgt.shape[1]):
            y = self.embed(token, i)
            for layer, seen, (k, v) in zip(self.decoder, past, memory):
                seen.append(layer.self_attn.told(y))
                keys, values = (torch.cat(each, dim=2) for each in zip(*seen))
                y = layer.norm1(y + layer.self_attn.look(y, keys, values))
                y = layer.norm2(y + layer.cross_attn.look(y, k, v, real))
                y = layer.norm3(y + layer.fc2(F.relu(layer.fc1(y))))
            steps.append(y)
            token = tgt[:, i : i + 1]
        return torch.cat(steps, dim=1) @ self.embedding.weight.mT
