"""Margins beyond fifteen, up to 900, teach nothing.

Verdict: failed, value
"""

import torch, torch.nn.functional as F
def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    c = beta * (policy_chosen_logps - torch.as_tensor(reference_chosen_logps))
    r = beta * (policy_rejected_logps - torch.as_tensor(reference_rejected_logps))
    m = c - r
    m = torch.where((m.detach().abs() > 15) & (m.detach().abs() < 900), m.detach(), m)
    return -F.logsigmoid(m).mean(), c.detach(), r.detach()
