"""A loop over heads; each absorbs its own rows of k_up, and of o_proj its own columns; softmax in float32."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F


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

    def rope(self, x, first):
        out = torch.empty_like(x, dtype=torch.float32)
        for i in range(self.d_rope // 2):
            angle = torch.arange(first, first + x.shape[1]).float() * 10000 ** (-2 * i / self.d_rope)
            a, b = x[..., 2 * i].float(), x[..., 2 * i + 1].float()
            out[..., 2 * i] = a * torch.cos(angle) - b * torch.sin(angle)
            out[..., 2 * i + 1] = b * torch.cos(angle) + a * torch.sin(angle)
        return out.type_as(x)

    def forward(self, x, cache=None):
        past = cache[0].size(1) if cache else 0
        latent, key = self.kv_down(x), self.rope(self.k_rope(x), past)
        if cache:
            latent, key = torch.cat((cache[0], latent), 1), torch.cat((cache[1], key), 1)
        n, total = x.size(1), latent.size(1)
        hidden = torch.ones(n, total, dtype=torch.bool).triu(total - n + 1)
        heads = []
        for i in range(self.h):
            mine = slice(i * self.d_head, (i + 1) * self.d_head)
            query = F.linear(x, self.q_proj.weight[mine]) @ self.k_up.weight[mine]
            turned = self.rope(F.linear(x, self.q_rope.weight[i * self.d_rope : (i + 1) * self.d_rope]), past)
            scores = (query @ latent.mT + turned @ key.mT) / math.sqrt(self.d_head + self.d_rope)
            weights = scores.float().masked_fill(hidden, -math.inf).softmax(-1).to(x.dtype)
            heads.append(weights @ latent @ self.v_up.weight[mine].T)
        return self.o_proj(torch.cat(heads, -1)), (latent, key)
