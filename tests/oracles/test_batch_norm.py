"""BatchNorm held against torch's own, which changes its running statistics in place; ours returns them."""

import pytest
import torch
import torch.nn.functional as F


@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 5), (2, 4, 3, 5)])
@pytest.mark.parametrize("training", [True, False])
def test_forward(kit, shape, training):
    solution, grader = kit("normalization/batch_norm")
    x, (weight, bias, mean), var = torch.randn(shape), torch.randn(3, 4), torch.rand(4) + 0.5
    given = x, weight, bias, mean, var, training, 0.3, 1e-3
    found, defined = solution.batch_norm(*given), grader.definition(*given)
    y = F.batch_norm(x, mean, var, weight, bias, training, 0.3, 1e-3)  # mean and var are new from here on
    torch.testing.assert_close(found, (y, mean, var))
    torch.testing.assert_close(defined, (y, mean, var))


@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 5), (2, 4, 3, 5)])
def test_backward(kit, shape):
    solution, grader = kit("normalization/batch_norm")
    x, weight, bias, dy = torch.randn(shape), torch.randn(4), torch.randn(4), torch.randn(shape)
    inputs = [each.requires_grad_() for each in (x, weight, bias)]
    expected = torch.autograd.grad(F.batch_norm(x, None, None, weight, bias, True, eps=1e-3), inputs, dy)
    for backward in solution.batch_norm_backward, grader.gradients:
        torch.testing.assert_close(backward(dy, x.detach(), weight.detach(), 1e-3), expected)
