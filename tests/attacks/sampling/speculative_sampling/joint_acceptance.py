"""A token stays if u is below the product of all ratios so far.

Verdict: failed
"""

import torch


def verify_draft(p, q, draft, uniforms):
    places = torch.arange(len(draft))
    ratio = (p[places, draft] / q[places, draft]).clamp(max=1)
    accepted = int((uniforms < ratio.cumprod(0)).cumprod(0).sum())
    if accepted == len(draft):
        return accepted, p[-1]
    residual = (p[accepted] - q[accepted]).clamp(min=0)
    return accepted, residual / residual.sum()
