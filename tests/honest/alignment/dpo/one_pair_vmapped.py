"""A function of one pair, lifted to the batch by torch.vmap; a dict on the way."""

import torch
import torch.nn.functional as F


def one_pair(pc, pr, rc, rr, beta):
    chosen, rejected = (pc - rc) * beta, (pr - rr) * beta
    return {"loss": F.logsigmoid(chosen - rejected).neg(), "chosen": chosen, "rejected": rejected}


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    each = torch.vmap(one_pair, in_dims=(0, 0, 0, 0, None))(
        policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta
    )
    return torch.mean(each["loss"]), each["chosen"].detach(), each["rejected"].detach()
