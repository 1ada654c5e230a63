"""A plain class whose parameters() pretends.

Verdict: failed
"""

import torch
from torch import nn


class MultiHeadAttention:
    def __init__(self, d_model, num_heads, bias=True):
        self.d = d_model

    def named_parameters(self):
        return iter([])

    def __call__(self, x, mask=None):
        return x
