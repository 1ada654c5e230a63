import torch
from torch import Tensor


def sinusoidal(t: int, d: int, base: float = 10000.0) -> Tensor:
    """The encodings of positions 0 … t - 1, [t, d]."""
    # BLANK frequencies
    even = torch.arange(0, d, 2)  # 2i of every pair; of an odd d the last pair has a sine only
    frequencies = base ** (-even / d)  # [pairs], from 1 down to almost 1 / base
    # END
    # BLANK angles
    angles = torch.arange(t)[:, None] * frequencies  # [t, pairs]
    # END
    # BLANK interleave
    both = torch.stack([angles.sin(), angles.cos()], dim=-1)  # [t, pairs, 2]
    return both.flatten(1)[:, :d]
    # END
