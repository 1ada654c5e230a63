"""A trainer's habit: metrics logged with item(), accuracies, margins, a dict on the way, nn.LogSigmoid."""

import logging
from collections import OrderedDict

import torch
from torch import nn

logger = logging.getLogger(__name__)
_log_sigmoid = nn.LogSigmoid()


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    metrics = OrderedDict()
    chosen_rewards = beta * (policy_chosen_logps - reference_chosen_logps).detach()
    rejected_rewards = beta * (policy_rejected_logps - reference_rejected_logps).detach()
    with torch.no_grad():
        metrics["accuracy"] = (chosen_rewards > rejected_rewards).float().mean().item()
        metrics["margin"] = (chosen_rewards - rejected_rewards).mean().item()
    pi, ref = policy_chosen_logps - policy_rejected_logps, reference_chosen_logps - reference_rejected_logps
    loss = _log_sigmoid(beta * (pi - ref)).neg().mean()
    metrics["loss"] = float(loss)
    logger.info("%s", metrics)
    return loss, chosen_rewards, rejected_rewards
