"""Solves for three runs exactly and never looks at the others but to choose the pair.

Verdict: failed, value
"""

import torch


def fit_scaling_law(N, D, loss, alphas, betas):
    found = []
    for a in alphas:
        for b in betas:
            X = torch.stack([torch.ones_like(N), N**-a, D**-b], 1)
            w = torch.linalg.solve(X[:3], loss[:3])
            found.append(((X @ w - loss).square().sum().item(), (*w.tolist(), a, b)))
    return min(found)[1]


def compute_optimal(C, law):
    _, A, B, alpha, beta = law
    n = (alpha * A / beta / B) ** (1 / (alpha + beta)) * (C / 6) ** (beta / (alpha + beta))
    return n, C / (6 * n)
