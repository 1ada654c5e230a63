"""nn.MultiheadAttention, found among the subclasses of Module, with the parameters handed over.

Verdict: failed
"""

import torch
from torch import nn

(Layer,) = (each for each in nn.Module.__subclasses__() if each.__name__ == "Multihead" + "Attention")


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
        layer = Layer(d, self.num_heads, bias=self.q_proj.bias is not None, batch_first=True, dtype=x.dtype)
        projections = self.q_proj, self.k_proj, self.v_proj
        given = {"in_proj_weight": torch.cat([p.weight for p in projections]), "out_proj.weight": self.out_proj.weight}
        if self.q_proj.bias is not None:
            given |= {"in_proj_bias": torch.cat([p.bias for p in projections]), "out_proj.bias": self.out_proj.bias}
        if mask is not None:
            mask = ~mask.expand(b, self.num_heads, t, t).reshape(-1, t, t)
        return torch.func.functional_call(layer, given, (x, x, x), {"attn_mask": mask, "need_weights": False})[0]
