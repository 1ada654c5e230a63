"""Subtracts q in place, in the caller's p.

Verdict: failed
"""

import torch


def verify_draft(p, q, draft, uniforms):
    places = torch.arange(len(draft))
    accepted = int((uniforms < p[places, draft] / q[places, draft]).cumprod(0).sum())
    if accepted == len(draft):
        return accepted, p[-1]
    p[accepted].sub_(q[accepted]).clamp_(min=0)
    return accepted, p[accepted] / p[accepted].sum()
