"""A 2 by 2 matrix for every position and pair, and one einsum; the logarithm of the base by math."""

import math

import torch


def matrices(positions, base, d):
    pair = torch.arange(d // 2, dtype=torch.float32)
    angle = positions.to(torch.float32)[..., None] * torch.exp(pair * (-2 * math.log(base) / d))
    c, s = torch.cos(angle), torch.sin(angle)
    return torch.stack((torch.stack((c, -s), -1), torch.stack((s, c), -1)), -2)


def apply_rope(q, k, positions, base=10000.0, layout="half"):
    b, _, t, d = q.shape
    turns = matrices(positions, base, d).expand(b, t, d // 2, 2, 2)
    results = []
    for x in (q, k):
        match layout:
            case "half":
                pairs = x.float().reshape(b, -1, t, 2, d // 2)
                results.append(torch.einsum("btpij,bhtjp->bhtip", turns, pairs).reshape(x.shape).to(x.dtype))
            case "interleaved":
                pairs = x.float().reshape(b, -1, t, d // 2, 2)
                results.append(torch.einsum("btpij,bhtpj->bhtpi", turns, pairs).reshape(x.shape).to(x.dtype))
    return tuple(results)
