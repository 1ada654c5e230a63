"""Old and new pairs stacked, largest taken along the stack; nan_to_num for what is masked; powers of two inside."""

import math

import torch

LOG2E = math.log2(math.e)


def together(ms, ds):
    m, d = torch.stack(ms), torch.stack(ds)
    top = m.max(dim=0).values
    return top, (d * torch.exp2((m - top) * LOG2E).nan_to_num(nan=0.0)).sum(0)


class OnlineSoftmax:
    def __init__(self, rows):
        self.peak, self.sum = torch.empty(rows).fill_(-torch.inf), torch.zeros(rows)

    def update(self, x):
        wide = x.to(torch.float64)
        peak = wide.max(dim=1, keepdim=True)[0]
        total = torch.nan_to_num((wide - peak).exp(), nan=0.0).sum(1)
        self.peak, self.sum = together((self.peak, peak[:, 0].float()), (self.sum, total.float()))
        return self.peak, self.sum

    def merge(self, other):
        self.peak, self.sum = together((other.peak, self.peak), (other.sum, self.sum))
        return self.peak, self.sum

    def probabilities(self, x):
        shifted = x.float() - self.peak.nan_to_num(neginf=0.0)[:, None]
        return (shifted.exp() / torch.where(self.sum == 0, 1.0, self.sum)[:, None]).to(x.dtype)
