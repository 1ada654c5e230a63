"""LayerNorm of [x, -x], whose mean is 0 and whose variance is the mean square of x."""

import torch
import torch.nn.functional as F


def rms_norm(x, weight, eps=1e-6):
    d = x.shape[-1]
    wide = x.to(torch.float32)
    both = F.layer_norm(torch.cat((wide, -wide), dim=-1), (2 * d,), eps=eps)
    return both[..., :d].mul(weight).type(x.dtype)
