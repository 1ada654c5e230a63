"""An output matrix that is not tied follows `bias` here.

Verdict: failed, value
"""


def count_params(cfg):
    d, e, f = cfg["d_model"], cfg["d_head"], cfg["d_ff"]
    heads, groups, wide = cfg["n_heads"], cfg["n_kv_heads"], 1 + cfg["gated"]
    norm = d * (1 + (cfg["norm"] == "layer"))
    block = 2 * d * e * (heads + groups) + (wide + 1) * d * f + 2 * norm
    block += cfg["bias"] * (e * (heads + 2 * groups) + wide * f + 2 * d)
    ends = (cfg["vocab"] + cfg["n_ctx"]) * d
    if not cfg["tied"]:
        ends += cfg["vocab"] * (d + cfg["bias"])
    return cfg["n_layers"] * block + ends + norm
