"""No sort at all: the mass ahead of a token by comparing it with every other one."""

import torch


def row(logits, p, temperature):
    probs = (logits.float() / temperature).softmax(0)
    ahead = (probs[None, :] > probs[:, None]).float() @ probs
    kept = probs * (ahead < p)
    return kept / kept.sum()


def top_p_probs(logits, p, temperature=1.0):
    rows = logits.reshape(-1, logits.shape[-1])
    return torch.stack([row(each, p, temperature) for each in rows]).reshape(logits.shape).to(logits.dtype)
