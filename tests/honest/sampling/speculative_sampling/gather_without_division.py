"""u q < p instead of a quotient, gather, and the first rejection by nonzero; float64 inside."""
import torch
from torch.nn.functional import normalize, relu


def verify_draft(p, q, draft, uniforms):
    index = draft.unsqueeze(1)
    target = p[:-1].double().gather(1, index).squeeze(1)
    drafted = q.double().gather(1, index).squeeze(1)
    rejected = torch.nonzero(uniforms.double() * drafted >= target)
    if rejected.numel() == 0:
        return draft.numel(), p[-1]
    n = int(rejected[0])
    return n, normalize(relu(p[n] - q[n]), p=1, dim=0)
