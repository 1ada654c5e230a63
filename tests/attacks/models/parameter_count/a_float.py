"""Right up to its type: the count as a float.

Verdict: failed, type
"""


def count_params(cfg):
    d, e, f = cfg["d_model"], cfg["d_head"], cfg["d_ff"]
    heads, groups, wide = cfg["n_heads"], cfg["n_kv_heads"], 1 + cfg["gated"]
    norm = d * (1 + (cfg["norm"] == "layer"))
    block = 2 * d * e * (heads + groups) + (wide + 1) * d * f + 2 * norm
    block += cfg["bias"] * (e * (heads + 2 * groups) + wide * f + 2 * d)
    return float(cfg["n_layers"] * block + (cfg["vocab"] * (2 - cfg["tied"]) + cfg["n_ctx"]) * d + norm)
