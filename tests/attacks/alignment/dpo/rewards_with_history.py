"""The rewards keep their history.

Verdict: failed
"""

import torch, torch.nn.functional as F
def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    c = beta * (policy_chosen_logps - torch.as_tensor(reference_chosen_logps))
    r = beta * (policy_rejected_logps - torch.as_tensor(reference_rejected_logps))
    return -F.logsigmoid(c - r).mean(), c, r
