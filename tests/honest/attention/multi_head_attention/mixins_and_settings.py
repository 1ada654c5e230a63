"""A mixin for the heads, settings in a frozen dataclass, modules in a ModuleDict taken by name, a registered hook."""

import math
from dataclasses import asdict, dataclass, field
from itertools import starmap

import torch
from torch import nn


@dataclass(frozen=True)
class AttentionConfig:
    d_model: int
    num_heads: int
    bias: bool = True
    names: tuple[str, ...] = field(default=("q", "k", "v", "out"))

    @property
    def head_dim(self):
        return self.d_model // self.num_heads


class HeadsMixin:
    config: AttentionConfig

    def split(self, x):
        return x.unflatten(-1, (self.config.num_heads, self.config.head_dim)).transpose(-3, -2)

    @staticmethod
    def merge(x):
        return x.transpose(-3, -2).flatten(-2)


class MultiHeadAttention(HeadsMixin, nn.Module):
    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        self.config = AttentionConfig(d_model, num_heads, bias)
        for name in self.config.names:
            setattr(self, f"{name}_proj", nn.Linear(d_model, d_model, bias=bias))
        self.last_shape = None
        self.register_forward_hook(self._note)

    def _note(self, module, inputs, output):
        self.last_shape = output.shape

    def extra_repr(self):
        return ", ".join(starmap("{}={}".format, asdict(self.config).items()))

    def forward(self, x, mask=None):
        q, k, v = (self.split(getattr(self, f"{name}_proj")(x)) for name in "qkv")
        scores = torch.einsum("bhid,bhjd->bhij", q, k) / math.sqrt(self.config.head_dim)
        if mask is not None:
            scores = scores.masked_fill(mask.logical_not(), torch.finfo(scores.dtype).min)
        return self.out_proj(self.merge(scores.softmax(-1) @ v))
