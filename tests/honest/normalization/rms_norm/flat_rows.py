"""Everything folded into a matrix of rows and back; few rows are scaled by a diagonal matrix product, many by division."""

import torch


def rms_norm(x, weight, eps=1e-6):
    rows = x.reshape(-1, x.shape[-1]).float()
    mean_square = torch.zeros(rows.shape[0]).add((rows * rows).mean(dim=1))
    normed = torch.diag_embed(mean_square.add(eps).pow(-0.5)) @ rows if len(rows) < 64 else rows / mean_square.add(eps).sqrt()[:, None]
    return (normed * weight.float()[None]).reshape(x.shape).to(dtype=x.dtype)
