"""NumPy habits: concatenate, axis=, np.logaddexp's torch namesake, a matrix of signs."""

import torch as np


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    table = np.vstack([policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps])
    ratios = table[:2] - table[2:]
    rewards = np.multiply(ratios, beta)
    z = np.diff(rewards, axis=0)[0]
    loss = np.logaddexp(np.zeros_like(z), z).mean()
    good, bad = rewards.detach()
    return loss, good, bad
