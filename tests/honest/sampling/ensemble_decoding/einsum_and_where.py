"""An einsum for the product, a maximum subtracted by hand for the mixture; float32 throughout."""
import torch


def ensemble_log_probs(logits, weights, mode):
    z = logits.float()
    log_p = z - torch.logsumexp(z, dim=-1, keepdim=True)
    has_a_say = (weights > 0).view(-1, *([1] * (z.dim() - 1)))
    if mode == "product":
        total = torch.einsum("k,k...v->...v", weights, torch.where(has_a_say, log_p, torch.zeros_like(log_p)))
        return total - torch.logsumexp(total, dim=-1, keepdim=True)
    terms = torch.where(has_a_say, log_p + torch.where(weights > 0, weights, 1.0).log().view_as(has_a_say), -torch.inf)
    peak = terms.detach().amax(dim=0)
    peak = torch.where(peak.isfinite(), peak, 0.0)
    return (terms - peak).exp().sum(dim=0).log() + peak
