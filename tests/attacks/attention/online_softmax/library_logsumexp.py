"""logsumexp and logaddexp do it all.

Verdict: failed, CZ001
"""

import torch


class OnlineSoftmax:
    def __init__(self, rows):
        self.m, self.lse = torch.full((rows,), -torch.inf), torch.full((rows,), -torch.inf)

    def update(self, x):
        x = x.float()
        self.m = torch.maximum(self.m, x.amax(-1))
        self.lse = torch.logaddexp(self.lse, torch.logsumexp(x, -1))
        return self.m, torch.exp(self.lse - self.m).nan_to_num(0.0)

    def merge(self, other):
        self.m = torch.maximum(self.m, other.m)
        self.lse = torch.logaddexp(self.lse, other.lse)
        return self.m, torch.exp(self.lse - self.m).nan_to_num(0.0)

    def probabilities(self, x):
        return torch.exp(x.float() - self.lse[:, None]).nan_to_num(0.0).to(x.dtype)
