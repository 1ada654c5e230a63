"""float64 for the differences of large numbers, back to float32 at the end; keyword arguments through partial."""

from functools import partial

import torch

mean = partial(torch.mean, dim=0)
reward = lambda policy, reference, *, beta: beta * (policy.double() - reference.double())  # noqa: E731


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    kind = policy_chosen_logps.dtype
    r = partial(reward, beta=beta)
    margin = (c := r(policy_chosen_logps, reference_chosen_logps)) - (
        d := r(policy_rejected_logps, reference_rejected_logps)
    )
    loss = mean(-torch.nn.functional.logsigmoid(margin))
    return loss.to(kind), c.detach().to(kind), d.detach().to(kind)
