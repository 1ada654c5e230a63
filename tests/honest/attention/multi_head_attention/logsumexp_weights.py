"""The softmax as exp(scores - logsumexp), heads folded into the batch for bmm and baddbmm."""

import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        self.h = num_heads
        self.dk = d_model // num_heads
        linears = {f"{part}_proj": nn.Linear(d_model, d_model, bias) for part in ["q", "k", "v", "out"]}
        for name, layer in linears.items():
            self.add_module(name, layer)

    def fold(self, y):
        b, t, _ = y.shape
        return y.reshape(b, t, self.h, self.dk).transpose(1, 2).reshape(b * self.h, t, self.dk)

    def forward(self, x, mask=None):
        b, t, c = x.shape
        q, k, v = [self.fold(getattr(self, f"{part}_proj")(x)) for part in "qkv"]
        s = torch.baddbmm(x.new_zeros(()).expand(b * self.h, t, t), q, k.transpose(1, 2), beta=0, alpha=self.dk**-0.5)
        if mask is not None:
            keep = mask.broadcast_to(b, self.h, t, t).reshape(b * self.h, t, t)
            s[~keep] = -float("inf")
        p = (s - s.logsumexp(dim=-1, keepdim=True)).exp()
        y = p.bmm(v).unflatten(0, (b, self.h)).transpose(1, 2).reshape(b, t, c)
        return self.out_proj(y)
