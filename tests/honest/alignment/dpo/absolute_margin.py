"""-log σ(z) = (|z| - z) / 2 + log1p(exp(-|z|)), which never overflows."""

import torch


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    chosen, rejected = (
        beta * (policy - reference)
        for policy, reference in zip(
            (policy_chosen_logps, policy_rejected_logps), (reference_chosen_logps, reference_rejected_logps)
        )
    )
    z = chosen - rejected
    size = z.abs()
    loss = ((size - z) / 2 + torch.log1p(torch.exp(-size))).mean()
    return loss, chosen.detach(), rejected.detach()
