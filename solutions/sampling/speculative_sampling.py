import torch
from torch import Tensor


def verify_draft(p: Tensor, q: Tensor, draft: Tensor, uniforms: Tensor) -> tuple[int, Tensor]:
    """p [gamma + 1, vocab], q [gamma, vocab], draft, uniforms [gamma] -> how many stay, probabilities of the next."""
    # BLANK ratio
    places = torch.arange(len(draft))
    ratio = p[places, draft] / q[places, draft]  # [gamma]
    # END
    # BLANK accept
    accepted = int((uniforms < ratio).cumprod(dim=0).sum())  # a product of 0 and 1 stays 0 after the first 0
    # END
    # BLANK bonus
    if accepted == len(draft):
        return accepted, p[-1]
    # END
    # BLANK residual
    residual = (p[accepted] - q[accepted]).clamp(min=0)  # what q proposes too seldom
    return accepted, residual / residual.sum()
    # END
