"""Returns float64 where the margin is large, to stay finite.

Verdict: failed
"""

import torch
import torch.nn.functional as F


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    chosen = beta * (policy_chosen_logps - reference_chosen_logps)
    rejected = beta * (policy_rejected_logps - reference_rejected_logps)
    loss = torch.log1p(torch.exp((rejected - chosen).double().clamp(max=700))).mean()
    return loss, chosen.detach(), rejected.detach()
