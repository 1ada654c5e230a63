import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

# buckets, largest distance, whether keys may be later
BUCKETS = {
    "both sides": (32, 100, True),
    "one side": (32, 128, False),
    "few buckets": (8, 19, True),
    "few buckets, one side": (8, 21, False),
    "four buckets": (4, 7, True),
    "a number that is no power of two": (24, 100, True),
}

# queries, keys, buckets, heads, largest distance, whether keys may be later
SHAPES = {
    "an encoder": (6, 6, 8, 3, 7, True),
    "a decoder": (6, 6, 8, 3, 7, False),
    "one token after a cache": (1, 9, 8, 2, 7, False),
    "three tokens after a cache": (3, 12, 12, 2, 11, False),
    "one token": (1, 1, 8, 2, 7, True),
    "one head": (4, 4, 8, 1, 7, True),
    "longer than any distance": (40, 40, 32, 2, 29, True),
}


def borders(num_buckets, max_distance, bidirectional):
    """The distances at which a further bucket begins, those of their own aside."""
    side = num_buckets // 2 if bidirectional else num_buckets
    exact = side // 2
    return [exact * (max_distance / exact) ** (j / (side - exact)) for j in range(1, side - exact)]


def is_clear(*options):
    """Whether no whole distance is a border, where one rounding would decide."""
    return all(abs(border - round(border)) > 1e-4 * border for border in borders(*options))


def draw_options(bidirectional):
    while True:
        num_buckets, max_distance = 4 * random.randint(2, 12), random.randint(50, 400)
        if is_clear(num_buckets, max_distance, bidirectional):
            return num_buckets, max_distance, bidirectional


@pytest.mark.parametrize("k", [1, 3, 16])
def test_shaw(check, k):
    check("shaw_index", torch.arange(-2 * k, 2 * k + 1)[torch.randperm(4 * k + 1)], k)


@pytest.mark.parametrize("case", BUCKETS)
def test_bucket(check, case):
    _, max_distance, _ = BUCKETS[case]
    check("t5_bucket", torch.arange(-2 * max_distance, 2 * max_distance + 1), *BUCKETS[case])


def test_bucket_by_default(check):
    """Of 16, 32 and 64 one rounding would decide."""
    far = [n for n in range(200) if n not in (16, 32, 64)]
    check("t5_bucket", torch.tensor([far, [-n for n in far]]))


@pytest.mark.parametrize("case", SHAPES)
def test_bias(check, case):
    t_q, t_k, num_buckets, h, *options = SHAPES[case]
    check("t5_bias", torch.randn(num_buckets, h), t_q, t_k, *options)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision(check, dtype):
    check("t5_bias", torch.randn(8, 3).to(dtype), 5, 5, 7, True)


def test_gradients(check):
    check("t5_bias", torch.randn(8, 3), 5, 7, 7, True, gradients=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next."""
    k = random.randint(20, 50)
    check("shaw_index", torch.randint(-3 * k, 3 * k, (random.randint(2, 5), random.randint(30, 60))), k)
    for side in random.sample([True, False], 2):
        options = draw_options(side)
        check("t5_bucket", torch.randint(-500, 500, (random.randint(60, 90), random.randint(6, 9))), *options)
        num_buckets, *rest = options
        t_q, t_k = random.randint(7, 20), random.randint(60, 90)
        check("t5_bias", torch.randn(num_buckets, random.randint(5, 9)), t_q, t_k, *rest)
        check("t5_bias", torch.randn(num_buckets, random.randint(2, 4)), t_q + 1, t_k - 1, *rest)
        check("t5_bias", torch.randn(num_buckets, 2), 3, random.randint(30, 40), *rest, gradients=True)


@reference("shaw_index")
def shaw(relative, k):
    return torch.minimum(torch.maximum(relative + k, torch.tensor(0)), torch.tensor(2 * k))


@reference("t5_bucket")
def bucket(relative, num_buckets=32, max_distance=128, bidirectional=True):
    """A distance is in the bucket of the last border that it has reached."""
    side = num_buckets // 2 if bidirectional else num_buckets
    exact = side // 2
    further = exact * torch.tensor(max_distance / exact) ** (torch.arange(1, side - exact) / (side - exact))
    begins = torch.cat([torch.arange(1.0, exact + 1), further])  # of every bucket but the first
    behind = (-relative[..., None] >= begins).sum(-1)
    ahead = (relative[..., None] >= begins).sum(-1)
    return torch.where(relative > 0, side + ahead, behind) if bidirectional else behind


@reference("t5_bias")
def bias(table, t_q, t_k, max_distance=128, bidirectional=True):
    relative = torch.arange(t_k).expand(t_q, t_k) - torch.arange(t_k - t_q, t_k).expand(t_k, t_q).T
    chosen = bucket(relative, table.shape[0], max_distance, bidirectional)
    return torch.stack([column[chosen] for column in table.T])


@mistake(blank="clip")
def shaw_without_shift(relative, k):
    return relative.clamp(-k, k)


@mistake(blank="clip")
def shaw_without_clipping(relative, k):
    return relative + k


@mistake(blank="clip")
def shaw_wraps_around(relative, k):
    return (relative + k) % (2 * k + 1)


@mistake(blank="sides")
def halves_exchanged(relative, num_buckets, bidirectional):
    if bidirectional:
        num_buckets //= 2
        first = num_buckets * (relative < 0)
        distance = relative.abs()
    else:
        first = 0
        distance = -relative.clamp(max=0)


@mistake(blank="sides")
def zero_is_later(relative, num_buckets, bidirectional):
    if bidirectional:
        num_buckets //= 2
        first = num_buckets * (relative >= 0)
        distance = relative.abs()
    else:
        first = 0
        distance = -relative.clamp(max=0)


@mistake(blank="sides")
def both_sides_alike(relative, num_buckets, bidirectional):
    if bidirectional:
        num_buckets //= 2
    first = 0
    distance = relative.abs() if bidirectional else -relative.clamp(max=0)


@mistake(blank="sides")
def buckets_not_halved(relative, num_buckets, bidirectional):
    if bidirectional:
        first = num_buckets // 2 * (relative > 0)
        distance = relative.abs()
    else:
        first = 0
        distance = -relative.clamp(max=0)


@mistake(blank="sides")
def later_keys_by_distance(relative, num_buckets, bidirectional):
    first = 0
    distance = relative.abs()
    if bidirectional:
        num_buckets //= 2
        first = num_buckets * (relative > 0)


@mistake(blank="sides")
def always_bidirectional(relative, num_buckets, bidirectional):
    num_buckets //= 2
    first = num_buckets * (relative > 0)
    distance = relative.abs()


@mistake(blank="far")
def log_of_the_largest_distance(distance, num_buckets, max_distance):
    exact = num_buckets // 2
    growth = torch.log(distance.clamp(min=exact) / exact) / math.log(max_distance)
    far = exact + (growth * (num_buckets - exact)).long()


@mistake(blank="far")
def log_of_the_distance(distance, num_buckets, max_distance):
    exact = num_buckets // 2
    growth = torch.log(distance.clamp(min=exact).float()) / math.log(max_distance)
    far = exact + (growth * (num_buckets - exact)).long()


@mistake(blank="far")
def grows_linearly(distance, num_buckets, max_distance):
    exact = num_buckets // 2
    growth = (distance - exact) / (max_distance - exact)
    far = exact + (growth * (num_buckets - exact)).long()


@mistake(blank="far")
def rounds_to_nearest(distance, num_buckets, max_distance):
    exact = num_buckets // 2
    growth = torch.log(distance.clamp(min=exact) / exact) / math.log(max_distance / exact)
    far = exact + (growth * (num_buckets - exact)).round().long()


@mistake(blank="far")
def far_buckets_from_zero(distance, num_buckets, max_distance):
    exact = num_buckets // 2
    growth = torch.log(distance.clamp(min=exact) / exact) / math.log(max_distance / exact)
    far = (growth * (num_buckets - exact)).long()


@mistake(blank="choose")
def no_last_bucket(first, distance, exact, far):
    return first + torch.where(distance < exact, distance, far)


@mistake(blank="choose")
def clips_without_logarithm(first, distance, num_buckets):
    return first + distance.clamp(max=num_buckets - 1)


@mistake(blank="choose")
def logarithm_for_all(first, far, num_buckets):
    return first + far.clamp(max=num_buckets - 1)


@mistake(blank="relative")
def query_minus_key(table, t_q, t_k):
    key = torch.arange(t_k, device=table.device)
    relative = key[t_k - t_q :, None] - key


@mistake(blank="relative")
def queries_from_zero(table, t_q, t_k):
    key = torch.arange(t_k, device=table.device)
    relative = key - key[:t_q, None]


@mistake(blank="look_up")
def heads_last(table, relative, max_distance, bidirectional):
    return table[t5_bucket(relative, len(table), max_distance, bidirectional)]  # noqa: F821


@mistake(blank="look_up")
def reshapes_heads(table, relative, max_distance, bidirectional):
    buckets = t5_bucket(relative, len(table), max_distance, bidirectional)  # noqa: F821
    return table[buckets].reshape(-1, *relative.shape)


@mistake(blank="look_up")
def always_32_buckets(table, relative, max_distance, bidirectional):
    buckets = t5_bucket(relative, 32, max_distance, bidirectional)  # noqa: F821
    return table[buckets.clamp(max=len(table) - 1)].permute(2, 0, 1)
