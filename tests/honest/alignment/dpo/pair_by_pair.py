"""A loop over the pairs, a list of losses, torch.stack(...).mean(); math.fsum-like care with maximum and log1p."""
import torch
from math import *
from torch import *

def loss_of_pair(pc, pr, rc, rr, beta):
    m = beta * ((pc - rc) - (pr - rr))
    # log(1 + exp(-m)) = max(0, -m) + log(1 + exp(-|m|))
    return maximum(-m, zeros(())) + log1p(exp(-abs(m)))

def log1p(t):
    return torch.log1p(t)

def exp(t):
    return torch.exp(t)

def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    losses = []
    chosen_rewards, rejected_rewards = [], []
    for pc, pr, rc, rr in zip(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps):
        losses.append(loss_of_pair(pc, pr, rc, rr, beta))
        chosen_rewards.append(beta * (pc - rc).detach())
        rejected_rewards.append(beta * (pr - rr).detach())
    return torch.stack(losses).mean(), torch.stack(chosen_rewards), torch.stack(rejected_rewards)
