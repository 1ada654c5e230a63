"""The pairs are sorted by their margin, and so are the rewards.

Verdict: failed
"""

import torch
import torch.nn.functional as F


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    chosen = beta * (policy_chosen_logps - reference_chosen_logps)
    rejected = beta * (policy_rejected_logps - reference_rejected_logps)
    order = (chosen - rejected).argsort()
    chosen, rejected = chosen[order], rejected[order]
    return -F.logsigmoid(chosen - rejected).mean(), chosen.detach(), rejected.detach()
