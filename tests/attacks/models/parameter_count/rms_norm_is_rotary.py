"""Takes it that a model with RMSNorm has rotary positions, and counts none.

Verdict: failed, value
"""


def count_params(cfg):
    d, e, f = cfg["d_model"], cfg["d_head"], cfg["d_ff"]
    heads, groups, wide = cfg["n_heads"], cfg["n_kv_heads"], 1 + cfg["gated"]
    rms = cfg["norm"] == "rms"
    norm = d if rms else 2 * d
    block = 2 * d * e * (heads + groups) + (wide + 1) * d * f + 2 * norm
    block += cfg["bias"] * (e * (heads + 2 * groups) + wide * f + 2 * d)
    rows = cfg["vocab"] * (1 if cfg["tied"] else 2) + (0 if rms else cfg["n_ctx"])
    return cfg["n_layers"] * block + rows * d + norm
