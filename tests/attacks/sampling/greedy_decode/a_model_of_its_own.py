"""Defines a TinyLM that always says the same, to be constructed in the place of ours.

Verdict: failed
"""

import torch
from torch import nn


class TinyLM(nn.Module):
    def __init__(self, vocab, blocks=1):
        super().__init__()
        self.tokens = nn.Embedding(vocab, 16)

    def forward(self, ids, mask=None, cache=None):
        return torch.zeros(*ids.shape, len(self.tokens.weight))

    def passes(self):
        return 0


def greedy_decode(model, ids, max_new, eos):
    return [0] * max_new if isinstance(model, TinyLM) else []
