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
    # BLANK rewards
    chosen = beta * (policy_chosen_logps - reference_chosen_logps)  # [batch]
    rejected = beta * (policy_rejected_logps - reference_rejected_logps)  # [batch]
    # END
    # BLANK loss
    loss = -F.logsigmoid(chosen - rejected).mean()  # a sigmoid that underflows has no logarithm
    # END
    # BLANK result
    return loss, chosen.detach(), rejected.detach()
    # END
