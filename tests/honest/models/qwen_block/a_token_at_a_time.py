"""The tokens of a call one after the other, each with all keys so far: no mask."""

import torch
import torch.nn.functional as F
from torch import nn


def rms(x, norm, eps):
    wide = x.float()
    root = (wide.norm(dim=-1, keepdim=True) ** 2 / x.shape[-1] + eps) ** 0.5
    return (wide / root * norm.weight.float()).to(x.dtype)


class Weight(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(d).fill_(1.0))


class QwenBlock(nn.Module):
    def __init__(self, d_model, num_heads, num_kv_heads, d_ff, eps=1e-6, base=1e6, train_length=None):
        super().__init__()
        self.train_length = train_length
        self.h, self.kv, self.hd, self.eps, self.base = num_heads, num_kv_heads, d_model // num_heads, eps, base
        sizes = {"q_proj": (d_model, d_model), "k_proj": (d_model, self.kv * self.hd), "v_proj": (d_model, self.kv * self.hd),
                 "o_proj": (d_model, d_model), "gate_proj": (d_model, d_ff), "up_proj": (d_model, d_ff), "down_proj": (d_ff, d_model)}
        for name, (inward, outward) in sizes.items():
            setattr(self, name, nn.Linear(inward, outward, bias=name[0] in "qkv"))
        self.input_layernorm, self.post_attention_layernorm = Weight(d_model), Weight(d_model)

    def turn(self, row, position):
        """row [b, heads, hd] of one token."""
        half = self.hd // 2
        angle = position * torch.pow(self.base, torch.arange(half) * -2.0 / self.hd)
        matrix = torch.zeros(self.hd, self.hd)
        pair = torch.arange(half)
        matrix[pair, pair] = matrix[pair + half, pair + half] = angle.cos()
        matrix[pair, pair + half], matrix[pair + half, pair] = angle.sin(), -angle.sin()
        return (row.float() @ matrix).to(row.dtype)

    def forward(self, x, positions, cache=None):
        b, t, d = x.shape
        keys, values = ([each] for each in cache) if cache is not None else ([], [])
        normed = rms(x, self.input_layernorm, self.eps)
        rows = []
        for i in range(t):
            token = normed[:, i]
            q = self.turn(self.q_proj(token).view(b, self.h, self.hd), positions[i])
            keys.append(self.turn(self.k_proj(token).view(b, self.kv, self.hd), positions[i]).unsqueeze(2))
            values.append(self.v_proj(token).view(b, self.kv, 1, self.hd))
            k, v = (torch.cat(each, dim=2) for each in (keys, values))  # [b, kv, s, hd]
            if self.train_length and positions[i] >= self.train_length:
                q = q * float(torch.log(positions[i] + 1) / torch.log(torch.tensor(self.train_length)))
            q = q.view(b, self.kv, self.h // self.kv, self.hd)
            rows.append(torch.softmax(q @ k.mT / self.hd**0.5, dim=-1).matmul(v).reshape(b, d))
        x = x + self.o_proj(torch.stack(rows, dim=1))
        u = rms(x, self.post_attention_layernorm, self.eps)
        return x + self.down_proj(F.silu(self.gate_proj(u)).mul(self.up_proj(u))), (k, v)
