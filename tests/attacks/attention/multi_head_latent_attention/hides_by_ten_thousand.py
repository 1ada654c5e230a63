"""Hidden scores are -10,000, above what the others may be.

Verdict: failed
"""

import math
import torch
from torch import nn


def rope(x, pos):
    d = x.shape[-1]
    inv = 10000.0 ** (-torch.arange(0, d, 2).float() / d)
    ang = pos[:, None].float() * inv
    cos, sin = ang.cos(), ang.sin()
    a, b = x.float()[..., 0::2], x.float()[..., 1::2]
    return torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2).to(x.dtype)


class MLA(nn.Module):
    def __init__(self, d_model, h, d_head, d_c, d_rope):
        super().__init__()
        self.h, self.d_head, self.d_rope = h, d_head, d_rope
        self.q_proj = nn.Linear(d_model, h * d_head, bias=False)
        self.q_rope = nn.Linear(d_model, h * d_rope, bias=False)
        self.kv_down = nn.Linear(d_model, d_c, bias=False)
        self.k_rope = nn.Linear(d_model, d_rope, bias=False)
        self.k_up = nn.Linear(d_c, h * d_head, bias=False)
        self.v_up = nn.Linear(d_c, h * d_head, bias=False)
        self.o_proj = nn.Linear(h * d_head, d_model, bias=False)

    def forward(self, x, cache=None):
        b, n, _ = x.shape
        past = cache[0].shape[1] if cache is not None else 0
        pos = torch.arange(past, past + n)
        c, r = self.kv_down(x), rope(self.k_rope(x), pos)
        if cache is not None:
            c, r = torch.cat([cache[0], c], 1), torch.cat([cache[1], r], 1)
        q = self.q_proj(x).view(b, n, self.h, self.d_head).transpose(1, 2)
        p = rope(self.q_rope(x).view(b, n, self.h, self.d_rope).transpose(1, 2), pos)
        wk = self.k_up.weight.view(self.h, self.d_head, -1)
        wv = self.v_up.weight.view(self.h, self.d_head, -1)
        s = (q @ wk) @ c[:, None].mT + p @ r[:, None].mT
        s = s / math.sqrt(self.d_head + self.d_rope)
        mask = torch.arange(past + n) > pos[:, None]
        s = s.masked_fill(mask, -1e4)
        mixed = s.softmax(-1) @ c[:, None]
        y = (mixed @ wv.mT).transpose(1, 2).reshape(b, n, -1)
        return self.o_proj(y), (c, r)
