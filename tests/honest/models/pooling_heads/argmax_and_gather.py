"""argmax of the mask and of its mirror image, gather, torch.where; scores of all tokens first, as transformers does."""

import torch
from torch import nn
from torch.nn import functional as F


def place_of(mask, how):
    m = mask.int()
    return m.argmax(-1) if how == "cls" else mask.shape[-1] - 1 - m.flip(-1).argmax(-1)


def pool(h, mask, how):
    if how in ("cls", "last"):
        index = place_of(mask, how).view(-1, 1, 1).expand(-1, 1, h.size(-1))
        return h.gather(1, index).squeeze(1)
    zero = torch.zeros((), dtype=torch.float32)
    wide = torch.where(mask.unsqueeze(-1), h.to(torch.float32), zero)
    return wide.sum(1).div(mask.sum(-1).unsqueeze(-1)).type_as(h)


class ClassificationHead(nn.Module):
    def __init__(self, d_model: int, num_labels: int):
        super().__init__()
        self.dense = nn.Linear(d_model, d_model)
        self.activation = nn.Tanh()
        self.out = nn.Linear(d_model, num_labels)

    def forward(self, h, mask):
        return self.out(self.activation(self.dense(pool(h, mask, "cls"))))


class ScalarHead(nn.Module):
    def __init__(self, d_model: int):
        super().__init__()
        self.out = nn.Linear(d_model, 1, bias=False)

    def forward(self, h, mask):
        every = F.linear(h, self.out.weight)[..., 0]  # [b, t]
        return every.take_along_dim(place_of(mask, "last")[:, None], dim=1).flatten()
