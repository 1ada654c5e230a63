"""softplus of minus the margin; the reference and the rewards under torch.no_grad."""

import torch as t
from torch.nn.functional import softplus


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    with t.no_grad():
        baseline = reference_chosen_logps - reference_rejected_logps
        rewards = [
            beta * (policy - reference)
            for policy, reference in (
                (policy_chosen_logps, reference_chosen_logps),
                (policy_rejected_logps, reference_rejected_logps),
            )
        ]
    margin = beta * ((policy_chosen_logps - policy_rejected_logps) - baseline)
    return softplus(-margin).mean(), *rewards
