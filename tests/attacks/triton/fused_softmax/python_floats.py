"""A loop over Python floats on the host; no kernel.

Verdict: failed
"""

import math

import torch


def softmax(x):
    rows = []
    for row in x:
        numbers = [number.item() for number in row]
        top = max(numbers)
        weights = [math.exp(number - top) for number in numbers]
        rows.append([weight / math.fsum(weights) for weight in weights])
    return torch.tensor(rows).to(x.dtype)
