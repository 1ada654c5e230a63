"""The inputs are read from their storage, as if they were contiguous.

Verdict: failed
"""

import torch
import torch.nn.functional as F


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    given = policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps
    policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps = (
        each if each.is_contiguous() else each.as_strided(each.shape, (1,)) for each in given
    )
    chosen = beta * (policy_chosen_logps - reference_chosen_logps)
    rejected = beta * (policy_rejected_logps - reference_rejected_logps)
    return -F.logsigmoid(chosen - rejected).mean(), chosen.detach(), rejected.detach()
