import random

import pytest
import torch

from clozekit.grading import mistake, reference

HEADS = {
    "eight heads": 8,
    "sixteen heads": 16,
    "one head": 1,
    "two heads": 2,
    "three heads": 3,
    "twelve heads": 12,
    "one head less than a power of two": 31,
    "one head more than a power of two": 17,
}

# heads, queries, keys
SHAPES = {
    "a text": (8, 5, 5),
    "one token": (4, 1, 1),
    "one token after a cache": (4, 1, 7),
    "three tokens after a cache": (4, 3, 8),
    "twelve heads": (12, 4, 6),
    "far back": (2, 2, 2000),
}


@pytest.mark.parametrize("case", HEADS)
def test_slopes(check, case):
    check("alibi_slopes", HEADS[case], dtype=torch.float32)


@pytest.mark.parametrize("case", SHAPES)
def test_bias(check, case):
    check("alibi_bias", *SHAPES[case], dtype=torch.float32)


def test_no_loop_over_the_positions(check):
    h, before = random.randint(2, 9), random.randint(1, 6)  # of no call that could be known by its sizes
    small, large = random.randint(3, 6), random.randint(60, 90)
    check.steps_do_not_grow("alibi_bias", (h, small, small + before), (h, large, large + before))


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other with one of its numbers changed, so that what is kept is wrong for the next."""
    h, t_q, t_k = random.randint(17, 30), random.randint(3, 9), random.randint(10, 40)
    for call in (h, t_q, t_k), (h + 1, t_q, t_k), (h, t_q, t_k + 1), (h, t_q + 1, t_k), (h, t_q, t_k - 1):
        check("alibi_bias", *call, dtype=torch.float32)
    check("alibi_bias", random.randint(1, 3), 1, random.randint(4097, 5000), dtype=torch.float32)
    for h in random.sample(range(33, 130), 3):
        check("alibi_slopes", h, dtype=torch.float32)


@reference("alibi_slopes")
def slopes_of(h):
    """A geometric sequence whose start is its ratio; between its members those of one twice as dense."""
    n = 1
    while 2 * n <= h:
        n *= 2
    start = torch.tensor(2.0) ** (-8 / n)
    dense = torch.sqrt(start) ** torch.arange(1, 2 * n + 1)
    return torch.cat([start ** torch.arange(1, n + 1), dense[0::2][: h - n]])


@reference("alibi_bias")
def definition(h, t_q, t_k):
    """Row by row: the query behind `past` others sees a ramp that rises to 0 at its own token."""
    slopes = slopes_of(h)[:, None]
    rows = []
    for past in range(t_k - t_q, t_k):
        ramp = torch.arange(-past, 1, dtype=torch.float64)
        rows.append(torch.cat([slopes * ramp, torch.full((h, t_k - past - 1), -torch.inf)], dim=1))
    return torch.stack(rows, dim=1)


@mistake(blank="slopes")
def first_slope_is_one(n):
    slopes = 2.0 ** (-8 * torch.arange(n) / n)


@mistake(blank="slopes")
def always_halves(n):
    slopes = 2.0 ** (-torch.arange(1, n + 1))


@mistake(blank="slopes")
def divides_by_the_head(n):
    slopes = 2.0 ** (-8 / torch.arange(1, n + 1))


@mistake(blank="slopes")
def natural_exponential(n):
    slopes = torch.exp(-8 * torch.arange(1, n + 1) / n)


@mistake(blank="slopes")
def slopes_rise(n):
    slopes = 2.0 ** (-8 * torch.arange(n, 0, -1) / n)


@mistake("alibi_slopes")
def one_sequence_for_any_number(h):
    return 2.0 ** (-8 * torch.arange(1, h + 1) / h)


@mistake("alibi_slopes")
def the_next_power_of_two(h):
    n = 2 ** (h - 1).bit_length()
    return 2.0 ** (-8 * torch.arange(1, h + 1) / n)


@mistake(blank="rest")
def rest_repeats_the_slopes(h, n, slopes):
    even = torch.arange(2, 2 * (h - n) + 1, 2)
    return torch.cat([slopes, 2.0 ** (-8 * even / (2 * n))])


@mistake(blank="rest")
def rest_without_gaps(h, n, slopes):
    return torch.cat([slopes, 2.0 ** (-8 * torch.arange(1, h - n + 1) / (2 * n))])


@mistake(blank="rest")
def goes_on_with_the_sequence(h, n):
    return 2.0 ** (-8 * torch.arange(1, h + 1) / n)


@mistake(blank="rest")
def sorts_the_slopes(h, n, slopes):
    odd = torch.arange(1, 2 * (h - n) + 1, 2)
    return torch.cat([slopes, 2.0 ** (-8 * odd / (2 * n))]).sort(descending=True).values


@mistake(blank="rest")
def forgets_the_rest(slopes):
    return slopes


@mistake(blank="distance")
def queries_from_zero(t_q, t_k):
    distance = torch.arange(t_q)[:, None] - torch.arange(t_k)


@mistake(blank="distance")
def one_too_far(t_q, t_k):
    distance = torch.arange(t_k - t_q, t_k)[:, None] - torch.arange(t_k) + 1


@mistake(blank="distance")
def keys_in_rows(t_q, t_k):
    distance = (torch.arange(t_k - t_q, t_k)[:, None] - torch.arange(t_k)).T


@mistake(blank="bias")
def rewards_distance(slopes, distance):
    return (slopes * distance).masked_fill(distance < 0, -torch.inf)


@mistake(blank="bias")
def sees_the_future(slopes, distance):
    return -slopes * distance


@mistake(blank="bias")
def same_on_both_sides(slopes, distance):
    return -slopes * distance.abs()


@mistake(blank="bias")
def hides_its_own_token(slopes, distance):
    return (-slopes * distance).masked_fill(distance <= 0, -torch.inf)


@mistake(blank="bias")
def zero_times_infinity(slopes, distance):
    return -slopes * distance + (distance < 0) * -torch.inf


@mistake(blank="bias")
def position_of_the_key(slopes, distance, t_k):
    return (slopes * torch.arange(t_k)).masked_fill(distance < 0, -torch.inf)


@mistake(blank="bias")
def distance_to_the_last_token(slopes, distance, t_k):
    return (-slopes * torch.arange(t_k - 1, -1, -1)).masked_fill(distance < 0, -torch.inf)


@mistake(blank="bias")
def heads_in_rows(h, distance):
    bias = -alibi_slopes(h) * distance[..., None]  # noqa: F821
    return bias.masked_fill(distance[..., None] < 0, -torch.inf)


@mistake("alibi_bias")
def loops_over_the_positions(h, t_q, t_k):
    bias = torch.full((h, t_q, t_k), -torch.inf)
    for query in range(t_q):
        past = t_k - t_q + query
        bias[:, query, : past + 1] = alibi_slopes(h)[:, None] * torch.arange(-past, 1)  # noqa: F821
    return bias
