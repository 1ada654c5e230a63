"""The loss is the mean over batches of 32 of their means; the last batch is smaller.

Verdict: failed
"""

import torch
import torch.nn.functional as F


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    chosen = beta * (policy_chosen_logps - reference_chosen_logps)
    rejected = beta * (policy_rejected_logps - reference_rejected_logps)
    losses = [-F.logsigmoid(part).mean() for part in (chosen - rejected).split(32)]
    return torch.stack(losses).mean(), chosen.detach(), rejected.detach()
