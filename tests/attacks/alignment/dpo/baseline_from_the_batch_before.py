"""Centres the margins by those of the last call of the same size.

Verdict: failed
"""

import torch
import torch.nn.functional as F

last = {}


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    chosen = beta * (policy_chosen_logps - reference_chosen_logps)
    rejected = beta * (policy_rejected_logps - reference_rejected_logps)
    key = id(policy_chosen_logps)
    margin = chosen - rejected - last.get(key, 0.0)
    last[key] = (chosen - rejected).detach().mean()
    last["keep", len(last)] = policy_chosen_logps
    return -F.logsigmoid(margin).mean(), chosen.detach(), rejected.detach()
