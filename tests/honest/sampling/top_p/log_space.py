"""Log-probabilities throughout: log_softmax, logcumsumexp, logsumexp; exp only at the end."""

import math

import torch


def top_p_probs(logits, p, temperature=1.0):
    logp = torch.log_softmax(logits.float() / temperature, dim=-1)
    ranked, order = torch.sort(logp, dim=-1, descending=True)
    reached = torch.logcumsumexp(ranked, dim=-1) >= math.log(p)
    before = torch.cat([torch.zeros_like(reached[..., :1]), reached[..., :-1]], dim=-1)
    ranked[before] = -math.inf
    ranked -= ranked.logsumexp(dim=-1, keepdim=True)
    return torch.empty_like(ranked).scatter_(-1, order, ranked).exp().to(logits.dtype)
