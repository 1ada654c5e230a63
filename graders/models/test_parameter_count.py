import math
import random

import pytest

from clozekit.grading import mistake, reference

FIELDS = (
    "vocab",
    "n_layers",
    "d_model",
    "n_heads",
    "n_kv_heads",
    "d_head",
    "d_ff",
    "n_ctx",
    "gated",
    "norm",
    "bias",
    "tied",
)
OPENAI = False, "layer", True, True
LLAMA = True, "rms", False, False

# Real models, and how many parameters they have: tests/oracles counts those that are published. GPT-3 has the sizes of
# arXiv:2005.14165, table 2.1, where n_heads · d_head is not d_model for XL and 13B.
MODELS = {
    "GPT-2": ((50257, 12, 768, 12, 12, 64, 3072, 1024, *OPENAI), 124_439_808),
    "GPT-3 Small": ((50257, 12, 768, 12, 12, 64, 3072, 2048, *OPENAI), 125_226_240),
    "GPT-3 XL": ((50257, 24, 2048, 24, 24, 128, 8192, 2048, *OPENAI), 1_517_123_584),
    "GPT-3 13B": ((50257, 40, 5140, 40, 40, 128, 20560, 2048, *OPENAI), 12_936_488_380),
    "GPT-3 175B": ((50257, 96, 12288, 96, 96, 128, 49152, 2048, *OPENAI), 174_604_259_328),
    "Llama 7B": ((32000, 32, 4096, 32, 32, 128, 11008, 0, *LLAMA), 6_738_415_616),
    "Llama 2 70B": ((32000, 80, 8192, 64, 8, 128, 28672, 0, *LLAMA), 68_976_648_192),
    "Llama 3 8B": ((128256, 32, 4096, 32, 8, 128, 14336, 0, *LLAMA), 8_030_261_248),
    "Llama 3.2 1B": ((128256, 16, 2048, 32, 8, 64, 8192, 0, True, "rms", False, True), 1_235_814_400),
    "Gemma 7B": ((256000, 28, 3072, 16, 16, 256, 24576, 0, True, "rms", False, True), 8_537_680_896),
}

# What no well-known model is. Each has numbers that differ from each other.
OTHERS = {
    "one block of odd sizes": (7, 1, 3, 5, 1, 2, 11, 13, False, "layer", True, True),
    "a gate with biases": (17, 2, 6, 4, 2, 3, 10, 5, True, "layer", True, False),
    "layer norm without biases in the maps": (19, 3, 8, 2, 2, 4, 32, 9, False, "layer", False, True),
    "rms norm with biases in the maps": (23, 2, 10, 3, 1, 4, 14, 8, False, "rms", True, False),
}


@pytest.mark.parametrize("case", MODELS)
def test_a_real_model(check, case):
    sizes, count = MODELS[case]
    check("count_params", dict(zip(FIELDS, sizes, strict=True)), returns=count)


@pytest.mark.parametrize("case", OTHERS)
def test_another(check, case):
    check("count_params", dict(zip(FIELDS, OTHERS[case], strict=True)))


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Each way of building a model once, whatever it goes with."""
    for kind in range(8):
        groups, width = random.randint(1, 9), random.randint(30, 200)
        sizes = {
            "vocab": random.randint(1000, 90_000),
            "n_layers": random.randint(2, 50),
            "d_model": width,
            "n_heads": groups * random.randint(2, 6),
            "n_kv_heads": groups,
            "d_head": random.randint(5, 29),
            "d_ff": width * random.randint(2, 7) + 1,
            "n_ctx": random.randint(300, 900),
            "gated": bool(kind & 1),
            "norm": "rms" if kind & 2 else "layer",
            "bias": bool(kind & 4),
            "tied": random.choice([True, False]),
        }
        check("count_params", sizes)


@reference("count_params")
def every_tensor(cfg):
    """The shape of every parameter, one after the other, as in a checkpoint."""
    d, biases = cfg["d_model"], cfg["bias"]
    shapes = []

    def linear(inputs, outputs, bias):
        shapes.append((outputs, inputs))
        if bias:
            shapes.append((outputs,))

    def norm():
        shapes.append((d,))
        if cfg["norm"] == "layer":
            shapes.append((d,))

    shapes += [(cfg["vocab"], d), (cfg["n_ctx"], d)]
    for _ in range(cfg["n_layers"]):
        norm()
        for heads in (cfg["n_heads"], cfg["n_kv_heads"], cfg["n_kv_heads"]):
            linear(d, heads * cfg["d_head"], biases)
        linear(cfg["n_heads"] * cfg["d_head"], d, biases)
        norm()
        for _ in ("gate", "up") if cfg["gated"] else ("up",):
            linear(d, cfg["d_ff"], biases)
        linear(cfg["d_ff"], d, biases)
    norm()
    if not cfg["tied"]:
        linear(d, cfg["vocab"], False)
    return sum(map(math.prod, shapes))


@mistake(blank="attention")
def multiplies_by_the_heads(cfg, d):
    attention = cfg["n_heads"] * 4 * d * d
    if cfg["bias"]:
        attention += cfg["n_heads"] * 4 * d


@mistake(blank="attention")
def heads_as_wide_as_the_model(cfg, d):
    key = d * cfg["n_kv_heads"] // cfg["n_heads"]
    attention = 2 * d * d + 2 * d * key
    if cfg["bias"]:
        attention += 2 * d + 2 * key


@mistake(blank="attention")
def a_key_for_every_query(cfg, d):
    query = cfg["n_heads"] * cfg["d_head"]
    attention = 4 * d * query
    if cfg["bias"]:
        attention += 3 * query + d


@mistake(blank="attention")
def forgets_the_output_projection(cfg, d):
    query, key = cfg["n_heads"] * cfg["d_head"], cfg["n_kv_heads"] * cfg["d_head"]
    attention = d * query + 2 * d * key
    if cfg["bias"]:
        attention += query + 2 * key


@mistake(blank="attention")
def attention_without_biases(cfg, d):
    query, key = cfg["n_heads"] * cfg["d_head"], cfg["n_kv_heads"] * cfg["d_head"]
    attention = d * query + 2 * d * key + query * d


@mistake("count_params")
def biases_of_qwen(cfg):
    d, query, key = cfg["d_model"], cfg["n_heads"] * cfg["d_head"], cfg["n_kv_heads"] * cfg["d_head"]
    block = 2 * d * (query + key) + (3 if cfg["gated"] else 2) * d * cfg["d_ff"]
    if cfg["bias"]:
        block += query + 2 * key
    norm = 2 * d if cfg["norm"] == "layer" else d
    tables = cfg["vocab"] + cfg["n_ctx"] + (0 if cfg["tied"] else cfg["vocab"])
    return cfg["n_layers"] * (block + 2 * norm) + tables * d + norm


@mistake(blank="feed_forward")
def four_times_the_width(cfg, d):
    wide = 2 if cfg["gated"] else 1
    feed_forward = (wide + 1) * d * 4 * d
    if cfg["bias"]:
        feed_forward += wide * 4 * d + d


@mistake(blank="feed_forward")
def forgets_the_gate(cfg, d, d_ff):
    feed_forward = 2 * d * d_ff
    if cfg["bias"]:
        feed_forward += d_ff + d


@mistake(blank="feed_forward")
def always_a_gate(cfg, d, d_ff):
    feed_forward = 3 * d * d_ff
    if cfg["bias"]:
        feed_forward += 2 * d_ff + d


@mistake(blank="feed_forward")
def feed_forward_without_biases(cfg, d, d_ff):
    feed_forward = (3 if cfg["gated"] else 2) * d * d_ff


@mistake(blank="feed_forward")
def bias_for_each_input(cfg, d, d_ff):
    wide = 2 if cfg["gated"] else 1
    feed_forward = (wide + 1) * d * d_ff
    if cfg["bias"]:
        feed_forward += wide * d + d_ff


@mistake(blank="norm")
def norm_of_two_numbers(cfg):
    norm = 2 if cfg["norm"] == "layer" else 1


@mistake(blank="norm")
def norm_without_a_bias(d):
    norm = d


@mistake(blank="norm")
def every_norm_has_a_bias(d):
    norm = 2 * d


@mistake(blank="block")
def one_norm_for_each_block(attention, feed_forward, norm):
    block = attention + feed_forward + norm


@mistake(blank="ends")
def forgets_the_positions(cfg):
    tables = cfg["vocab"]
    if not cfg["tied"]:
        tables += cfg["vocab"]


@mistake(blank="ends")
def counts_the_shared_matrix_twice(cfg):
    tables = 2 * cfg["vocab"] + cfg["n_ctx"]


@mistake(blank="ends")
def always_tied(cfg):
    tables = cfg["vocab"] + cfg["n_ctx"]


@mistake(blank="total")
def bias_of_the_output_matrix(cfg, block, tables, d, norm):
    output = cfg["vocab"] if cfg["bias"] and not cfg["tied"] else 0
    return cfg["n_layers"] * block + tables * d + norm + output


@mistake(blank="total")
def forgets_the_last_norm(cfg, block, tables, d):
    return cfg["n_layers"] * block + tables * d


@mistake("count_params")
def twelve_times_the_square(cfg):
    return 12 * cfg["n_layers"] * cfg["d_model"] ** 2
