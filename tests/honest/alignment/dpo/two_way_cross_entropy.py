"""A two-way classification: cross_entropy of the stacked rewards with class 0, Bradley-Terry spelled out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CHOSEN = 0


def dpo_loss(
    policy_chosen_logps: Tensor,
    policy_rejected_logps: Tensor,
    reference_chosen_logps: Tensor,
    reference_rejected_logps: Tensor,
    beta: float = 0.1,
) -> tuple[Tensor, Tensor, Tensor]:
    chosen = (policy_chosen_logps - reference_chosen_logps).mul(beta)
    rejected = (policy_rejected_logps - reference_rejected_logps).mul(beta)
    logits = torch.stack((chosen, rejected), dim=1)  # [batch, 2]
    target = torch.full((len(logits),), CHOSEN, dtype=torch.long)
    criterion = nn.CrossEntropyLoss(reduction="mean")
    return criterion(logits, target), chosen.clone().detach(), rejected.clone().detach()
