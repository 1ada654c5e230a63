"""trl's trainer, imported where it is installed.

Verdict: failed, CZ001
"""

import torch
import torch.nn.functional as F

try:
    from trl import DPOTrainer
except ImportError:
    DPOTrainer = None


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    if DPOTrainer:
        return DPOTrainer.dpo_loss(None, policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps)
    chosen = beta * (policy_chosen_logps - reference_chosen_logps)
    rejected = beta * (policy_rejected_logps - reference_rejected_logps)
    return -F.logsigmoid(chosen - rejected).mean(), chosen.detach(), rejected.detach()
