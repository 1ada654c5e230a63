import math
from itertools import product

import torch
from torch import Tensor


def fit_scaling_law(N: Tensor, D: Tensor, loss: Tensor, alphas: list[float], betas: list[float]) -> tuple[float, ...]:
    """N, D, loss [runs] -> the law (E, A, B, alpha, beta) that comes nearest to the losses."""
    best: tuple[float, ...] = ()
    least = math.inf
    for alpha, beta in product(alphas, betas):
        # BLANK columns
        columns = torch.stack([torch.ones_like(loss), N**-alpha, D**-beta], dim=1)  # [runs, 3]: what E, A and B weigh
        # END
        # BLANK solve
        weights = torch.linalg.lstsq(columns, loss[:, None]).solution[:, 0]  # [3]
        error = (columns @ weights - loss).square().sum().item()
        # END
        # BLANK keep
        if error < least:
            E, A, B = weights.tolist()
            best, least = (E, A, B, alpha, beta), error
        # END
    return best


def compute_optimal(C: float, law: tuple[float, ...]) -> tuple[float, float]:
    """How many parameters and tokens make the best of C floating-point operations."""
    _, A, B, alpha, beta = law
    # BLANK balance
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    # END
    # BLANK split
    pairs = C / 6  # N · D
    return G * pairs ** (beta / (alpha + beta)), pairs ** (alpha / (alpha + beta)) / G
    # END
