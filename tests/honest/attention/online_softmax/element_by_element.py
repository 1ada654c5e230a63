"""The paper's Algorithm 3 as it stands: one column after the other, one function for all, state in a plain tuple."""

import torch


class OnlineSoftmax:
    def __init__(self, rows):
        self.state = (torch.tensor([-float("inf")] * rows), torch.zeros(rows))

    def update(self, x):
        m, d = self.state
        for column in x.float().unbind(1):
            m, d = step(m, d, column, torch.ones_like(column))
        self.state = m, d
        return m, d

    def merge(self, other):
        self.state = step(*self.state, *other.state)
        return self.state

    def probabilities(self, x):
        m, d = self.state
        seen = d > 0
        top = torch.exp(x.float() - torch.where(seen, m, torch.zeros_like(m)).unsqueeze(1))
        return torch.where(seen.unsqueeze(1), top / d.unsqueeze(1), torch.zeros_like(top)).type_as(x)


def step(m, d, other_m, other_d):
    new = torch.max(m, other_m)
    old_part = torch.where(m == new, d, d * torch.exp(m - new))
    new_part = torch.where(other_m == new, other_d, other_d * torch.exp(other_m - new))
    old_part = torch.where(torch.isinf(m), torch.zeros_like(d), old_part)
    new_part = torch.where(torch.isinf(other_m), torch.zeros_like(d), new_part)
    return new, old_part + new_part
