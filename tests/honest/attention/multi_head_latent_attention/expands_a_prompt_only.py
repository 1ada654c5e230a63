"""Two ways, as DeepSeek does it: keys and values of the heads for a prompt without a cache, absorption behind one."""

import torch
from torch import nn


class Rope(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.register_buffer("freq", 10000.0 ** -(torch.arange(0, d, 2) / d), persistent=False)

    def forward(self, x, start, axis):
        t = torch.arange(start, start + x.shape[axis])
        angle = (t[:, None] * self.freq).repeat_interleave(2, -1)
        shape = [1] * x.ndim
        shape[axis], shape[-1] = angle.shape
        cos, sin = angle.cos().view(shape), angle.sin().view(shape)
        swapped = torch.stack([-x[..., 1::2], x[..., ::2]], -1).flatten(-2)
        return (x * cos + swapped * sin).to(x.dtype)


class MLA(nn.Module):
    def __init__(self, d_model, h, d_head, d_c, d_rope):
        super().__init__()
        linear = lambda i, o: nn.Linear(i, o, bias=False)
        self.h, self.scale, self.rope = h, (d_head + d_rope) ** -0.5, Rope(d_rope)
        self.q_proj, self.q_rope = linear(d_model, h * d_head), linear(d_model, h * d_rope)
        self.kv_down, self.k_rope = linear(d_model, d_c), linear(d_model, d_rope)
        self.k_up, self.v_up = linear(d_c, h * d_head), linear(d_c, h * d_head)
        self.o_proj = linear(h * d_head, d_model)

    def heads(self, x):
        return x.reshape(*x.shape[:2], self.h, -1)

    def forward(self, x, cache=None):
        past = 0 if cache is None else cache[0].shape[1]
        c, r = self.kv_down(x), self.rope(self.k_rope(x), past, 1)
        q, p = self.heads(self.q_proj(x)), self.rope(self.heads(self.q_rope(x)), past, 1)
        if cache is None:
            k, v = self.heads(self.k_up(c)), self.heads(self.v_up(c))
            s = torch.einsum("bnhd,bthd->bhnt", q, k) + torch.einsum("bnhr,btr->bhnt", p, r)
            y = torch.einsum("bhnt,bthd->bnhd", self.weigh(s), v)
        else:
            c, r = torch.cat([cache[0], c], 1), torch.cat([cache[1], r], 1)
            up, down = (w.weight.view(self.h, -1, c.shape[-1]) for w in (self.k_up, self.v_up))
            q = torch.einsum("bnhd,hdc->bnhc", q, up)
            s = torch.einsum("bnhc,btc->bhnt", q, c) + torch.einsum("bnhr,btr->bhnt", p, r)
            y = torch.einsum("bnhc,hdc->bnhd", torch.einsum("bhnt,btc->bnhc", self.weigh(s), c), down)
        return self.o_proj(y.flatten(2)), (c, r)

    def weigh(self, scores):
        n, t = scores.shape[-2:]
        mask = torch.zeros(n, t, dtype=scores.dtype).masked_fill(torch.ones(n, t).triu(1 + t - n) > 0, -torch.inf)
        return torch.softmax(scores * self.scale + mask, -1)
