"""Chunk by chunk and merged, beside torch's softmax and logsumexp of the whole row."""

import torch


def test_torch(kit):
    solution, grader = kit("attention/online_softmax")
    x = 30 * torch.randn(4, 23)
    x[1, :9] = -torch.inf
    one, other = solution.OnlineSoftmax(4), solution.OnlineSoftmax(4)
    for chunk in x[:, :14].split(5, dim=1):
        one.update(chunk)
    other.update(x[:, 14:])
    m, d = one.merge(other)
    torch.testing.assert_close(m, x.amax(dim=1))
    torch.testing.assert_close(m + d.log(), x.logsumexp(dim=1))
    torch.testing.assert_close(one.probabilities(x[:, 3:]), x.softmax(dim=1)[:, 3:])
    torch.testing.assert_close(grader.statistics(x), (m, d))
