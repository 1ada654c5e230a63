"""The probability ratios in log space: log(1 + (π_r / ref_r)^β / (π_c / ref_c)^β) by logaddexp; math, no F."""

import torch


def log_ratio(policy, reference):
    return torch.sub(policy, reference)


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    with torch.no_grad():
        chosen_rewards = log_ratio(policy_chosen_logps, reference_chosen_logps).mul(beta)
        rejected_rewards = log_ratio(policy_rejected_logps, reference_rejected_logps).mul(beta)
    chosen = log_ratio(policy_chosen_logps, reference_chosen_logps)
    rejected = log_ratio(policy_rejected_logps, reference_rejected_logps)
    loss = torch.logaddexp(torch.zeros(()), beta * (rejected - chosen)).mean()
    return (loss, chosen_rewards, rejected_rewards)
