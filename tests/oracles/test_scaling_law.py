"""models/scaling_law beside scipy: its fit of all five numbers, and a search along the budget."""

import pytest
import torch
from scipy import optimize


def test_as_curve_fit_finds_it(kit):
    solution, grader = kit("models/scaling_law")
    N, D, loss = grader.runs(grader.CHINCHILLA, 24, 0)

    def law(x, E, A, B, alpha, beta):
        return E + A / x[0] ** alpha + B / x[1] ** beta

    start = (1.0, 300.0, 300.0, 0.3, 0.3)
    found, _ = optimize.curve_fit(law, (N.numpy(), D.numpy()), loss.numpy(), start, maxfev=20_000)
    assert solution.fit_scaling_law(N, D, loss, *grader.GRID) == pytest.approx(tuple(found), rel=1e-4)
    assert grader.every_pair(N, D, loss, *grader.GRID) == pytest.approx(grader.CHINCHILLA, rel=1e-6)


@pytest.mark.parametrize("case", ["that of Chinchilla", "a small one", "a law that favours tokens"])
def test_no_other_split_of_the_budget_is_better(kit, case):
    solution, grader = kit("models/scaling_law")
    C, law = grader.BUDGETS[case]
    E, A, B, alpha, beta = law

    def loss(log_n):
        return E + A / 10 ** (alpha * log_n) + B / (C / 6 / 10**log_n) ** beta

    best = optimize.minimize_scalar(loss, bounds=(3, 24), method="bounded", options={"xatol": 1e-10})
    n, d = solution.compute_optimal(C, law)
    assert n == pytest.approx(10**best.x, rel=1e-3)
    assert 6 * n * d == pytest.approx(C)


def test_the_shaken_reference_is_the_solution(kit):
    solution, grader = kit("models/scaling_law")
    N, D, loss = grader.runs(grader.CHINCHILLA, 30, 1e-3)
    torch.testing.assert_close(
        torch.tensor(solution.fit_scaling_law(N, D, loss, *grader.GRID)),
        torch.tensor(grader.every_pair(N, D, loss, *grader.GRID)),
    )
