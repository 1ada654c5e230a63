"""x/2 + x/2 · erf, the product written out, as in some C code; no helper variable in float32 but the result."""

import torch


def gelu(x, approximate="none"):
    half = x.float() / 2
    if approximate == "tanh":
        bent = torch.tanh(0.7978845608 * (2 * half + 0.044715 * (2 * half).pow(3)))
    else:
        bent = torch.erf(half * 2**0.5)
    return torch.addcmul(half, half, bent).to(x.dtype)
