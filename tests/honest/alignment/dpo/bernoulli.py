"""Bradley-Terry as a distribution: the log-probability of a success under torch.distributions.Bernoulli."""

import torch
from torch.distributions import Bernoulli


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    rewards = beta * torch.stack(
        [policy_chosen_logps - reference_chosen_logps, policy_rejected_logps - reference_rejected_logps]
    )
    preference = Bernoulli(logits=rewards[0] - rewards[1])
    loss = preference.log_prob(torch.ones_like(rewards[0])).mean().neg()
    chosen, rejected = rewards.detach()
    return loss, chosen, rejected
