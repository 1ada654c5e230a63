"""BatchNorm held against torch's own, which changes its running statistics in place; ours returns them."""

import pytest
import torch
import torch.nn.functional as F

from clozekit.catalog import builtin_root
from clozekit.exercise import Exercise

NAMES: dict = {}
exec(Exercise(builtin_root(), "normalization/batch_norm").solution, NAMES)


@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 5), (2, 4, 3, 5)])
@pytest.mark.parametrize("training", [True, False])
def test_forward(shape, training):
    torch.manual_seed(1)
    x, (weight, bias, mean), var = torch.randn(shape), torch.randn(3, 4), torch.rand(4) + 0.5
    found = NAMES["batch_norm"](x, weight, bias, mean, var, training, 0.3, 1e-3)
    y = F.batch_norm(x, mean, var, weight, bias, training, 0.3, 1e-3)  # mean and var are new from here on
    torch.testing.assert_close(found, (y, mean, var))


@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 5), (2, 4, 3, 5)])
def test_backward(shape):
    torch.manual_seed(1)
    x, weight, bias, dy = torch.randn(shape), torch.randn(4), torch.randn(4), torch.randn(shape)
    inputs = [each.requires_grad_() for each in (x, weight, bias)]
    expected = torch.autograd.grad(F.batch_norm(x, None, None, weight, bias, True, eps=1e-3), inputs, dy)
    found = NAMES["batch_norm_backward"](dy, x.detach(), weight.detach(), 1e-3)
    torch.testing.assert_close(found, expected)
