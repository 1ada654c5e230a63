"""The heads give float32, whatever they were given.

Verdict: failed, dtype
"""

import torch
from torch import Tensor, nn


def pool(h: Tensor, mask: Tensor, how: str) -> Tensor:
    """h [b, t, d], mask [b, t], True for real tokens -> [b, d]; how is "cls", "mean" or "last"."""
    if how == "mean":
        count = mask.sum(dim=1, keepdim=True)  # [b, 1]
        return (h.masked_fill(~mask[..., None], 0).float().sum(dim=1) / count).to(h.dtype)
    places = torch.arange(h.shape[1], device=h.device)  # [t]
    if how == "cls":
        place = places.expand_as(mask).masked_fill(~mask, h.shape[1]).amin(dim=1)  # [b]
    if how == "last":
        place = places.expand_as(mask).masked_fill(~mask, -1).amax(dim=1)  # [b]; padding may stand on either side
    return h[torch.arange(len(h), device=h.device), place]


class ClassificationHead(nn.Module):
    """BERT's: what class a text belongs to."""

    def __init__(self, d_model: int, num_labels: int):
        super().__init__()
        self.dense = nn.Linear(d_model, d_model)
        self.out = nn.Linear(d_model, num_labels)

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        """h [b, t, d_model], mask [b, t] -> logits [b, num_labels]."""
        return self.out(torch.tanh(self.dense(pool(h, mask, "cls")))).float()


class ScalarHead(nn.Module):
    """A reward model's: one number for a text."""

    def __init__(self, d_model: int):
        super().__init__()
        self.out = nn.Linear(d_model, 1, bias=False)

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        """h [b, t, d_model], mask [b, t] -> [b]."""
        return self.out(pool(h, mask, "last")).squeeze(-1).float()  # only the last token has seen the whole text
