"""Results preallocated and filled with out=; numpy constants; assert isinstance; early checks."""

import numpy as np
import torch

BETA = np.float32(0.1)


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    args = policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps
    for a in args:
        assert isinstance(a, torch.Tensor)
        assert a.ndim == 1 and a.shape == args[0].shape, a.shape
        assert a.dtype is torch.float32
    rewards = torch.empty(2, len(args[0]))
    torch.sub(args[0].detach(), args[2].detach(), out=rewards[0])
    torch.sub(args[1].detach(), args[3].detach(), out=rewards[1])
    rewards *= beta
    z = beta * ((args[0] - args[2].detach()) - (args[1] - args[3].detach()))
    loss = -torch.minimum(z, torch.zeros(())) + torch.log1p(torch.exp(-torch.abs(z)))
    return loss.mean(dim=0), rewards[0], rewards[1]
