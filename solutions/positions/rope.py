import torch
from torch import Tensor


def apply_rope(
    q: Tensor, k: Tensor, positions: Tensor, base: float = 10000.0, layout: str = "half"
) -> tuple[Tensor, Tensor]:
    """q [b, h, t, d], k [b, h_k, t, d], positions [t] or [b, t] -> q and k rotated, in their shapes and dtype."""
    d = q.shape[-1]
    # BLANK frequencies
    theta = base ** -(torch.arange(0, d, 2, device=q.device) / d)  # [d/2], from 1 down to almost 1 / base
    # END
    # BLANK angles
    angles = positions[..., None, :, None] * theta  # [1, t, d/2] or [b, 1, t, d/2], the same for every head
    cos, sin = angles.cos(), angles.sin()
    # END
    return rotate(q, cos, sin, layout), rotate(k, cos, sin, layout)


def rotate(x: Tensor, cos: Tensor, sin: Tensor, layout: str) -> Tensor:
    """x [b, h, t, d], its pairs turned by the angles of cos and sin."""
    # BLANK pairs
    wide = x.float()
    if layout == "half":
        first, second = wide.chunk(2, dim=-1)  # [b, h, t, d/2] each
    else:
        first, second = wide[..., 0::2], wide[..., 1::2]
    # END
    # BLANK rotation
    new_first = first * cos - second * sin
    new_second = second * cos + first * sin
    # END
    # BLANK join
    if layout == "half":
        rotated = torch.cat([new_first, new_second], dim=-1)
    else:
        rotated = torch.stack([new_first, new_second], dim=-1).flatten(-2)  # a pair stays side by side
    return rotated.to(x.dtype)
    # END
