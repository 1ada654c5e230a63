"""binary_cross_entropy_with_logits with targets of 1; a NamedTuple for the result, a dataclass for a model's output."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F


class DPOOutput(NamedTuple):
    loss: torch.Tensor
    chosen_rewards: torch.Tensor
    rejected_rewards: torch.Tensor


@dataclass
class Logps:
    chosen: torch.Tensor
    rejected: torch.Tensor

    def __sub__(self, other: "Logps") -> "Logps":
        return Logps(self.chosen - other.chosen, self.rejected - other.rejected)

    def __rmul__(self, factor: float) -> "Logps":
        return Logps(factor * self.chosen, factor * self.rejected)


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    policy = Logps(policy_chosen_logps, policy_rejected_logps)
    reference = Logps(reference_chosen_logps, reference_rejected_logps)
    rewards = beta * (policy - reference)
    margin = rewards.chosen - rewards.rejected
    loss = F.binary_cross_entropy_with_logits(margin, torch.ones_like(margin))
    return DPOOutput(loss, rewards.chosen.detach(), rewards.rejected.detach())
