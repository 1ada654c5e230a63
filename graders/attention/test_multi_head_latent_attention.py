import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

# d_model, h, d_head, d_c, d_rope; batch, tokens. Sizes differ, so that an axis taken for another one shows.
SHAPES = {
    "three heads": ((10, 3, 4, 7, 6), (2, 5)),
    "one head": ((10, 1, 4, 7, 6), (2, 5)),
    "as wide a latent as a head": ((10, 3, 4, 4, 6), (2, 5)),
    "one pair": ((10, 3, 4, 7, 2), (2, 5)),
    "one token": ((10, 3, 4, 7, 6), (2, 1)),
}

CACHES = {"one token": (1, 6), "several tokens": (4, 5), "one cached token": (2, 1)}  # new tokens, cached ones

TEXTS = {"short text": (90, 100), "long text": (250, 280)}  # cached tokens; drawn, so that no length is known

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}

NAMES = "d_model", "h", "d_head", "d_c", "d_rope"


def layer(check, sizes=(10, 3, 4, 7, 6), dtype=torch.float32):
    """With parameters for which queries, latents and values are about 1."""
    d_model, h, d_head, d_c, d_rope = sizes
    shapes = {
        "q_proj": (h * d_head, d_model),
        "q_rope": (h * d_rope, d_model),
        "kv_down": (d_c, d_model),
        "k_rope": (d_rope, d_model),
        "k_up": (h * d_head, d_c),
        "v_up": (h * d_head, d_c),
        "o_proj": (d_model, h * d_head),
    }
    parameters = {
        f"{name}.weight": (1.3 * torch.randn(shape) / math.sqrt(shape[1])).to(dtype) for name, shape in shapes.items()
    }
    return check.new("MLA", **dict(zip(NAMES, sizes, strict=True)), parameters=parameters)


def draw(b, n, past, sizes=(10, 3, 4, 7, 6), dtype=torch.float32):
    """x of n new tokens, and the cache of those before."""
    cache = torch.randn(b, past, sizes[3]).to(dtype), torch.randn(b, past, sizes[4]).to(dtype)
    return torch.randn(b, n, sizes[0]).to(dtype), cache


@pytest.mark.parametrize("case", SHAPES)
def test_without_a_cache(check, case):
    sizes, (b, n) = SHAPES[case]
    check(layer(check, sizes), torch.randn(b, n, sizes[0]))


@pytest.mark.parametrize("case", CACHES)
def test_behind_a_cache(check, case):
    check(layer(check), *draw(2, *CACHES[case]))


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    check(layer(check, dtype=DTYPES[case]), *draw(2, 3, 4, dtype=DTYPES[case]))


def test_scores_in_the_thousands(check):
    """And far below -10,000 for the first token of some sequence, which sees nothing but itself."""
    x, cache = draw(2, 3, 4)
    check(layer(check), 60 * x, cache)
    check(layer(check), 200 * torch.randn(8, 3, 10))


def test_a_non_contiguous_input(check):
    x, cache = draw(3, 2, 4)
    check(layer(check), x.transpose(0, 1).contiguous().transpose(0, 1), cache)


def test_gradients(check):
    check(layer(check), *draw(2, 3, 4), gradients=True)


@pytest.mark.parametrize("text", TEXTS)
def test_cost_of_a_token(check, text):
    """With heads so wide that their keys and values are far more than the latents."""
    sizes = 16, 6, 24, 16, 8
    check(layer(check, sizes), *draw(1, 1, random.randint(*TEXTS[text]), sizes), measured=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Two layers in turn, of other sizes and dtypes; each reads a prompt, and goes on behind a cache."""
    layers = []
    for dtype in (torch.float32, random.choice([*DTYPES.values()])):
        d_rope = 2 * random.randint(2, 9)
        sizes = random.randint(17, 24), random.randint(4, 5), random.randint(9, 13), random.randint(14, 20), d_rope
        layers.append((layer(check, sizes, dtype), sizes, dtype))
    for n, past in ((random.randint(17, 24), 0), (random.randint(2, 5), random.randint(130, 150)), (1, 3)):
        for each, sizes, dtype in layers:
            x, cache = draw(random.randint(2, 3), n, past, sizes, dtype)
            check(each, x, cache) if past else check(each, x, gradients=dtype == torch.float32)


@reference("MLA")
def expanded(parameters, x, cache=None, *, d_model, h, d_head, d_c, d_rope):
    """Without absorption: keys and values of every head for every token, as in multi-head attention."""

    def project(name, x):
        return x @ parameters[f"{name}.weight"].T

    def heads(name, x):
        return project(name, x).unflatten(2, (h, -1)).transpose(1, 2)  # [b, h, tokens, features of one head]

    n, past = x.shape[1], cache[0].shape[1] if cache else 0
    frequencies = torch.tensor(10000.0) ** (-torch.arange(0, d_rope, 2) / d_rope)
    angles = torch.arange(past, past + n)[:, None] * frequencies
    cos, sin = angles.cos(), angles.sin()

    def rope(u):
        a, b = u.unflatten(-1, (-1, 2)).unbind(-1)
        return torch.stack([a * cos - b * sin, b * cos + a * sin], dim=-1).flatten(-2)

    c, r = project("kv_down", x), rope(project("k_rope", x))
    if cache:
        c, r = torch.cat([cache[0], c], dim=1), torch.cat([cache[1], r], dim=1)
    query = torch.cat([heads("q_proj", x), rope(heads("q_rope", x))], dim=-1)
    key = torch.cat([heads("k_up", c), r[:, None].expand(-1, h, -1, -1)], dim=-1)
    scores = query @ key.transpose(2, 3) / math.sqrt(d_head + d_rope)
    scores = scores.masked_fill(torch.ones(n, past + n).triu(past + 1) > 0, -math.inf)
    averages = torch.softmax(scores, dim=-1) @ heads("v_up", c)
    return project("o_proj", averages.transpose(1, 2).flatten(2)), (c, r)


@mistake(blank="merge")
def caches_expanded_keys(self, heads, latent, key):
    return self.o_proj(heads.transpose(1, 2).flatten(-2)), (self.k_up(latent), key)


@mistake(blank="merge")
def caches_only_the_new(self, x, heads, latent, key):
    n = x.shape[1]
    return self.o_proj(heads.transpose(1, 2).flatten(-2)), (latent[:, -n:], key[:, -n:])


@mistake(blank="merge")
def puts_new_first(self, x, heads, latent, key):
    n = x.shape[1]
    return self.o_proj(heads.transpose(1, 2).flatten(-2)), (latent.roll(n, 1), key.roll(n, 1))


@mistake(blank="merge")
def caches_the_key_unrotated(self, x, heads, latent, key, past):
    key = torch.cat([key[:, :past], self.k_rope(x)], dim=1)
    return self.o_proj(heads.transpose(1, 2).flatten(-2)), (latent, key)


@mistake(blank="extend")
def rotates_the_cache_again(self, x, cache, latent, key, rotate):
    if cache is not None:
        latent = torch.cat([cache[0], latent], dim=1)
        key = rotate(torch.cat([cache[1], self.k_rope(x)], dim=1), torch.arange(latent.shape[1]))


@mistake("MLA.forward")
def positions_from_zero(self, x, cache=None):
    def turned(x):
        exponents = torch.arange(0, x.shape[-1], 2) / x.shape[-1]
        angles = torch.arange(x.shape[-2])[:, None] * 10000.0**-exponents
        a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        return torch.stack([a * cos - b * sin, b * cos + a * sin], dim=-1).flatten(-2)

    n, latent, key = x.shape[1], self.kv_down(x), turned(self.k_rope(x))
    if cache is not None:
        latent, key = torch.cat([cache[0], latent], dim=1), torch.cat([cache[1], key], dim=1)
    q, q_rope = (proj(x).unflatten(-1, (self.h, -1)).transpose(1, 2) for proj in (self.q_proj, self.q_rope))
    absorbed = q @ self.k_up.weight.unflatten(0, (self.h, -1))
    scores = torch.einsum("bhnc,btc->bhnt", absorbed, latent)
    scores = (scores + torch.einsum("bhnr,btr->bhnt", turned(q_rope), key)) / math.sqrt(self.d_head + self.d_rope)
    later = torch.ones(scores.shape[2:], dtype=torch.bool).triu(latent.shape[1] - n + 1)
    mixed = torch.einsum("bhnt,btc->bhnc", scores.masked_fill(later, -math.inf).softmax(dim=-1), latent)
    heads = mixed @ self.v_up.weight.unflatten(0, (self.h, -1)).mT
    return self.o_proj(heads.transpose(1, 2).flatten(-2)), (latent, key)


@mistake(blank="queries")
def queries_not_rotated(self, x):
    q = self.q_proj(x).unflatten(-1, (self.h, -1)).transpose(1, 2)
    q_rope = self.q_rope(x).unflatten(-1, (self.h, -1)).transpose(1, 2)


@mistake(blank="latent")
def keys_not_rotated(self, x, cache):
    past = 0 if cache is None else cache[0].shape[1]
    position = past + torch.arange(x.shape[1])
    latent, key = self.kv_down(x), self.k_rope(x)


@mistake("rotate")
def rotates_halves(x, position):
    exponents = torch.arange(0, x.shape[-1], 2) / x.shape[-1]
    angles = position[:, None] * 10000.0**-exponents
    first, second = x.float().chunk(2, dim=-1)
    turned = first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()
    return torch.cat(turned, dim=-1).to(x.dtype)


@mistake("rotate")
def sorts_the_rotated_pairs(x, position):
    exponents = torch.arange(0, x.shape[-1], 2) / x.shape[-1]
    angles = position[:, None] * 10000.0**-exponents
    first, second = x[..., 0::2].float(), x[..., 1::2].float()
    turned = first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()
    return torch.cat(turned, dim=-1).to(x.dtype)


@mistake(blank="score")
def forgets_the_position(self, absorbed, latent, position):
    scores = torch.einsum("bhnc,btc->bhnt", absorbed, latent) / math.sqrt(self.d_head + self.d_rope)
    later = torch.arange(latent.shape[1]) > position[:, None]
    weights = scores.masked_fill(later, -math.inf).softmax(dim=-1)


@mistake("MLA.forward")
def expands_the_cache(self, x, cache=None):
    def turned(x, first):
        exponents = torch.arange(0, x.shape[-1], 2) / x.shape[-1]
        angles = torch.arange(first, first + x.shape[-2])[:, None] * 10000.0**-exponents
        a, b = x.float().unflatten(-1, (-1, 2)).unbind(-1)
        cos, sin = angles.cos(), angles.sin()
        return torch.stack([a * cos - b * sin, b * cos + a * sin], dim=-1).flatten(-2).to(x.dtype)

    past = cache[0].shape[1] if cache is not None else 0
    latent, key = self.kv_down(x), turned(self.k_rope(x), past)
    if cache is not None:
        latent, key = torch.cat([cache[0], latent], dim=1), torch.cat([cache[1], key], dim=1)
    q, q_rope = (proj(x).unflatten(-1, (self.h, -1)).transpose(1, 2) for proj in (self.q_proj, self.q_rope))
    k, v = (proj(latent).unflatten(-1, (self.h, -1)).transpose(1, 2) for proj in (self.k_up, self.v_up))
    scores = q @ k.mT + turned(q_rope, past) @ key[:, None].mT
    later = torch.ones(scores.shape[2:], dtype=torch.bool).triu(past + 1)
    scores = (scores / math.sqrt(self.d_head + self.d_rope)).masked_fill(later, -math.inf)
    return self.o_proj((scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(-2)), (latent, key)


@mistake(blank="score")
def scales_by_d_head(self, absorbed, latent, q_rope, key, position):
    scores = torch.einsum("bhnc,btc->bhnt", absorbed, latent) + torch.einsum("bhnr,btr->bhnt", q_rope, key)
    later = torch.arange(latent.shape[1]) > position[:, None]
    weights = (scores / math.sqrt(self.d_head)).masked_fill(later, -math.inf).softmax(dim=-1)


@mistake(blank="score")
def scales_by_d_c(self, absorbed, latent, q_rope, key, position):
    scores = torch.einsum("bhnc,btc->bhnt", absorbed, latent) + torch.einsum("bhnr,btr->bhnt", q_rope, key)
    later = torch.arange(latent.shape[1]) > position[:, None]
    scores = scores / math.sqrt(latent.shape[-1] + self.d_rope)
    weights = scores.masked_fill(later, -math.inf).softmax(dim=-1)


@mistake(blank="score")
def scales_by_d_model(self, x, absorbed, latent, q_rope, key, position):
    scores = torch.einsum("bhnc,btc->bhnt", absorbed, latent) + torch.einsum("bhnr,btr->bhnt", q_rope, key)
    later = torch.arange(latent.shape[1]) > position[:, None]
    weights = (scores / math.sqrt(x.shape[-1])).masked_fill(later, -math.inf).softmax(dim=-1)


@mistake(blank="score")
def forgets_scale(absorbed, latent, q_rope, key, position):
    scores = torch.einsum("bhnc,btc->bhnt", absorbed, latent) + torch.einsum("bhnr,btr->bhnt", q_rope, key)
    later = torch.arange(latent.shape[1]) > position[:, None]
    weights = scores.masked_fill(later, -math.inf).softmax(dim=-1)


@mistake(blank="score")
def scales_one_part(self, absorbed, latent, q_rope, key, position):
    scores = torch.einsum("bhnc,btc->bhnt", absorbed, latent) / math.sqrt(self.d_head + self.d_rope)
    scores = scores + torch.einsum("bhnr,btr->bhnt", q_rope, key)
    later = torch.arange(latent.shape[1]) > position[:, None]
    weights = scores.masked_fill(later, -math.inf).softmax(dim=-1)


@mistake(blank="score")
def sees_the_future(self, absorbed, latent, q_rope, key):
    scores = torch.einsum("bhnc,btc->bhnt", absorbed, latent) + torch.einsum("bhnr,btr->bhnt", q_rope, key)
    weights = (scores / math.sqrt(self.d_head + self.d_rope)).softmax(dim=-1)


@mistake(blank="score")
def mask_of_the_new_tokens(self, absorbed, latent, q_rope, key):
    scores = torch.einsum("bhnc,btc->bhnt", absorbed, latent) + torch.einsum("bhnr,btr->bhnt", q_rope, key)
    scores = scores / math.sqrt(self.d_head + self.d_rope)
    n = scores.shape[2]
    if n > 1:
        scores = scores + scores.new_full((n, n), -math.inf).triu(1)
    weights = scores.softmax(dim=-1)


@mistake(blank="score")
def aligned_at_the_start(self, absorbed, latent, q_rope, key):
    scores = torch.einsum("bhnc,btc->bhnt", absorbed, latent) + torch.einsum("bhnr,btr->bhnt", q_rope, key)
    later = torch.ones(scores.shape[2:], dtype=torch.bool).triu(1)
    scores = scores / math.sqrt(self.d_head + self.d_rope)
    weights = scores.masked_fill(later, -math.inf).softmax(dim=-1)


@mistake(blank="score")
def not_itself(self, absorbed, latent, q_rope, key, position):
    scores = torch.einsum("bhnc,btc->bhnt", absorbed, latent) + torch.einsum("bhnr,btr->bhnt", q_rope, key)
    later = torch.arange(latent.shape[1]) >= position[:, None]
    scores = scores / math.sqrt(self.d_head + self.d_rope)
    weights = scores.masked_fill(later, -math.inf).softmax(dim=-1)


@mistake(blank="score")
def mask_too_weak(self, absorbed, latent, q_rope, key, position):
    scores = torch.einsum("bhnc,btc->bhnt", absorbed, latent) + torch.einsum("bhnr,btr->bhnt", q_rope, key)
    later = torch.arange(latent.shape[1]) > position[:, None]
    scores = scores / math.sqrt(self.d_head + self.d_rope)
    weights = scores.masked_fill(later, -1e4).softmax(dim=-1)


@mistake(blank="queries")
def interleaves_heads(self, x, position, rotate):
    q = self.q_proj(x).unflatten(-1, (-1, self.h)).permute(0, 3, 1, 2)
    q_rope = rotate(self.q_rope(x).unflatten(-1, (-1, self.h)).permute(0, 3, 1, 2), position)


@mistake(blank="values")
def values_from_k_up(self, weights, latent):
    mixed = torch.einsum("bhnt,btc->bhnc", weights, latent)
    heads = mixed @ self.k_up.weight.unflatten(0, (self.h, -1)).mT


@mistake(blank="score")
def softmax_over_queries(self, absorbed, latent, q_rope, key, position):
    scores = torch.einsum("bhnc,btc->bhnt", absorbed, latent) + torch.einsum("bhnr,btr->bhnt", q_rope, key)
    later = torch.arange(latent.shape[1]) > position[:, None]
    scores = scores / math.sqrt(self.d_head + self.d_rope)
    weights = scores.masked_fill(later, -math.inf).softmax(dim=-2)


@mistake(blank="score")
def softmax_overflows(self, absorbed, latent, q_rope, key, position):
    scores = torch.einsum("bhnc,btc->bhnt", absorbed, latent) + torch.einsum("bhnr,btr->bhnt", q_rope, key)
    later = torch.arange(latent.shape[1]) > position[:, None]
    weights = (scores / math.sqrt(self.d_head + self.d_rope)).masked_fill(later, -math.inf).exp()
    weights = weights / weights.sum(dim=-1, keepdim=True)


@mistake(blank="merge")
def merges_without_transpose(self, x, heads, latent, key):
    return self.o_proj(heads.reshape(*x.shape[:2], -1)), (latent, key)
