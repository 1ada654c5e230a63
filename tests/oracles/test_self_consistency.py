"""Votes beside collections.Counter, over scripted samples whose answers are known without reading them."""

import random
from collections import Counter
from decimal import Decimal

import pytest

SCRIPTS = {
    "a majority": ["18", "26", "18", "18", "14"],
    "the first of equals": ["9", "4", "4", "9", "7"],
    "one number, written differently": ["5", "1000", "1,000", "5", "1,000.00"],
    "negative and decimal": ["-0.5", "0.5", "-0.50", "0.5", "-0.500"],
    "some have none": [None, "3", None, None, "2", "2"],
}


def sample(answer, draw):
    """A chain of thought that ends in this answer, or in none."""
    steps = " ".join(f"{draw.randint(1, 9)} + {draw.randint(1, 9)} is a step." for _ in range(draw.randint(1, 4)))
    return f"{steps}\nThe answer is {answer}." if answer else f"{steps}\nI give up."


@pytest.mark.parametrize("script", SCRIPTS)
def test_solution_and_reference_take_what_a_counter_finds_most_common(kit, script):
    solution, grader = kit("sampling/self_consistency")
    draw, answers = random.Random(0), SCRIPTS[script]
    texts = [sample(answer, draw) for answer in answers]
    given = [float(Decimal(answer.replace(",", ""))) for answer in answers if answer]
    [(expected, _)] = Counter(given).most_common(1)  # of equals the one it met first
    assert solution.self_consistency(texts) == expected
    assert grader.most(texts) == expected


def test_log_probs_that_are_all_equal_are_a_majority_vote(kit):
    solution, grader = kit("sampling/self_consistency")
    draw = random.Random(1)
    for _ in range(50):
        texts = [sample(draw.choice(("1", "2", "3", None)), draw) for _ in range(draw.randint(1, 9))]
        log_probs = [[-0.5] * draw.randint(1, 6) for _ in texts]
        assert solution.self_consistency(texts, log_probs) == solution.self_consistency(texts) == grader.most(texts)
