"""The tokens that stay are right, and the next one comes from a blend of the residual and p.

Verdict: failed, value
"""

import torch


def verify_draft(p, q, draft, uniforms):
    places = torch.arange(len(draft))
    accepted = int((uniforms < p[places, draft] / q[places, draft]).cumprod(0).sum())
    if accepted == len(draft):
        return accepted, p[-1]
    residual = (p[accepted] - q[accepted]).clamp(min=0)
    return accepted, 0.999 * residual / residual.sum() + 0.001 * p[accepted]
