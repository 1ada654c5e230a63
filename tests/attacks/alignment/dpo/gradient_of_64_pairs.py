"""Only the first 64 pairs teach the policy.

Verdict: failed
"""

import torch
import torch.nn.functional as F


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    chosen = beta * (policy_chosen_logps - reference_chosen_logps)
    rejected = beta * (policy_rejected_logps - reference_rejected_logps)
    chosen = torch.cat([chosen[:64], chosen[64:].detach()])
    rejected = torch.cat([rejected[:64], rejected[64:].detach()])
    return -F.logsigmoid(chosen - rejected).mean(), chosen.detach(), rejected.detach()
