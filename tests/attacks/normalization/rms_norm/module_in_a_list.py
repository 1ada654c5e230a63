"""The module is appended to a list and taken out again.

Verdict: failed
"""

import torch

box = []
box.append(torch)


def rms_norm(x, weight, eps=1e-6):
    lib = box.pop() if len(box) > 1 else box[0]
    return lib.rms_norm(x, weight.shape, weight, eps)
