"""As multi-query attention: latent and key joined to one shared head, rows of all heads in one matrix; complex RoPE."""

import torch
from torch import nn


def turn(x, t):
    d = x.shape[-1]
    theta = 10000.0 ** (-2 * torch.arange(d // 2) / d)
    turned = torch.view_as_complex(x.float().reshape(*x.shape[:-1], d // 2, 2).contiguous())
    turned = turned * torch.polar(torch.ones(len(t), d // 2), t.float()[:, None] * theta)
    return torch.view_as_real(turned).reshape(x.shape).to(x.dtype)


class MLA(nn.Module):
    def __init__(self, d_model, h, d_head, d_c, d_rope):
        super().__init__()
        self.sizes = h, d_head, d_c, d_rope
        for name, inputs, outputs in (
            ("q_proj", d_model, h * d_head),
            ("q_rope", d_model, h * d_rope),
            ("kv_down", d_model, d_c),
            ("k_rope", d_model, d_rope),
            ("k_up", d_c, h * d_head),
            ("v_up", d_c, h * d_head),
            ("o_proj", h * d_head, d_model),
        ):
            setattr(self, name, nn.Linear(inputs, outputs, bias=False))

    def forward(self, x, cache=None):
        h, d_head, d_c, d_rope = self.sizes
        b, n, _ = x.shape
        c, r = cache if cache is not None else (x.new_empty(b, 0, d_c), x.new_empty(b, 0, d_rope))
        t = torch.arange(c.shape[1], c.shape[1] + n)
        c, r = torch.cat([c, self.kv_down(x)], 1), torch.cat([r, turn(self.k_rope(x), t)], 1)
        q = torch.einsum("bnhd,hdc->bhnc", self.q_proj(x).view(b, n, h, d_head), self.k_up.weight.view(h, d_head, d_c))
        p = turn(self.q_rope(x).view(b, n, h, d_rope).transpose(1, 2), t)
        rows = torch.cat([q, p], -1).reshape(b, h * n, d_c + d_rope) * (d_head + d_rope) ** -0.5
        scores = torch.bmm(rows, torch.cat([c, r], -1).transpose(1, 2)).view(b, h, n, -1)
        scores = scores.masked_fill(torch.arange(c.shape[1]) > t[:, None], float("-inf"))
        mixed = torch.bmm(scores.softmax(-1).view(b, h * n, -1), c).view(b, h, n, d_c)
        heads = torch.einsum("bhnc,hdc->bnhd", mixed, self.v_up.weight.view(h, d_head, d_c))
        return self.o_proj(heads.reshape(b, n, h * d_head)), (c, r)
