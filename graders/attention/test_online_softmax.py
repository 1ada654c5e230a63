import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

# The widths of the chunks: never 3, the number of rows.
CHUNKS = {
    "one chunk": [7],
    "several chunks": [4, 6, 5],
    "score by score": [1, 1, 1, 1, 1],
}

TEXTS = {"few chunks": (13, 16), "many chunks": (26, 31)}  # drawn, so that no number of calls is known to be measured

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def draw(total, rows=3, dtype=torch.float32):
    """Scores [rows, total] of about 2, so that a softmax is far from even."""
    return (2 * torch.randn(rows, total)).to(dtype)


def rising(total):
    """Every row has its maximum at the end, but for the last one, which has it at the start."""
    x = draw(total).sort(dim=-1).values
    x[-1] = x[-1].flip(-1)
    return x


def feed(check, x, widths, measured=False):
    """One that has seen x [rows, total], chunk by chunk; each answer is judged, and the last one measured."""
    seen, online = 0, check.new("OnlineSoftmax", rows=x.shape[0])
    for width in widths:
        chunk, seen = x[:, seen : seen + width], seen + width
        last = measured and seen == sum(widths)
        check(online.update, chunk, like=(x[:, :seen],), dtype=torch.float32, measured=last)
    return online


@pytest.mark.parametrize("case", CHUNKS)
def test_update(check, case):
    feed(check, draw(sum(CHUNKS[case])), CHUNKS[case])


def test_a_maximum_that_rises(check):
    feed(check, rising(15), [4, 6, 5])


@pytest.mark.parametrize("shift", [5000.0, -5000.0], ids=["above zero", "below zero"])
def test_scores_in_the_thousands(check, shift):
    x = (draw(15) + shift).round()  # whole numbers, which float32 holds
    online = feed(check, x, [4, 6, 5])
    check(online.probabilities, x[:, 4:10], like=(x, 4, 10))


@pytest.mark.parametrize("first", [0, 4], ids=["at first", "in between"])
def test_a_masked_chunk(check, first):
    x = draw(15)
    x[0, first : first + 6] = -math.inf
    x[1:, first : first + 2] = -math.inf
    online = feed(check, x, [4, 6, 5])
    check(online.probabilities, x[:, :10], like=(x, 0, 10))


def test_a_masked_row(check):
    x = draw(9)
    x[1] = -math.inf
    online = feed(check, x, [4, 5])
    check(online.probabilities, x[:, 4:], like=(x, 4, 9))


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    """So many scores of one size that a sum in half precision stops growing."""
    x = (draw(600) / 4).to(DTYPES[case])
    online = feed(check, x, [400, 200])
    check(online.probabilities, x[:, 400:], like=(x, 400, 600))


def test_probabilities(check):
    x = draw(15)
    online = feed(check, x, [4, 6, 5])
    for first, last in ((0, 4), (4, 10), (14, 15)):
        check(online.probabilities, x[:, first:last], like=(x, first, last))
    more = torch.cat([x, draw(4)], dim=1)
    check(online.update, more[:, 15:], like=(more,), dtype=torch.float32)
    check(online.probabilities, more[:, 8:], like=(more, 8, 19))


def test_non_contiguous_scores(check):
    x = draw(9)
    online = check.new("OnlineSoftmax", rows=3)
    check(online.update, x.T.contiguous().T, like=(x,), dtype=torch.float32)
    check(online.probabilities, x.T.contiguous().T, like=(x, 0, 9))


@pytest.mark.parametrize("order", ["left", "right"])
def test_merge(check, order):
    """Afterwards both go on; of each pair the one or the other has the larger maximum."""
    x, y = draw(9), draw(7)
    x[0] += 6
    y[1] += 6
    mine, theirs = (x, y) if order == "left" else (y, x)
    one, other = feed(check, mine, [mine.shape[1]]), feed(check, theirs, [4, theirs.shape[1] - 4])
    both, more = torch.cat([mine, theirs], dim=1), draw(4)
    check(one.merge, other, like=(both,), dtype=torch.float32)
    check(other.update, more, like=(torch.cat([theirs, more], dim=1),), dtype=torch.float32)
    check(one.update, more, like=(torch.cat([both, more], dim=1),), dtype=torch.float32)


def test_merge_with_an_empty_one(check):
    x = draw(9)
    full, empty, other = feed(check, x, [4, 5]), feed(check, x, []), feed(check, x, [])
    check(full.merge, empty, like=(x,), dtype=torch.float32)
    check(empty.merge, other, like=(x[:, :0],), dtype=torch.float32)
    check(empty.merge, full, like=(x,), dtype=torch.float32)
    more = torch.cat([x, draw(4)], dim=1)
    check(empty.update, more[:, 9:], like=(more,), dtype=torch.float32)
    check(full.merge, other, like=(x,), dtype=torch.float32)  # it has seen no more than before


def test_merge_where_rows_are_masked(check):
    x, y = draw(9), draw(7)
    x[0] = y[1] = -math.inf
    x[2] = y[2] = -math.inf
    one, other = feed(check, x, [9]), feed(check, y, [7])
    check(one.merge, other, like=(torch.cat([x, y], dim=1),), dtype=torch.float32)


@pytest.mark.parametrize("text", TEXTS)
def test_cost_of_a_chunk(check, text):
    """Of the last one; all are equally wide, so that whatever grows is above its bar at the second size."""
    width, chunks = random.randint(24, 36), random.randint(*TEXTS[text])
    x = draw(width * chunks, rows=2)
    online = feed(check, x, [width] * chunks, measured=True)
    check(online.probabilities, x[:, :width], like=(x, 0, width), measured=True)
    both = torch.cat([x, x[:, :width]], dim=1)
    check(feed(check, x[:, :width], [width]).merge, online, like=(both,), dtype=torch.float32, measured=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two of other sizes and dtypes, each merged with a third one."""
    for rows, wide, dtype in (
        (random.randint(65, 90), random.randint(5, 9), torch.float32),
        (random.randint(4, 9), random.randint(257, 400), random.choice([*DTYPES.values()])),
    ):
        widths = [random.randint(1, 4), wide, random.randint(1, 40), wide]
        x, y = draw(sum(widths), rows, dtype), draw(wide, rows, dtype)
        x[torch.rand(x.shape) < 0.3] = -math.inf
        x[: rows // 2, : widths[0] + wide] = -math.inf
        online, other = feed(check, x, widths), feed(check, y, [wide])
        both = torch.cat([x, y], dim=1)
        check(online.merge, other, like=(both,), dtype=torch.float32)
        check(online.probabilities, x[:, -wide:], like=(both, sum(widths) - wide, sum(widths)))


@reference("OnlineSoftmax.update", compute=torch.float32)
def statistics(x):
    """Of all scores at once; 0 stands in for the maximum of a row that has none."""
    m = torch.cat([x, x.new_full((x.shape[0], 1), -math.inf)], dim=1).amax(dim=1)
    return m, torch.exp(x - torch.where(m.isinf(), 0.0, m)[:, None]).sum(dim=1)


@reference("OnlineSoftmax.merge", compute=torch.float32)
def statistics_of_both(x):
    return statistics(x)


@reference("OnlineSoftmax.probabilities", compute=torch.float32)
def softmax_of_all(x, first, last):
    masked = x.isinf().all(dim=1, keepdim=True)
    return torch.where(masked, 0.0, torch.softmax(torch.where(masked, 0.0, x), dim=1))[:, first:last]


@mistake(blank="start")
def starts_at_zero(self, rows):
    self.m = torch.zeros(rows)
    self.d = torch.zeros(rows)


@mistake(blank="start")
def starts_at_the_lowest_number(self, rows):
    self.m = torch.full((rows,), torch.finfo(torch.float32).min)
    self.d = torch.zeros(rows)


@mistake(blank="start")
def starts_with_one(self, rows):
    self.m = torch.zeros(rows)
    self.d = torch.ones(rows)


@mistake("OnlineSoftmax.update")
def overflows(self, x):
    return self.combine(x.float().amax(dim=-1), x.float().exp().sum(dim=-1) * torch.exp(-x.float().amax(dim=-1)))


@mistake(blank="chunk")
def one_maximum_for_all_rows(x, weigh):
    x = x.float()
    m = x.amax().expand(x.shape[0])
    d = weigh(x, m[:, None]).sum(dim=-1)


@mistake(blank="chunk")
def sum_of_all_rows(x, weigh):
    x = x.float()
    m = x.amax(dim=-1)
    d = weigh(x, m[:, None]).sum().expand(x.shape[0])


@mistake(blank="chunk", rounding=True)
def sums_in_half(x, weigh):
    m = x.amax(dim=-1)
    d = weigh(x, m[:, None]).sum(dim=-1).float()
    m = m.float()


@mistake(blank="combine")
def forgets_to_rescale(self, m, d, weigh):
    self.m = torch.maximum(self.m, m)
    self.d = self.d + d * weigh(m, self.m)
    return self.m, self.d


@mistake(blank="combine")
def forgets_to_rescale_the_new(self, m, d, weigh):
    old, self.m = self.m, torch.maximum(self.m, m)
    self.d = self.d * weigh(old, self.m) + d
    return self.m, self.d


@mistake(blank="combine")
def rescales_the_wrong_way(self, m, d, weigh):
    old, self.m = self.m, torch.maximum(self.m, m)
    self.d = self.d * weigh(self.m, old) + d * weigh(self.m, m)
    return self.m, self.d


@mistake(blank="combine")
def maximum_of_the_last_chunk(self, m, d, weigh):
    self.d = self.d * weigh(self.m, m) + d
    self.m = m
    return self.m, self.d


@mistake(blank="combine")
def last_chunk_only(self, m, d, weigh):
    self.m = torch.maximum(self.m, m)
    self.d = d * weigh(m, self.m)
    return self.m, self.d


@mistake(blank="combine")
def rescales_everything(self, m, d, weigh):
    old, self.m = self.m, torch.maximum(self.m, m)
    self.d = (self.d + d) * weigh(old, self.m)
    return self.m, self.d


@mistake(blank="weigh")
def masked_gives_nan(x, m):
    return torch.exp(x - m)


@mistake(blank="combine")
def changes_what_it_returned(self, m, d, weigh):
    old = self.m.clone()
    self.m.copy_(torch.maximum(self.m, m))
    self.d.mul_(weigh(old, self.m)).add_(d * weigh(m, self.m))
    return self.m, self.d


@mistake("OnlineSoftmax.merge")
def merge_changes_the_other(self, other):
    other.m, other.d = self.combine(other.m, other.d)
    return other.m, other.d


@mistake("OnlineSoftmax.merge")
def merge_adds(self, other):
    self.m = torch.maximum(self.m, other.m)
    self.d = self.d + other.d
    return self.m, self.d


@mistake("OnlineSoftmax.update")
def keeps_all_scores(self, x):
    self.seen = torch.cat([getattr(self, "seen", x[:, :0]), x], dim=-1)
    scores = self.seen.float()
    self.m = scores.amax(dim=-1)
    safe = self.m.masked_fill(self.m == -math.inf, 0.0)
    self.d = torch.exp(scores - safe[:, None]).sum(dim=-1)
    return self.m, self.d


@mistake(blank="normalise")
def softmax_of_the_chunk(x, weigh):
    weights = weigh(x.float(), x.float().amax(dim=-1, keepdim=True))
    return (weights / weights.sum(dim=-1, keepdim=True).clamp(min=1)).to(x.dtype)


@mistake(blank="normalise")
def forgets_the_sum(self, x, weigh):
    return weigh(x.float(), self.m[:, None]).to(x.dtype)


@mistake(blank="normalise")
def zero_by_zero(self, x, weigh):
    return (weigh(x.float(), self.m[:, None]) / self.d[:, None]).to(x.dtype)


@mistake(blank="normalise")
def probabilities_stay_float32(self, x, weigh):
    return weigh(x.float(), self.m[:, None]) / self.d.clamp(min=1)[:, None]
