"""Normal equations, all pairs at once as a batch; tokens from what parameters leave of the budget."""

import torch


def fit_scaling_law(N, D, loss, alphas, betas):
    grid = torch.cartesian_prod(torch.tensor(alphas).double(), torch.tensor(betas).double()).reshape(-1, 2)
    ones = torch.ones(len(grid), len(loss), dtype=torch.float64)
    X = torch.stack([ones, N[None] ** -grid[:, :1], D[None] ** -grid[:, 1:]], -1)  # [pairs, runs, 3]
    gram, right = X.mT @ X, X.mT @ loss[None, :, None]
    w = torch.linalg.solve(gram, right)
    errors = ((X @ w).squeeze(-1) - loss).pow(2).sum(-1)
    i = int(errors.argmin())
    pairs = [(a, b) for a in alphas for b in betas]
    return (*w[i].flatten().tolist(), *pairs[i])


def compute_optimal(C, law):
    _, A, B, alpha, beta = law
    total = alpha + beta
    n = (alpha * A / beta / B) ** (1 / total) * (C / 6) ** (beta / total)
    return n, C / (6 * n)
