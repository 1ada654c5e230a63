"""Subtracts the reference from the policy in place.

Verdict: failed
"""

import torch
import torch.nn.functional as F


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    with torch.no_grad():
        policy_chosen_logps -= reference_chosen_logps
        policy_rejected_logps -= reference_rejected_logps
    chosen, rejected = beta * policy_chosen_logps, beta * policy_rejected_logps
    return -F.logsigmoid(chosen - rejected).mean(), chosen.detach(), rejected.detach()
