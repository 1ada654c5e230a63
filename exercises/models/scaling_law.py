"""Scaling law: fit it, then spend the budget

The loss of a model with N parameters that has read D tokens follows

    L(N, D) = E + A / N^α + B / D^β

where E is what no model can predict. fit_scaling_law finds the five numbers from a few
small runs. α is one of `alphas`, β one of `betas`, in any pair. For a given pair the law is
linear in E, A and B, so that least squares finds them: the three for which

    Σ (E + A / N_i^α + B / D_i^β - loss_i)²

is least, negative ones included. Of all pairs take the one whose sum is the least.

compute_optimal splits a budget of C = 6 N D operations so that L is least:

    N = G (C / 6)^(β / (α + β))
    D = (C / 6)^(α / (α + β)) / G        with G = (α A / (β B))^(1 / (α + β))

N, D, loss      float64 [runs], at least 4 runs; N and D up to 10^12; not to be changed
alphas, betas   lists of floats above 0, at most 1, in any order, of any length from 1
law             the tuple (E, A, B, alpha, beta) of floats that fit_scaling_law returns
C               float
result          of compute_optimal: (N, D), two floats, not rounded to whole numbers

Solve in float64; for the result the precision of float32 is enough. torch.linalg and NumPy
may solve. (The paper searches all five numbers by descent, with a Huber loss of logarithms;
a grid needs no luck.)

Source: Hoffmann et al. 2022, Training Compute-Optimal Large Language Models, arXiv:2203.15556, eq. 2 and eq. 4
"""

import math
from itertools import product

import torch
from torch import Tensor


def fit_scaling_law(N: Tensor, D: Tensor, loss: Tensor, alphas: list[float], betas: list[float]) -> tuple[float, ...]:
    """N, D, loss [runs] -> the law (E, A, B, alpha, beta) that comes nearest to the losses."""
    best: tuple[float, ...] = ()
    least = math.inf
    for alpha, beta in product(alphas, betas):
        # TODO (1 line): `columns`, [runs, 3]: by what E, A and B are multiplied in each run
        raise NotImplementedError("columns")
        # TODO (2 lines): `weights`, [3], the least squares solution, and `error`, its sum of squares as a float
        raise NotImplementedError("solve")
        # TODO (3 lines): remember in `best` and `least` the law and the error of the best pair so far
        raise NotImplementedError("keep")
    return best


def compute_optimal(C: float, law: tuple[float, ...]) -> tuple[float, float]:
    """How many parameters and tokens make the best of C floating-point operations."""
    _, A, B, alpha, beta = law
    # TODO (1 line): `G`, how the budget leans towards parameters
    raise NotImplementedError("balance")
    # TODO (2 lines): return how many parameters and how many tokens
    raise NotImplementedError("split")
