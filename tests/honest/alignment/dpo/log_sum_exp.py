"""-log σ(a - b) = logsumexp(a, b) - a, over a stack of both rewards."""

import torch


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    policy = torch.stack([policy_chosen_logps, policy_rejected_logps])  # [2, batch]
    reference = torch.stack([reference_chosen_logps, reference_rejected_logps]).detach()
    rewards = (policy - reference) * beta
    loss = (rewards.logsumexp(dim=0) - rewards[0]).mean()
    chosen, rejected = rewards.detach().unbind(0)
    return loss, chosen, rejected
