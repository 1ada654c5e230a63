"""log-sum-exp of the shifted quotients; at zero a masked softmax; answers in float32."""
import torch


def at_zero(x):
    level = x - x.amax(-1, keepdim=True)
    return torch.zeros_like(level).masked_fill(level < 0, float("-inf")).softmax(-1)


def temperature_probs(logits, temperature):
    x = logits.to(torch.float32)
    if temperature == 0.0:
        return at_zero(x)
    x = (x - x.amax(-1, keepdim=True).detach()).div(temperature)
    return (x - torch.logsumexp(x, -1, keepdim=True)).exp()
