"""log σ by hand, stable on either side by torch.where."""
import torch

def log_sigmoid(x):
    # both branches are finite everywhere, so that where passes no nan to the gradient
    return torch.where(x >= 0, -torch.log1p(torch.exp(-x.clamp(min=0))), x - torch.log1p(torch.exp(x.clamp(max=0))))

def dpo_loss(policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta=0.1):
    r_w = beta * (policy_chosen_logps - reference_chosen_logps)
    r_l = beta * (policy_rejected_logps - reference_rejected_logps)
    losses = -log_sigmoid(r_w - r_l)
    loss = losses.sum() / losses.numel()
    return loss, r_w.detach(), r_l.detach()
