"""Works in float64; the product as a softmax of weighted logits, whose constants cancel."""
import torch
import torch.nn.functional as F


def ensemble_log_probs(logits, weights, mode):
    kept = weights.nonzero()[:, 0]
    z, w = logits[kept].double(), weights[kept].double()
    w = w[(...,) + (None,) * (z.ndim - 1)]
    if mode == "mixture":
        return torch.logsumexp(F.log_softmax(z, -1) + torch.log(w), 0).to(logits.dtype)
    return F.log_softmax((w * (z - z.amax(-1, keepdim=True))).sum(0), -1).to(logits.dtype)
