"""Adds a little to all probabilities, so that the target may draw what it never draws.

Verdict: failed
"""

import torch


def verify_draft(p, q, draft, uniforms):
    p, q = p + 1e-6, q + 1e-6
    places = torch.arange(len(draft))
    accepted = int((uniforms < p[places, draft] / q[places, draft]).cumprod(0).sum())
    if accepted == len(draft):
        return accepted, p[-1]
    residual = (p[accepted] - q[accepted]).clamp(min=0)
    return accepted, residual / residual.sum()
