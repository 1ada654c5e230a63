"""One sequence after the other, its real tokens picked by the mask."""

import torch
from torch import nn


def pool(h, mask, how):
    texts = [sequence[real] for sequence, real in zip(h, mask)]
    if how == "mean":
        return torch.stack([text.float().mean(dim=0) for text in texts]).to(h.dtype)
    return torch.stack([text[0] if how == "cls" else text[-1] for text in texts])


class ClassificationHead(nn.Module):
    def __init__(self, d_model, num_labels):
        super().__init__()
        self.dense, self.out = nn.Linear(d_model, d_model), nn.Linear(d_model, num_labels)

    def forward(self, h, mask):
        x = self.dense(pool(h, mask, "cls"))
        x = torch.tanh(x)
        return self.out(x)


class ScalarHead(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.out = nn.Linear(d_model, 1, bias=False)

    def forward(self, h, mask):
        scores = self.out(pool(h, mask, "last"))
        return scores[:, 0]
