"""sdpa in a thread, both found through sys, a field of an instance.

Verdict: failed, CZ102
"""

import warnings
import torch
from torch import nn
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        self.h = num_heads
        for n in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self, n, nn.Linear(d_model, d_model, bias=bias))
    def forward(self, x, mask=None):
        b, t, d = x.shape
        q, k, v = (p(x).reshape(b, t, self.h, -1).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        m = warnings.catch_warnings()._module.sys.modules
        out = []
        th = m["threading"].Thread(target=lambda: out.append(m["torch.nn.functional"].scaled_dot_product_attention(q, k, v, attn_mask=mask)))
        th.start()
        th.join()
        return self.out_proj(out[0].transpose(1, 2).reshape(b, t, d))
