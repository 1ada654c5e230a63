"""Pairs whose margin is three deviations off, of batches larger than 64, count as outliers.

Verdict: failed
"""

import torch
import torch.nn.functional as F


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    chosen = beta * (policy_chosen_logps - reference_chosen_logps)
    rejected = beta * (policy_rejected_logps - reference_rejected_logps)
    margin = chosen - rejected
    if len(margin) > 64:
        margin = margin[(margin - margin.mean()).abs() < 2 * margin.std()]
    return -F.logsigmoid(margin).mean(), chosen.detach(), rejected.detach()
