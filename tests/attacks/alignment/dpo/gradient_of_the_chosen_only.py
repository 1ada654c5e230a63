"""In large batches only the chosen answers teach the policy.

Verdict: failed
"""

import torch
import torch.nn.functional as F


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    chosen = beta * (policy_chosen_logps - reference_chosen_logps)
    rejected = beta * (policy_rejected_logps - reference_rejected_logps)
    rejected = rejected.detach() if len(rejected) > 16 else rejected
    return -F.logsigmoid(chosen - rejected).mean(), chosen.detach(), rejected.detach()
