"""Llama's first release: pairs as complex numbers, view_as_complex and polar; the halves are moved side by side and back."""

import torch


def freqs_cis(d, positions, base):
    freqs = 1.0 / (base ** (torch.arange(0, d, 2)[: d // 2].float() / d))
    angles = positions.float().unsqueeze(-1) * freqs
    return torch.polar(torch.ones_like(angles), angles)


def turn(x, cis, layout):
    if layout == "half":
        x_ = torch.stack(x.float().chunk(2, -1), -1)
    else:
        x_ = x.float().reshape(*x.shape[:-1], -1, 2)
    out = torch.view_as_real(torch.view_as_complex(x_.contiguous()) * cis)
    if layout == "half":
        out = out.transpose(-1, -2)
    return out.flatten(3).type_as(x)


def apply_rope(q, k, positions, base=10000.0, layout="half"):
    cis = freqs_cis(q.shape[-1], positions, base)
    cis = cis[None, None] if positions.dim() == 1 else cis[:, None]
    return turn(q, cis, layout), turn(k, cis, layout)
