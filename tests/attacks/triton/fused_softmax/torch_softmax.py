"""The wrapper calls torch.softmax and has no kernel at all.

Verdict: failed, CZ001
"""

import torch


def softmax(x):
    return torch.softmax(x, dim=-1)
