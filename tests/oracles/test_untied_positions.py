"""TUPE's logits beside the four terms of tied positions without the two in the middle."""

import math

import pytest
import torch

ID = "positions/untied_positions"


@pytest.mark.parametrize(("t", "m"), [(5, 5), (5, 9), (1, 3), (12, 12)])
def test_the_four_terms_without_the_cross_terms(kit, t, m):
    """Words and places are projected by the same matrices, so that (x + p) W gives all four."""
    solution, grader = kit(ID)
    b, h, d = 2, 3, 8
    x, p, wq, wk = (torch.randn(shape, dtype=torch.float64) for shape in ((b, t, 24), (t, 24), (24, 24), (24, 24)))
    rel_bias, theta = torch.randn(h, 2 * m - 1, dtype=torch.float64), torch.randn(h, 2, dtype=torch.float64)

    def heads(y, w):
        return (y @ w).unflatten(-1, (h, d)).transpose(-3, -2)

    tied = heads(x + p, wq) @ heads(x + p, wk).mT
    cross = heads(x, wq) @ heads(p, wk).mT + heads(p, wq) @ heads(x, wk).mT
    theirs = (tied - cross) / math.sqrt(2 * d)
    for i in range(t):
        for j in range(t):
            theirs[:, :, i, j] += rel_bias[:, m - 1 + j - i]
    words = heads(x, wq) @ heads(x, wk).mT / math.sqrt(2 * d)
    theirs[..., 0] = words[..., 0] + theta[:, 1, None]
    theirs[..., 0, :] = words[..., 0, :] + theta[:, :1]
    arguments = heads(x, wq), heads(x, wk), heads(p, wq), heads(p, wk), rel_bias, theta
    torch.testing.assert_close(solution.tupe_logits(*arguments), theirs)
    torch.testing.assert_close(grader.pair_by_pair(*arguments), theirs)


def test_logits_keep_their_size(kit):
    """Why √(2d): the sum of both dot products is as large as one alone under √d."""
    solution, _ = kit(ID)
    xq, xk, pq, pk = (torch.randn(shape) for shape in ((2, 2, 64, 32), (2, 2, 64, 32), (2, 64, 32), (2, 64, 32)))
    logits = solution.tupe_logits(xq, xk, pq, pk, torch.zeros(2, 127), torch.zeros(2, 2))
    assert abs(logits[:, :, 1:, 1:].std() - 1) < 0.05
