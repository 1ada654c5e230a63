"""The sum of squares as a row times a column, by matmul; a lambda under the name of the function."""

import torch

rms_norm = lambda x, weight, eps=1e-6: (
    x.float() / torch.sqrt((x.float().unsqueeze(-2) @ x.float().unsqueeze(-1)).squeeze(-1) / x.size(-1) + eps) * weight
).to(x.dtype)
