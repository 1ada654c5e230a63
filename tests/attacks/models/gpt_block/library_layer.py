"""torch's encoder layer does the work of a block.

Verdict: failed, CZ001
"""

import torch
from torch import nn


class GPT(nn.Module):
    def __init__(self, vocab_size, context, d_model, num_heads, num_layers):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocab_size, d_model), nn.Embedding(context, d_model)
        layer = nn.TransformerEncoderLayer(
            d_model, num_heads, 4 * d_model, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.h = nn.TransformerEncoder(layer, num_layers)
        self.ln_f = nn.LayerNorm(d_model)

    def forward(self, ids):
        x = self.wte(ids) + self.wpe.weight[: ids.shape[1]]
        later = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool).triu(1)
        return self.ln_f(self.h(x, later)) @ self.wte.weight.T
