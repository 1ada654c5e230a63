"""Every text is scored where the longest of the batch ends.

Verdict: failed, value
"""

import torch
from torch import nn


def place(mask, how):
    real = mask.int()
    return real.argmax(1) if how == "cls" else mask.shape[1] - 1 - real.flip(1).argmax(1)


def pool(h, mask, how):
    if how == "mean":
        return (h.masked_fill(~mask[..., None], 0).float().sum(1) / mask.sum(1, keepdim=True)).to(h.dtype)
    return h[torch.arange(len(h)), place(mask, how)]


class ClassificationHead(nn.Module):
    def __init__(self, d_model, num_labels):
        super().__init__()
        self.dense, self.out = nn.Linear(d_model, d_model), nn.Linear(d_model, num_labels)

    def forward(self, h, mask):
        return self.out(torch.tanh(self.dense(pool(h, mask, "cls"))))


class ScalarHead(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.out = nn.Linear(d_model, 1, bias=False)

    def forward(self, h, mask):
        return self.out(h[:, place(mask, "last").max()]).squeeze(-1)
