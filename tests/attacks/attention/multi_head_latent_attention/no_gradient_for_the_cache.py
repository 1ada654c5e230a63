"""What is cached gets no gradient.

Verdict: failed
"""

import math

import torch
from torch import nn


def rotate(x, t):
    angles = t[:, None] * 10000.0 ** -(torch.arange(0, x.shape[-1], 2) / x.shape[-1])
    a, b = x[..., 0::2].float(), x[..., 1::2].float()
    turned = a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()
    return torch.stack(turned, -1).flatten(-2).to(x.dtype)


class MLA(nn.Module):
    def __init__(self, d_model, h, d_head, d_c, d_rope):
        super().__init__()
        self.h, self.width = h, d_head + d_rope
        self.q_proj = nn.Linear(d_model, h * d_head, bias=False)
        self.q_rope = nn.Linear(d_model, h * d_rope, bias=False)
        self.kv_down = nn.Linear(d_model, d_c, bias=False)
        self.k_rope = nn.Linear(d_model, d_rope, bias=False)
        self.k_up = nn.Linear(d_c, h * d_head, bias=False)
        self.v_up = nn.Linear(d_c, h * d_head, bias=False)
        self.o_proj = nn.Linear(h * d_head, d_model, bias=False)

    def forward(self, x, cache=None):
        past = 0 if cache is None else cache[0].shape[1]
        t = past + torch.arange(x.shape[1])
        c, r = self.kv_down(x), rotate(self.k_rope(x), t)
        if cache is not None:
            c, r = torch.cat([cache[0], c], 1), torch.cat([cache[1], r], 1)
        q, p = (each(x).unflatten(-1, (self.h, -1)).transpose(1, 2) for each in (self.q_proj, self.q_rope))
        c, r = (torch.cat([x[:, :past].detach(), x[:, past:]], 1) for x in (c, r))
        q = q @ self.k_up.weight.unflatten(0, (self.h, -1))
        scores = torch.einsum("bhnc,btc->bhnt", q, c) + torch.einsum("bhnr,btr->bhnt", rotate(p, t), r)
        later = torch.arange(c.shape[1]) > t[:, None]
        weights = (scores / math.sqrt(self.width)).masked_fill(later, -math.inf).softmax(-1)
        mixed = torch.einsum("bhnt,btc->bhnc", weights, c)
        heads = mixed @ self.v_up.weight.unflatten(0, (self.h, -1)).mT
        return self.o_proj(heads.transpose(1, 2).flatten(-2)), (c, r)
