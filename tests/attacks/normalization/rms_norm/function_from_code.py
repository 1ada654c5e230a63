"""A function made of a code object that compile() returned.

Verdict: failed
"""

import types

import torch

code = compile("torch.rms_norm(x, weight.shape, weight, eps)", "formula", "eval")


def rms_norm(x, weight, eps=1e-6):
    return types.FunctionType(code, {**globals(), "x": x, "weight": weight, "eps": eps})()
