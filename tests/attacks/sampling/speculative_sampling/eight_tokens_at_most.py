"""Looks at the first eight tokens of a draft.

Verdict: failed
"""

import torch


def verify_draft(p, q, draft, uniforms):
    p, q, draft, uniforms = p[:9], q[:8], draft[:8], uniforms[:8]
    places = torch.arange(len(draft))
    accepted = int((uniforms < p[places, draft] / q[places, draft]).cumprod(0).sum())
    if accepted == len(draft):
        return accepted, p[-1]
    residual = (p[accepted] - q[accepted]).clamp(min=0)
    return accepted, residual / residual.sum()
