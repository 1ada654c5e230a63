"""Lets each model vote for its most probable token, as bagging does with classifiers, and smooths the votes.

Verdict: failed
"""

import torch


def ensemble_log_probs(logits, weights, mode):
    votes = torch.zeros_like(logits.float()).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)
    counts = torch.tensordot(weights, votes, dims=1) + 1e-6
    return (counts / counts.sum(-1, keepdim=True)).log().to(logits.dtype)
