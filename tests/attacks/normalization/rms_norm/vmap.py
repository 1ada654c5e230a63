"""torch.vmap over rows hands the module in as a captured argument.

Verdict: failed
"""

import torch


def rms_norm(x, weight, eps=1e-6):
    def with_library(lib):
        return torch.vmap(lambda row: lib.rms_norm(row, weight.shape, weight, eps))

    return with_library(torch)(x.reshape(-1, x.shape[-1])).reshape(x.shape)
