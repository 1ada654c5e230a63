import math

import torch
from torch import Tensor


def scaled_inv_freq(d: int, base: float, factor: float, method: str, orig_len: int) -> tuple[Tensor, float]:
    """The angles per position, [d/2], for texts `factor` times as long, and what scales cosines and sines."""
    exponents = -torch.arange(0, d, 2) / d  # [d/2]
    theta = base**exponents  # [d/2], as in training
    if method == "linear":
        # BLANK linear
        return theta / factor, 1.0
        # END
    if method == "ntk":
        # BLANK ntk
        return (base * factor ** (d / (d - 2))) ** exponents, 1.0  # the last exponent is -(d - 2) / d
        # END
    # BLANK turns
    turns = orig_len * theta / (2 * math.pi)  # [d/2], how often each pair goes round within orig_len
    # END
    # BLANK ramp
    keep = ((turns - 1) / (32 - 1)).clamp(0, 1)  # [d/2]
    # END
    # BLANK blend
    blended = (1 - keep) * theta / factor + keep * theta
    return blended, 0.1 * math.log(factor) + 1
    # END
