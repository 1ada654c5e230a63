"""The running sum in float64, searchsorted for its crossing, topk instead of sort; answers in float32."""

import functools

import torch


def one_or_many(function):
    """Let a function of a batch take a single row as well."""

    @functools.wraps(function)
    def wrapper(logits, *args, **kwargs):
        if logits.ndim == 1:
            return function(logits[None], *args, **kwargs)[0]
        return function(logits, *args, **kwargs)

    return wrapper


@one_or_many
def top_p_probs(logits, p, temperature=1.0):
    batch, vocab = logits.shape
    probs = torch.softmax(logits.float().div(temperature), dim=1)
    top, where = probs.topk(vocab, dim=1)
    running = top.double().cumsum(1).contiguous()
    crossing = torch.searchsorted(running, torch.full((batch, 1), p, dtype=torch.float64))
    inside = torch.arange(vocab).expand(batch, vocab) <= crossing
    kept = torch.zeros_like(probs).scatter_(1, where, top * inside)
    return torch.nn.functional.normalize(kept, p=1, dim=1)
