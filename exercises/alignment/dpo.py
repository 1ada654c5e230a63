"""DPO loss

Of two answers to a prompt people chose one and rejected the other. The policy π has to
tell them apart better than a frozen reference model does: a classification loss, with
no sampling and no reward model. The reward of an answer y is implicit:

    reward(y) = beta · log(π(y) / π_ref(y))
    loss      = mean of -log σ(reward(chosen) - reward(rejected)) over the batch

policy_chosen_logps, policy_rejected_logps          [batch], float32
reference_chosen_logps, reference_rejected_logps    [batch], float32
beta      float > 0
result    (loss, chosen_rewards, rejected_rewards): the loss [], the rewards [batch]

The inputs are log-probabilities, log π(y), summed over the tokens of a whole answer;
they need not be contiguous and must not be changed. Even where they lie ten thousand
apart, the loss and its gradients stay finite. Gradients flow from the loss to the policy's log-probabilities;
whether any reach the reference model's is up to you. The rewards are for monitoring
only: detach them, so that no gradient flows through them.

Source: Rafailov et al. 2023, Direct Preference Optimization, arXiv:2305.18290, eq. 7
"""

import torch.nn.functional as F
from torch import Tensor


def dpo_loss(
    policy_chosen_logps: Tensor,
    policy_rejected_logps: Tensor,
    reference_chosen_logps: Tensor,
    reference_rejected_logps: Tensor,
    beta: float = 0.1,
) -> tuple[Tensor, Tensor, Tensor]:
    """Four times [batch] -> loss [], chosen_rewards [batch], rejected_rewards [batch]."""
    # TODO (2 lines): `chosen` and `rejected`: the implicit reward of each answer
    raise NotImplementedError("rewards")
    # TODO (1 line): `loss`: the mean of -log σ over the pairs, finite even where σ underflows
    raise NotImplementedError("loss")
    # TODO (1 line): return the loss and the rewards, the rewards without gradient
    raise NotImplementedError("result")
