import math
import random
from itertools import product

import pytest
import torch

from clozekit.grading import mistake, reference

CHINCHILLA = (1.69, 406.4, 410.7, 0.34, 0.28)
GRID = [0.26, 0.30, 0.34, 0.38], [0.20, 0.24, 0.28]

# The law, runs, noise, and the exponents to try. They are 0.04 apart: beside the best two the next ones err much more than
# any noise here, so that no rounding decides.
CASES = {
    "the law of Chinchilla": (CHINCHILLA, 24, 0, *GRID),
    "losses with noise": (CHINCHILLA, 24, 1e-3, *GRID),
    "few runs": (CHINCHILLA, 5, 0, *GRID),
    "the first exponents are the best": ((2.1, 300.0, 900.0, 0.26, 0.20), 20, 0, *GRID),
    "the last exponents are the best": ((1.2, 900.0, 300.0, 0.38, 0.28), 20, 1e-3, *GRID),
    "equal exponents": ((1.5, 500.0, 700.0, 0.30, 0.30), 20, 0, [0.30, 0.34], [0.26, 0.30]),
    "one pair to try": ((1.8, 450.0, 350.0, 0.33, 0.27), 20, 1e-3, [0.33], [0.27]),
    "exponents in no order": ((1.9, 350.0, 800.0, 0.30, 0.24), 20, 0, [0.38, 0.30, 0.26], [0.24, 0.32, 0.20]),
    "a negative number": ((2.4, -60.0, 800.0, 0.30, 0.24), 20, 0, *GRID),
}

# How far each of ten losses lies off the law. The sum of squares is least for 0.26 and 0.28; that of absolute errors, the
# largest error and relative errors are least for other pairs, each by 9 % or more.
OFF = [-0.08, -0.05, 0.01, 0.06, -0.01, -0.05, -0.02, -0.01, -0.04, -0.02]

# Operations, and the law.
BUDGETS = {
    "that of Chinchilla": (5.76e23, CHINCHILLA),
    "a small one": (6e15, CHINCHILLA),
    "equal exponents": (1e21, (1.5, 500.0, 700.0, 0.30, 0.30)),
    "a law that favours tokens": (3e20, (1.9, 350.0, 9000.0, 0.51, 0.22)),
    "a law that favours parameters": (3e20, (1.9, 7000.0, 310.0, 0.23, 0.49)),
}


def runs(law, count, noise):
    """N and D of that many runs, and their losses."""
    E, A, B, alpha, beta = law
    N = 10 ** torch.linspace(7, 10, count, dtype=torch.float64)
    D = 10 ** (9 + 2 * torch.rand(count, dtype=torch.float64))
    loss = E + A / N**alpha + B / D**beta
    return N, D, loss + noise * torch.randn(count, dtype=torch.float64)


def fit(check, law, count, noise, alphas, betas):
    check("fit_scaling_law", *runs(law, count, noise), alphas, betas, dtype=None)


@pytest.mark.parametrize("case", CASES)
def test_fit(check, case):
    fit(check, *CASES[case])


def test_fit_where_other_measures_choose_another_pair(check):
    E, A, B, alpha, beta = CHINCHILLA
    N = 10 ** torch.linspace(7, 10, 10, dtype=torch.float64)
    D = 10 ** (9 + torch.arange(10, dtype=torch.float64) * 0.7 % 2)
    loss = E + A / N**alpha + B / D**beta + torch.tensor(OFF, dtype=torch.float64)
    check("fit_scaling_law", N, D, loss, *GRID, dtype=None)


def test_fit_to_every_other_run(check):
    """Views with gaps between their elements."""
    check("fit_scaling_law", *(x[::2] for x in runs(CHINCHILLA, 40, 1e-3)), *GRID, dtype=None)


@pytest.mark.parametrize("case", BUDGETS)
def test_the_best_of_a_budget(check, case):
    check("compute_optimal", *BUDGETS[case])


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One law after the other."""
    for _ in range(3):
        first, other = random.uniform(0.22, 0.3), random.uniform(0.22, 0.3)
        alphas, betas = ([start + 0.05 * i for i in range(random.randint(2, 4))] for start in (first, other))
        A, B = 10 ** random.uniform(2.3, 2.9), 10 ** random.uniform(2.3, 2.9)
        law = (random.uniform(1, 2.5), A, B, random.choice(alphas), random.choice(betas))
        random.shuffle(alphas)
        random.shuffle(betas)
        fit(check, law, random.randint(30, 70), 1e-4, alphas, betas)
        check("compute_optimal", 10 ** random.uniform(18, 26), law)


@reference("fit_scaling_law", compute=torch.float32)
def every_pair(N, D, loss, alphas, betas):
    fits = []
    for alpha, beta in product(alphas, betas):
        columns = torch.stack([torch.ones_like(N), N ** (-alpha), D ** (-beta)], dim=1)
        scale = columns.norm(dim=0)
        q, r = torch.linalg.qr(columns / scale)
        weights = torch.linalg.solve_triangular(r, q.T @ loss[:, None], upper=True)[:, 0] / scale
        fits.append(((loss - columns @ weights).square().sum().item(), weights, alpha, beta))
    _, weights, alpha, beta = min(fits, key=lambda found: found[0])
    return *(weight.item() for weight in weights), alpha, beta


@reference("compute_optimal")
def best_of_a_budget(C, law):
    _, A, B, alpha, beta = (torch.tensor(number) for number in law)
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    a, b = beta / (alpha + beta), alpha / (alpha + beta)
    return (G * (C / 6) ** a).item(), ((C / 6) ** b / G).item()


@mistake("fit_scaling_law")
def forgets_the_floor(N, D, loss, alphas, betas):
    best, least = None, math.inf
    for alpha, beta in product(alphas, betas):
        columns = torch.stack([N**-alpha, D**-beta], dim=1)
        weights = torch.linalg.lstsq(columns, loss[:, None]).solution[:, 0]
        error = (columns @ weights - loss).square().sum().item()
        if error < least:
            best, least = (0.0, *weights.tolist(), alpha, beta), error
    return best


@mistake(blank="columns")
def positive_powers(N, D, loss, alpha, beta):
    columns = torch.stack([torch.ones_like(loss), N**alpha, D**beta], dim=1)


@mistake(blank="columns")
def exchanges_the_exponents(N, D, loss, alpha, beta):
    columns = torch.stack([torch.ones_like(loss), N**-beta, D**-alpha], dim=1)


@mistake(blank="columns")
def one_exponent_for_both(N, D, loss, alpha):
    columns = torch.stack([torch.ones_like(loss), N**-alpha, D**-alpha], dim=1)


@mistake(blank="columns")
def logarithms_for_powers(N, D, loss, alpha, beta):
    columns = torch.stack([torch.ones_like(loss), -alpha * N.log(), -beta * D.log()], dim=1)


@mistake(blank="solve")
def relative_errors(columns, loss):
    weights = torch.linalg.lstsq(columns / loss[:, None], torch.ones_like(loss)[:, None]).solution[:, 0]
    error = (columns @ weights / loss - 1).square().sum().item()


@mistake(blank="solve")
def the_pair_by_relative_errors(columns, loss):
    weights = torch.linalg.lstsq(columns, loss[:, None]).solution[:, 0]
    error = (columns @ weights / loss - 1).square().sum().item()


@mistake(blank="solve")
def positive_numbers_alone(columns, loss):
    weights = torch.linalg.lstsq(columns, loss[:, None]).solution[:, 0].clamp(min=0)
    error = (columns @ weights - loss).square().sum().item()


@mistake("fit_scaling_law")
def exponents_side_by_side(N, D, loss, alphas, betas):
    best, least = None, math.inf
    for alpha, beta in zip(alphas, betas, strict=False):
        columns = torch.stack([torch.ones_like(loss), N**-alpha, D**-beta], dim=1)
        weights = torch.linalg.lstsq(columns, loss[:, None]).solution[:, 0]
        error = (columns @ weights - loss).square().sum().item()
        if error < least:
            best, least = (*weights.tolist(), alpha, beta), error
    return best


@mistake(blank="solve")
def errors_cancel(columns, loss):
    weights = torch.linalg.lstsq(columns, loss[:, None]).solution[:, 0]
    error = (columns @ weights - loss).sum().item()


@mistake(blank="keep")
def keeps_the_last(weights, alpha, beta, error):
    E, A, B = weights.tolist()
    best, least = (E, A, B, alpha, beta), error


@mistake(blank="keep")
def keeps_the_first(best, weights, alpha, beta, error, least):
    if least == math.inf:
        E, A, B = weights.tolist()
        best, least = (E, A, B, alpha, beta), error


@mistake(blank="keep")
def returns_them_exchanged(weights, alpha, beta, error, least):
    if error < least:
        E, A, B = weights.tolist()
        best, least = (E, B, A, alpha, beta), error


@mistake(blank="balance")
def forgets_the_exponents(A, B, alpha, beta):
    G = (A / B) ** (1 / (alpha + beta))


@mistake(blank="balance")
def forgets_the_root(A, B, alpha, beta):
    G = alpha * A / (beta * B)


@mistake(blank="balance")
def balance_upside_down(A, B, alpha, beta):
    G = (beta * B / (alpha * A)) ** (1 / (alpha + beta))


@mistake(blank="split")
def exchanges_the_powers(G, C, alpha, beta):
    pairs = C / 6
    return G * pairs ** (alpha / (alpha + beta)), pairs ** (beta / (alpha + beta)) / G


@mistake(blank="split")
def half_to_each(G, C):
    return G * (C / 6) ** 0.5, (C / 6) ** 0.5 / G


@mistake(blank="split")
def one_operation_for_six(G, C, alpha, beta):
    return G * C ** (beta / (alpha + beta)), C ** (alpha / (alpha + beta)) / G


@mistake(blank="split")
def forward_operations_alone(G, C, alpha, beta):
    return G * (C / 2) ** (beta / (alpha + beta)), (C / 2) ** (alpha / (alpha + beta)) / G


@mistake(blank="split")
def beyond_the_budget(G, C, alpha, beta):
    return G * (C / 6) ** (beta / (alpha + beta)), (C / 6) ** (alpha / (alpha + beta)) * G


@mistake("compute_optimal")
def twenty_tokens_for_each(C, law):
    size = (C / 120) ** 0.5
    return size, 20 * size
