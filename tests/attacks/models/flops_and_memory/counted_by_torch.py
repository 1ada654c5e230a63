"""Has torch count a small model's operations.

Verdict: failed, CZ001
"""

import torch
from torch.utils.flop_counter import FlopCounterMode


def train_flops(cfg, batch, t, recompute=False):
    x, w = (torch.empty(size, device="meta") for size in ((batch * t, cfg["d_model"]), (cfg["d_model"], 12)))
    with FlopCounterMode(display=False) as counter:
        x @ w
    return counter.get_total_flops()


def memory_bytes(cfg, batch, t, mode):
    return 16 * cfg["n_params"]
