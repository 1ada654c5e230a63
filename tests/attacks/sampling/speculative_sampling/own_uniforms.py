"""Draws its own uniform numbers.

Verdict: failed
"""

import torch


def verify_draft(p, q, draft, uniforms):
    places = torch.arange(len(draft))
    accepted = int((torch.rand(len(draft)) < p[places, draft] / q[places, draft]).cumprod(0).sum())
    if accepted == len(draft):
        return accepted, p[-1]
    residual = (p[accepted] - q[accepted]).clamp(min=0)
    return accepted, residual / residual.sum()
