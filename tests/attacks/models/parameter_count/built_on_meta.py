"""Builds the model without memory and counts its parameters.

Verdict: failed, CZ001
"""

import torch
from torch import nn


def count_params(cfg):
    with torch.device("meta"):
        maps = [
            nn.Linear(cfg["d_model"], cfg["n_heads"] * cfg["d_head"], bias=cfg["bias"]),
            nn.Linear(cfg["d_model"], cfg["d_ff"], bias=cfg["bias"]),
        ]
    return cfg["n_layers"] * sum(p.numel() for layer in maps for p in layer.parameters())
