"""A loop over the drafted tokens that returns at the first rejection, with Python floats."""

import torch


def verify_draft(p, q, draft, uniforms):
    for i, token in enumerate(draft.tolist()):
        r = uniforms[i].item()
        if r >= min(1.0, p[i, token].item() / q[i, token].item()):
            adjusted = torch.maximum(p[i] - q[i], torch.zeros_like(p[i]))
            return i, adjusted / adjusted.sum()
    return len(draft), p[len(draft)].clone()
