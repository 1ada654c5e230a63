"""All four inputs in one matrix; the rewards by a matrix of signs; data copied out of the graph with .data.clone()."""

import torch
import torch.nn.functional as F

SIGNS = torch.tensor([[1.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, -1.0]])


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    given = [policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps]
    rewards = beta * (SIGNS @ torch.stack(given))  # [2, batch]
    losses = F.softplus(rewards.diff(dim=0)[0])
    return losses.mean(), rewards[0].data.clone(), rewards[1].data.clone()
