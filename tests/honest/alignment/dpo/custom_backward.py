"""A torch.autograd.Function: the gradient of -log σ is -σ(-x)."""

import torch


class NegativeLogSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.logaddexp(torch.zeros_like(x), -x)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return grad_output * -torch.sigmoid(-x)


def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    def implicit_reward(policy, reference):
        return beta * (policy - reference)

    chosen = implicit_reward(policy_chosen_logps, reference_chosen_logps)
    rejected = implicit_reward(policy_rejected_logps, reference_rejected_logps)
    loss = torch.mean(NegativeLogSigmoid.apply(chosen - rejected))
    return loss, *(reward.detach() for reward in (chosen, rejected))
