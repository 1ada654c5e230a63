import math
import random

import pytest
import torch
import torch.nn.functional as F

from clozekit.grading import mistake, reference

# tokens in the cache, budget, sinks, recent
EVICTIONS = {
    "sinks, a heavy one and recent ones": (9, 5, 2, 2),
    "sinks and recent ones: StreamingLLM": (9, 5, 2, 3),
    "heavy ones and recent ones: H2O": (9, 6, 0, 3),
    "heavy ones alone": (8, 3, 0, 0),
    "sinks and heavy ones": (8, 5, 2, 0),
    "one that stays": (6, 1, 0, 0),
    "many have to go": (40, 7, 1, 2),
    "as many as there is room for": (6, 6, 1, 2),
    "room to spare": (4, 6, 3, 2),
    "less than what is safe": (3, 6, 4, 2),
}

# budget, sinks, recent
POLICIES = {
    "sinks, heavy and recent tokens": (4, 1, 1),
    "StreamingLLM": (4, 1, 3),
    "H2O": (4, 0, 2),
    "heavy tokens alone": (3, 0, 0),
    "a budget of one": (1, 0, 1),
}

TEXTS = {"short text": (9, 11), "long text": (22, 26)}  # tokens; drawn, so that no length is known to be measured

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}
CLEAR = 5e-4  # how far the mass of the token to go lies below the next at least: no rounding decides

# The kind of each token that comes, and the weights that it gives. "light" overtakes "rival" by forty weights of 0.0034, each
# lost if the sum is bfloat16; when "heavy" has come, the lighter of the two has to go, and the last token asks for both.
KINDS = ["sink", "light", "rival", "passing", "heavy"]
SMALL_WEIGHTS = [
    ("sink", {"sink": 1}),
    ("light", {"sink": 0.02, "light": 0.98}),
    ("rival", {"sink": 0.02, "light": 0.04, "rival": 0.94}),
    ("passing", {"sink": 0.805, "rival": 0.145, "passing": 0.05}),
    *[("passing", {"sink": 0.8966, "light": 0.0034, "passing": 0.05})] * 40,
    ("heavy", {"sink": 0.05, "heavy": 0.95}),
    ("passing", {"sink": 0.04, "heavy": 0.95, "passing": 0.01}),
    ("passing", {"light": 0.5, "rival": 0.5}),
]


def draw_mass(b, h, n, largest=3):
    """[b, h, n], no two of a head nearly equal."""
    return largest / n * (torch.rand(b, h, n).argsort(-1) + 0.5 * torch.rand(b, h, n))


def draw(t, policy, b=2, h=3, d=7, dtype=torch.float32):
    """The steps of q, k, v [b, h, t, d], for which it is clear in each head which token has to go."""
    while True:
        steps = []
        for *step, gap in play(torch.randn(3, b, h, t, d).mul_(1.4).to(dtype), *policy):
            if gap < CLEAR:
                break
            steps.append(step)
        else:
            return steps


def play(tokens, budget, sinks, recent):
    """For each token its q, k, v; the keys and values that it must see; how clear it is what has to go."""
    q, k, v = tokens.double()
    b, h, t, d = q.shape
    home, mass = torch.ones(b, h, t, dtype=torch.bool), torch.zeros(b, h, t, dtype=torch.float64)
    for i in range(t):
        there = home[:, :, : i + 1]
        scores = (k[:, :, : i + 1] @ q[:, :, i, :, None])[..., 0] / math.sqrt(d)
        mass[:, :, : i + 1] += scores.masked_fill(~there, -math.inf).softmax(-1)
        seen = (x[:, :, : i + 1][there].view(b, h, -1, d).contiguous() for x in tokens[1:])
        place = torch.arange(i + 1)
        loose = there & (place >= sinks) & (place <= i - recent)
        lightest = mass[:, :, : i + 1].masked_fill(~loose, math.inf).sort(dim=-1)
        full = there.sum(-1).max() > budget
        gap = lightest.values[..., :2].diff().min().item() if full else math.inf  # of one alone: inf
        yield tuple(x[:, :, i : i + 1].contiguous() for x in tokens), tuple(seen), gap
        if full:
            home.scatter_(2, lightest.indices[..., :1], False)


@pytest.mark.parametrize("case", EVICTIONS)
def test_evict(check, case):
    n, *policy = EVICTIONS[case]
    check("evict", draw_mass(2, 3, n), *policy)


def test_a_new_cache_is_empty(check):
    check(check.new("BoundedCache", 4, 1, 2).method("__len__"), returns=0)


@pytest.mark.parametrize("case", POLICIES)
def test_token_by_token(check, case):
    cache = check.new("BoundedCache", *POLICIES[case])
    for (q, k, v), seen in draw(9, POLICIES[case]):
        check(cache.step, q, k, v, like=(q, *seen))


def test_never_more_than_the_budget(check):
    cache = check.new("BoundedCache", 3, 1, 1)
    for i, ((q, k, v), seen) in enumerate(draw(6, (3, 1, 1))):
        check(cache.step, q, k, v, like=(q, *seen))
        check(cache.method("__len__"), returns=min(i + 1, 3))


def test_two_caches_in_turn(check):
    policies = (2, 1, 0), (4, 0, 2)
    caches = [check.new("BoundedCache", *policy) for policy in policies]
    for pair in zip(*(draw(7, policy) for policy in policies), strict=True):
        for cache, ((q, k, v), seen) in zip(caches, pair, strict=True):
            check(cache.step, q, k, v, like=(q, *seen))


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    cache = check.new("BoundedCache", 4, 2, 2)
    for (q, k, v), seen in draw(7, (4, 2, 2), dtype=DTYPES[case]):
        check(cache.step, q, k, v, like=(q, *seen))


def test_many_small_weights_in_bfloat16(check):
    """What goes first is 0.05 and more apart: honest roundings agree."""
    policy = 4, 1, 1
    tokens = torch.randn(3, 1, 2, len(SMALL_WEIGHTS), 16)
    tokens[0] = 0
    for i, (kind, weights) in enumerate(SMALL_WEIGHTS):
        tokens[0, :, :, i, :5] = 4 * torch.tensor([weights.get(other, 1e-9) for other in KINDS]).log()  # √d is 4
        tokens[1, :, :, i, :5] = F.one_hot(torch.tensor(KINDS.index(kind)), 5).float()
    cache = check.new("BoundedCache", *policy)
    for (q, k, v), seen, _ in play(tokens.bfloat16(), *policy):
        check(cache.step, q, k, v, like=(q, *seen))


def test_non_contiguous_inputs(check):
    """Views with gaps between their elements."""
    cache = check.new("BoundedCache", 3, 1, 1)
    for (q, k, v), seen in draw(5, (3, 1, 1)):
        q, k, v = (torch.cat([x, x], dim=-1)[..., ::2].copy_(x) for x in (q, k, v))
        check(cache.step, q, k, v, like=(q, *seen))


@pytest.mark.parametrize("text", TEXTS)
def test_cost_of_a_token(check, text):
    """Of the last one: what grows with the text is too much at the second size."""
    policy, tokens = (3, 1, 1), random.randint(*TEXTS[text])
    cache = check.new("BoundedCache", *policy)
    for i, ((q, k, v), seen) in enumerate(draw(tokens, policy, b=1, h=2, d=random.randint(13, 19))):
        check(cache.step, q, k, v, like=(q, *seen), measured=i + 1 == tokens)


@pytest.mark.hidden
def test_evictions_drawn_anew(check):
    """Each size twice, with other masses: what is kept of the first is wrong for the second."""
    for _ in range(3):
        sinks, recent, heavy = random.randint(0, 4), random.randint(0, 9), random.randint(1, 20)
        budget, b, h = sinks + recent + heavy, random.randint(1, 4), random.randint(5, 9)
        n = budget + random.randint(1, 40)
        for _ in range(2):
            check("evict", draw_mass(b, h, n, 10), budget, sinks, recent)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two caches in turn, of other sizes: what one leaves behind is wrong for the other."""
    small, large = (3, 0, 1), (random.randint(7, 9), random.randint(2, 3), random.randint(1, 3))
    texts = []
    for policy, sizes in ((small, (1, random.randint(5, 6), 40)), (large, (random.randint(3, 4), 1, 5))):
        texts.append((check.new("BoundedCache", *policy), draw(12, policy, *sizes)))
    for i in range(12):
        for cache, steps in texts:
            (q, k, v), seen = steps[i]
            check(cache.step, q, k, v, like=(q, *seen))


@reference("evict")
def evict(mass, budget, sinks, recent):
    """The lightest one between the sinks and the recent ones goes, until the rest fits."""
    rows = []
    for row in mass.reshape(-1, mass.shape[-1]).tolist():
        stays = list(range(len(row)))
        while len(stays) > budget:
            stays.remove(min(stays[sinks : len(stays) - recent], key=row.__getitem__))
        rows.append(stays)
    return torch.tensor(rows).reshape(*mass.shape[:-1], -1)


@reference("BoundedCache.step")
def attention(q, keys, values):
    return (q @ keys.transpose(2, 3) / math.sqrt(q.shape[3])).softmax(-1) @ values


@mistake(blank="protect")
def forgets_sinks(n, recent):
    safe = torch.arange(n) >= n - recent


@mistake(blank="protect")
def forgets_recent_tokens(n, sinks):
    safe = torch.arange(n) < sinks


@mistake("evict")
def a_window_alone(mass, budget, sinks, recent):
    n = mass.shape[-1]
    return torch.arange(max(0, n - budget), n).expand(*mass.shape[:2], -1)


@mistake(blank="choose")
def the_lightest_stay(mass, safe, n, budget):
    stays = mass.masked_fill(safe, -math.inf).topk(min(n, budget), dim=-1, largest=False).indices
    return stays.sort(dim=-1).values


@mistake(blank="choose")
def in_the_order_of_mass(mass, safe, n, budget):
    return mass.masked_fill(safe, math.inf).topk(min(n, budget), dim=-1).indices


@mistake(blank="choose")
def needs_a_full_cache(mass, safe, n, budget):
    return mass.masked_fill(safe, math.inf).topk(budget, dim=-1).indices.sort(dim=-1).values


@mistake(blank="choose")
def the_same_for_all_heads(mass, safe, n, budget):
    stays = mass.sum(dim=1, keepdim=True).masked_fill(safe, math.inf).topk(min(n, budget), dim=-1).indices
    return stays.sort(dim=-1).values.expand(-1, mass.shape[1], -1)


@mistake(blank="choose")
def those_that_go(mass, safe, n, budget):
    goes = mass.masked_fill(safe, math.inf).topk(max(n - budget, 0), dim=-1, largest=False).indices
    return goes.sort(dim=-1).values


@mistake(blank="attend")
def forgets_scale(q, keys):
    weights = (q @ keys.mT).softmax(dim=-1)


@mistake(blank="protect")
def recent_tokens_by_a_negative_slice(n, sinks, recent):
    safe = torch.arange(n) < sinks
    safe[-recent:] = True


@mistake(blank="length")
def empty_has_no_length(self):
    return self.keys.shape[2]


@mistake("BoundedCache.step")
def evicts_before_attending(self, q, k, v):
    first = self.keys is None
    keys = k if first else torch.cat([self.keys, k], dim=2)
    values = v if first else torch.cat([self.values, v], dim=2)
    mass = torch.zeros(k.shape[:3]) if first else F.pad(self.mass, (0, 1))
    stays = evict(mass, self.budget, self.sinks, self.recent)
    self.keys, self.values = (x.take_along_dim(stays[..., None], dim=2) for x in (keys, values))
    weights = (q @ self.keys.mT / math.sqrt(q.shape[-1])).softmax(dim=-1)
    self.mass = mass.gather(-1, stays) + weights.squeeze(2)
    return weights @ self.values


@mistake("BoundedCache.step")
def does_not_see_itself(self, q, k, v):
    if self.keys is None:
        self.keys, self.values, self.mass = k, v, torch.zeros(k.shape[:3])
        return v
    weights = (q @ self.keys.mT / math.sqrt(q.shape[-1])).softmax(dim=-1)
    result = weights @ self.values
    mass = F.pad(self.mass + weights.squeeze(2), (0, 1))
    stays = evict(mass, self.budget, self.sinks, self.recent)
    self.keys = torch.cat([self.keys, k], dim=2).take_along_dim(stays[..., None], dim=2)
    self.values = torch.cat([self.values, v], dim=2).take_along_dim(stays[..., None], dim=2)
    self.mass = mass.gather(-1, stays)
    return result


@mistake(blank="weigh")
def forgets_earlier_queries(weights):
    mass = weights.squeeze(2).float()


@mistake(blank="weigh")
def adds_scores(self, q, keys):
    mass = (q @ keys.mT / math.sqrt(q.shape[-1])).squeeze(2).float()
    if self.mass is not None:
        mass = mass + F.pad(self.mass, (0, 1))


@mistake(blank="weigh")
def the_largest_weight(self, weights):
    mass = weights.squeeze(2).float()
    if self.mass is not None:
        mass = torch.maximum(mass, F.pad(self.mass, (0, 1)))


@mistake(blank="weigh")
def leaves_out_its_own_weight(self, weights):
    mass = F.pad(weights[:, :, 0, :-1].float(), (0, 1))
    if self.mass is not None:
        mass = mass + F.pad(self.mass, (0, 1))


@mistake(blank="weigh")
def sums_in_half_precision(self, weights):
    mass = weights.squeeze(2)
    if self.mass is not None:
        mass = mass + F.pad(self.mass, (0, 1))


@mistake(blank="keep")
def evicts_by_the_mass_before(self, keys, values, mass):
    before = torch.zeros_like(mass) if self.mass is None else F.pad(self.mass, (0, 1))
    stays = evict(before, self.budget, self.sinks, self.recent)
    self.keys = keys.take_along_dim(stays[..., None], dim=2)
    self.values = values.take_along_dim(stays[..., None], dim=2)
    self.mass = mass.gather(-1, stays)


@mistake(blank="weigh")
def adds_up_over_the_batch(self, weights):
    mass = weights.squeeze(2).float().sum(dim=0, keepdim=True).expand(len(weights), -1, -1)
    if self.mass is not None:
        mass = mass + F.pad(self.mass, (0, 1))


@mistake(blank="keep")
def never_evicts(self, keys, values, mass):
    self.keys, self.values, self.mass = keys, values, mass


@mistake("BoundedCache.step")
def hides_instead_of_evicting(self, q, k, v):
    keys = k if self.keys is None else torch.cat([self.keys, k], dim=2)
    values = v if self.values is None else torch.cat([self.values, v], dim=2)
    mass = torch.zeros(k.shape[:3]) if self.mass is None else F.pad(self.mass, (0, 1))
    gone = mass < 0
    weights = (q @ keys.mT / math.sqrt(q.shape[-1])).masked_fill(gone[:, :, None], -math.inf).softmax(dim=-1)
    mass = mass + weights.squeeze(2)
    if (~gone[0, 0]).sum() > self.budget:
        place = torch.arange(mass.shape[-1])
        loose = ~gone & (place >= self.sinks) & (place < len(place) - self.recent)
        mass = mass.scatter(-1, mass.masked_fill(~loose, math.inf).argmin(dim=-1, keepdim=True), -1.0)
    self.keys, self.values, self.mass = keys, values, mass
    return weights @ values


@mistake(blank="keep")
def mass_stays_where_it_was(self, keys, values, mass):
    stays = evict(mass, self.budget, self.sinks, self.recent)
    self.keys = keys.take_along_dim(stays[..., None], dim=2)
    self.values = values.take_along_dim(stays[..., None], dim=2)
    self.mass = mass[..., : stays.shape[-1]]


@mistake(blank="keep")
def slots_of_the_first_head(self, keys, values, mass):
    stays = evict(mass, self.budget, self.sinks, self.recent)[0, 0]
    self.keys, self.values, self.mass = keys[:, :, stays], values[:, :, stays], mass[..., stays]
