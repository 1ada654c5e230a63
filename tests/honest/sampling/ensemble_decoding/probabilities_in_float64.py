"""Adds and multiplies probabilities themselves, in float64, which reaches down to e^-700."""
import torch


def ensemble_log_probs(logits, weights, mode):
    distributions = torch.softmax(logits.to(torch.float64), -1)
    out = 0 if mode == "mixture" else 1
    for k in range(len(weights)):
        if weights[k].item() == 0:
            continue
        if mode == "mixture":
            out = out + weights[k] * distributions[k]
        else:
            out = out * distributions[k] ** weights[k]
    if mode == "product":
        out = out / out.sum(-1, keepdim=True)
    return out.log().to(logits.dtype)
