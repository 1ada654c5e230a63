"""A loop over the texts with their padding cut out of keys and values; the functional forms of everything."""

import torch
import torch.nn.functional as F
from torch import nn


class EncoderLayer(nn.Module):
    def __init__(self, d_model, num_heads, d_ff):
        super().__init__()
        self.h, self.d = num_heads, d_model
        sizes = dict(q_proj=(d_model, d_model), k_proj=(d_model, d_model), v_proj=(d_model, d_model))
        sizes |= dict(out_proj=(d_model, d_model), fc1=(d_model, d_ff), fc2=(d_ff, d_model))
        for name, size in sizes.items():
            self.add_module(name, nn.Linear(*size))
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)

    def normed(self, z, norm):
        return F.layer_norm(z, (self.d,), norm.weight, norm.bias)

    def heads(self, z):
        return z.reshape(len(z), self.h, -1).permute(1, 0, 2)

    def one(self, x, real):
        q, k, v = self.heads(self.q_proj(x)), self.heads(self.k_proj(x[real])), self.heads(self.v_proj(x[real]))
        weights = F.softmax(torch.bmm(q, k.mT) * q.shape[-1] ** -0.5, dim=-1)
        seen = torch.bmm(weights, v).permute(1, 0, 2).reshape(len(x), self.d)
        x = self.normed(x + self.out_proj(seen), self.norm1)
        return self.normed(x + self.fc2(F.relu(self.fc1(x))), self.norm2)

    def forward(self, x, mask):
        return torch.stack([self.one(text, real) for text, real in zip(x, mask)])
