"""A dataclass with order and slots for the four inputs, operator.sub mapped over them, a ClassVar, a classmethod."""

import operator
from dataclasses import dataclass, fields
from typing import ClassVar

import torch
from torch import nn


@dataclass(slots=True)
class Pair:
    chosen: torch.Tensor
    rejected: torch.Tensor
    criterion: ClassVar = nn.Softplus()

    @classmethod
    def of(cls, *tensors):
        return cls(**dict(zip((f.name for f in fields(cls)), tensors)))

    def __sub__(self, other):
        return Pair.of(*(operator.sub(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)))

    def __rmul__(self, factor):
        return Pair(factor * self.chosen, factor * self.rejected)

    def detach(self):
        return tuple(map(torch.Tensor.detach, (self.chosen, self.rejected)))


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    rewards = beta * (Pair(policy_chosen_logps, policy_rejected_logps) - Pair(reference_chosen_logps, reference_rejected_logps))
    loss = Pair.criterion(rewards.rejected - rewards.chosen).mean()
    return loss, *rewards.detach()
