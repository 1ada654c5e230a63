import math

import torch
from torch import Tensor


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """x of any shape -> the same shape and dtype; approximate is "none" or "tanh"."""
    wide = x.float()
    if approximate == "tanh":
        # BLANK tanh
        inner = math.sqrt(2 / math.pi) * (wide + 0.044715 * wide.pow(3))
        share = (1 + torch.tanh(inner)) / 2
        # END
    else:
        # BLANK exact
        share = (1 + torch.erf(wide / math.sqrt(2))) / 2  # how much of a standard normal lies below x
        # END
    # BLANK weigh
    return (wide * share).to(x.dtype)
    # END
