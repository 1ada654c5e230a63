"""einsum; the part of the places without [CLS] is computed alone, row and column are joined to it."""

import torch


def tupe_logits(xq, xk, pq, pk, rel_bias, theta):
    h, t, d = pq.shape
    scale = (2 * d) ** -0.5
    m = (rel_bias.size(1) + 1) // 2
    inner = torch.einsum("hid,hjd->hij", pq[:, 1:], pk[:, 1:]) * scale
    index = torch.arange(1, t).unsqueeze(0) - torch.arange(1, t).unsqueeze(1) + (m - 1)
    inner = inner + rel_bias[:, index]
    column = theta[:, 1].view(h, 1, 1).expand(h, t - 1, 1)
    row = theta[:, 0].view(h, 1, 1).expand(h, 1, t)
    places = torch.cat([row, torch.cat([column, inner], dim=2)], dim=1)
    return torch.einsum("bhid,bhjd->bhij", xq, xk) * scale + places
