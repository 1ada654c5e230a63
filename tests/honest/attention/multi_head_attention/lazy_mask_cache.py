"""Tables kept on the module by size, made on first use; a preallocated buffer of scores; helper methods."""

import math

import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        self.h, self.dk = num_heads, d_model // num_heads
        for name in "q_proj", "k_proj", "v_proj", "out_proj":
            self.add_module(name, nn.Linear(d_model, d_model, bias))
        self._all = {}
        self._scratch = None

    def _everything(self, t):
        if t not in self._all:
            self._all[t] = torch.ones(1, 1, t, t, dtype=torch.bool)
        return self._all[t]

    def _split(self, y):
        b, t, d = y.shape
        return y.view(b, t, self.h, self.dk).permute(0, 2, 1, 3).reshape(b * self.h, t, self.dk)

    def forward(self, x, mask=None):
        b, t, d = x.shape
        if mask is None:
            mask = self._everything(t)
        q, k, v = (self._split(p(x)) for p in (self.q_proj, self.k_proj, self.v_proj))
        if self._scratch is None or self._scratch.shape != (b * self.h, t, t) or self._scratch.dtype != x.dtype:
            self._scratch = torch.zeros(b * self.h, t, t, dtype=x.dtype)
        s = torch.baddbmm(self._scratch, q, k.transpose(1, 2), beta=0, alpha=1 / math.sqrt(self.dk))
        s = s.view(b, self.h, t, t)
        s = torch.where(mask, s, torch.full((), -torch.inf, dtype=s.dtype))
        a = torch.nn.functional.softmax(s, -1).view(-1, t, t)
        o = torch.bmm(a, v).view(b, self.h, t, self.dk).transpose(1, 2).flatten(2)
        return self.out_proj(o)
