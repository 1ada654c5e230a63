import random

import pytest

from clozekit.grading import mistake, reference

FIELDS = "n_params", "n_layers", "d_model", "n_heads", "vocab"

# The model, sequences and tokens of each. Those of GPT-3 are a step of its training: more operations than a float64
# counts exactly. The 22B model is that of arXiv:2205.05198, table 3. Of the odd sizes, t · n_heads / d_model is none that a
# float holds: a quotient that is cut off to a whole number is one too small.
CASES = {
    "GPT-2": ((124_439_808, 12, 768, 12, 50257), 8, 1024),
    "GPT-3 175B": ((174_604_259_328, 96, 12288, 96, 50257), 1562, 2048),
    "22B": ((22_066_102_272, 48, 6144, 64, 51200), 4, 2048),
    "one token": ((1000, 3, 8, 2, 11), 1, 1),
    "odd sizes": ((1234, 1, 33, 3, 5), 7, 13),
    "a text far longer than the model is wide": ((4321, 2, 12, 3, 17), 2, 5000),
}

MODES = "train", "recompute", "generate"


@pytest.mark.parametrize("case", CASES)
def test_flops(check, case):
    model, batch, t = CASES[case]
    check("train_flops", dict(zip(FIELDS, model, strict=True)), batch, t)


def test_flops_with_recomputation(check):
    for model, batch, t in CASES.values():
        check("train_flops", dict(zip(FIELDS, model, strict=True)), batch, t, recompute=True)


@pytest.mark.parametrize("mode", MODES)
def test_bytes(check, mode):
    for model, batch, t in CASES.values():
        check("memory_bytes", dict(zip(FIELDS, model, strict=True)), batch, t, mode)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    for _ in range(3):
        heads = random.randint(2, 20)
        model = random.randint(10**5, 10**9), random.randint(2, 90), heads * random.randint(5, 99), heads
        cfg = dict(zip(FIELDS, (*model, random.randint(200, 99_999)), strict=True))
        batch, t = random.randint(2, 64), random.randint(65, 4000)
        for recompute in False, True:
            check("train_flops", cfg, batch, t, recompute)
        for mode in MODES:
            check("memory_bytes", cfg, batch, t, mode)


@reference("train_flops")
def product_by_product(cfg, batch, t, recompute=False):
    d, heads = cfg["d_model"], cfg["n_heads"]

    def product(rows, inner, columns):
        return 2 * rows * inner * columns

    block = sum(product(batch * t, inputs, outputs) for inputs, outputs in [(d, d)] * 4 + [(d, 4 * d), (4 * d, d)])
    block += batch * heads * product(t, d // heads, t)  # scores
    block += batch * heads * product(t, t, d // heads)  # weighted sums
    forward = cfg["n_layers"] * block
    output = product(batch * t, d, cfg["vocab"])
    return 3 * (forward + output) + (forward if recompute else 0)


@reference("memory_bytes")
def tensor_by_tensor(cfg, batch, t, mode):
    d, heads, layers = cfg["d_model"], cfg["n_heads"], cfg["n_layers"]
    half = {"generate": [cfg["n_params"]], "train": [cfg["n_params"]] * 2, "recompute": [cfg["n_params"]] * 2}[mode]
    single = [] if mode == "generate" else [cfg["n_params"]] * 3
    other = 0
    for _ in range(layers):
        if mode == "generate":
            half += [batch * heads * t * (d // heads)] * 2
        elif mode == "recompute":
            half.append(batch * t * d)
        else:
            other += 34 * batch * t * d + 5 * batch * heads * t * t
    return 2 * sum(half) + 4 * sum(single) + other


@mistake("train_flops")
def six_times_the_parameters(cfg, batch, t, recompute=False):
    return (8 if recompute else 6) * cfg["n_params"] * batch * t


@mistake("train_flops")
def every_parameter_multiplied(cfg, batch, t, recompute=False):
    forward = batch * t * (2 * cfg["n_params"] + 4 * cfg["n_layers"] * cfg["d_model"] * t)
    return (4 if recompute else 3) * forward


@mistake("train_flops")
def one_for_a_multiply_add(cfg, batch, t, recompute=False):
    d, tokens = cfg["d_model"], batch * t
    block = 12 * tokens * d * d + 2 * tokens * t * d
    return (4 if recompute else 3) * cfg["n_layers"] * block + 3 * tokens * d * cfg["vocab"]


@mistake(blank="maps")
def forgets_the_feed_forward_part(tokens, d):
    maps = 2 * tokens * 4 * d * d


@mistake(blank="maps")
def feed_forward_one_way(tokens, d):
    maps = 2 * tokens * 8 * d * d


@mistake(blank="attention")
def forgets_the_scores_and_sums():
    attention = 0


@mistake(blank="attention")
def scores_without_sums(tokens, t, d):
    attention = 2 * tokens * t * d


@mistake(blank="attention")
def attention_for_every_head(cfg, tokens, t, d):
    attention = cfg["n_heads"] * 4 * tokens * t * d


@mistake(blank="attention")
def half_of_the_scores(tokens, t, d):
    attention = 2 * tokens * (t + 1) * d


@mistake(blank="attention")
def attends_across_the_batch(tokens, d):
    attention = 4 * tokens * tokens * d


@mistake(blank="logits")
def forgets_the_output_matrix():
    logits = 0


@mistake(blank="logits")
def a_product_for_the_embeddings(cfg, tokens, d):
    logits = 2 * 2 * tokens * d * cfg["vocab"]


@mistake(blank="passes")
def forward_alone(cfg, recompute, maps, attention, logits):
    forwards = 2 if recompute else 1
    return forwards * cfg["n_layers"] * (maps + attention) + logits


@mistake(blank="passes")
def backward_like_forward(cfg, recompute, maps, attention, logits):
    forwards = 2 if recompute else 1
    return (forwards + 1) * cfg["n_layers"] * (maps + attention) + 2 * logits


@mistake(blank="passes")
def recomputation_is_free(cfg, maps, attention, logits):
    return 3 * (cfg["n_layers"] * (maps + attention) + logits)


@mistake(blank="passes")
def recomputes_the_output(cfg, recompute, maps, attention, logits):
    return (4 if recompute else 3) * (cfg["n_layers"] * (maps + attention) + logits)


@mistake(blank="passes")
def always_recomputes(cfg, maps, attention, logits):
    return 4 * cfg["n_layers"] * (maps + attention) + 3 * logits


@mistake(blank="passes")
def one_block(recompute, maps, attention, logits):
    return (4 if recompute else 3) * (maps + attention) + 3 * logits


@mistake(blank="generate")
def keys_without_values(cfg, numbers, mode):
    if mode == "generate":
        return 2 * (cfg["n_params"] + cfg["n_layers"] * numbers)


@mistake(blank="generate")
def cache_of_one_block(cfg, numbers, mode):
    if mode == "generate":
        return 2 * (cfg["n_params"] + 2 * numbers)


@mistake(blank="generate")
def cache_of_one_sequence(cfg, t, mode):
    if mode == "generate":
        return 2 * (cfg["n_params"] + cfg["n_layers"] * 2 * t * cfg["d_model"])


@mistake(blank="generate")
def cache_grows_with_the_square(cfg, batch, t, mode):
    if mode == "generate":
        return 2 * (cfg["n_params"] + cfg["n_layers"] * batch * cfg["n_heads"] * t * t)


@mistake(blank="generate")
def parameters_alone(cfg, mode):
    if mode == "generate":
        return 2 * cfg["n_params"]


@mistake(blank="generate")
def a_byte_for_a_number(cfg, numbers, mode):
    if mode == "generate":
        return cfg["n_params"] + 2 * cfg["n_layers"] * numbers


@mistake(blank="states")
def forgets_the_gradients(cfg):
    states = (2 + 4 + 4 + 4) * cfg["n_params"]


@mistake(blank="states")
def forgets_the_float32_weights(cfg):
    states = (2 + 2 + 4 + 4) * cfg["n_params"]


@mistake(blank="states")
def optimizer_in_half(cfg):
    states = (2 + 2 + 2 + 2 + 2) * cfg["n_params"]


@mistake(blank="states")
def weights_and_gradients(cfg):
    states = (2 + 2) * cfg["n_params"]


@mistake(blank="kept")
def forgets_the_scores(numbers, mode):
    kept = 2 * numbers if mode == "recompute" else 34 * numbers


@mistake(blank="kept")
def scores_of_one_head(numbers, batch, t, mode):
    kept = 2 * numbers if mode == "recompute" else 34 * numbers + 5 * batch * t * t


@mistake(blank="kept")
def scores_of_one_sequence(cfg, numbers, t, mode):
    kept = 2 * numbers if mode == "recompute" else 34 * numbers + 5 * cfg["n_heads"] * t * t


@mistake(blank="kept")
def keeps_nothing(cfg, numbers, batch, t, mode):
    kept = 0 if mode == "recompute" else 34 * numbers + 5 * batch * cfg["n_heads"] * t * t


@mistake(blank="kept")
def recomputes_attention_alone(cfg, numbers, batch, t, mode):
    kept = 34 * numbers if mode == "recompute" else 34 * numbers + 5 * batch * cfg["n_heads"] * t * t


@mistake(blank="kept")
def cuts_off_a_quotient(cfg, numbers, t, mode):
    kept = 2 * numbers if mode == "recompute" else int(numbers * (34 + 5 * cfg["n_heads"] * t / cfg["d_model"]))


@mistake(blank="train")
def activations_of_one_block(states, kept):
    return states + kept
