"""Rows by F.one_hot products; LayerNorm by hand in float32; parameters under the same names."""

import torch
import torch.nn.functional as F
from torch import nn


class BertEmbeddings(nn.Module):
    def __init__(self, vocab_size, d_model, max_len, n_segments=2, eps=1e-12):
        super().__init__()
        sizes = {"word": vocab_size, "position": max_len, "segment": n_segments}
        for name, rows in sizes.items():
            self.add_module(name, nn.Embedding(rows, d_model))
        self.norm = nn.LayerNorm(d_model)
        self.eps = eps

    @staticmethod
    def look_up(table, index):
        return F.one_hot(index, table.num_embeddings).to(table.weight.dtype) @ table.weight

    def forward(self, ids, segments=None):
        x = self.look_up(self.word, ids) + self.position.weight[: ids.size(1)].unsqueeze(0)
        if segments is None:
            x = x + self.segment.weight[0]
        else:
            x = x + self.look_up(self.segment, segments)
        wide = x.float()
        var, mean = torch.var_mean(wide, dim=-1, keepdim=True, unbiased=False)
        wide = (wide - mean) * torch.rsqrt(var + self.eps)
        return (wide * self.norm.weight.float() + self.norm.bias.float()).to(x.dtype)
