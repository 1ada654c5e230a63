"""A custom operator of torch.library whose implementation is the fused one.

Verdict: failed
"""

import torch


def fused(lib):
    return lambda x, weight, eps: lib.rms_norm(x, weight.shape, weight, eps)


if not hasattr(torch.ops.mine_of_all, "norm"):
    library = torch.library.Library("mine_of_all", "FRAGMENT")
    library.define("norm(Tensor x, Tensor w, float e) -> Tensor")
    library.impl("norm", fused(torch), "CompositeImplicitAutograd")


def rms_norm(x, weight, eps=1e-6):
    return torch.ops.mine_of_all.norm(x, weight, eps)
