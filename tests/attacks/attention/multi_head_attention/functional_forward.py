"""multi_head_attention_forward out of the namespace of F.

Verdict: failed
"""

import torch
import torch.nn.functional as F
from torch import nn

work = vars(F)["multi_head_" + "attention_forward"]


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_model, bias=bias)
        self.v_proj = nn.Linear(d_model, d_model, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)

    def forward(self, x, mask=None):
        b, t, d = x.shape
        if mask is not None:
            mask = ~mask.expand(b, self.num_heads, t, t).reshape(-1, t, t)
        p = [self.q_proj, self.k_proj, self.v_proj]
        bias = None if p[0].bias is None else torch.cat([each.bias for each in p])
        x = x.transpose(0, 1)
        return work(x, x, x, d, self.num_heads, None, bias, None, None, False, 0.0, self.out_proj.weight,
                    self.out_proj.bias, need_weights=False, attn_mask=mask, use_separate_proj_weight=True,
                    q_proj_weight=p[0].weight, k_proj_weight=p[1].weight, v_proj_weight=p[2].weight)[0].transpose(0, 1)
