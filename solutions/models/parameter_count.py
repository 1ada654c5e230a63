def count_params(cfg: dict) -> int:
    """The number of parameters of the decoder that cfg describes."""
    d, d_ff = cfg["d_model"], cfg["d_ff"]
    # BLANK attention
    query, key = cfg["n_heads"] * cfg["d_head"], cfg["n_kv_heads"] * cfg["d_head"]  # features of all heads together
    attention = d * query + 2 * d * key + query * d  # the heads share these features: more heads, thinner ones
    if cfg["bias"]:
        attention += query + 2 * key + d  # one for each output
    # END
    # BLANK feed_forward
    wide = 2 if cfg["gated"] else 1  # maps from d to d_ff
    feed_forward = wide * d * d_ff + d_ff * d
    if cfg["bias"]:
        feed_forward += wide * d_ff + d
    # END
    # BLANK norm
    norm = 2 * d if cfg["norm"] == "layer" else d
    # END
    # BLANK block
    block = attention + feed_forward + 2 * norm
    # END
    # BLANK ends
    tables = cfg["vocab"] + cfg["n_ctx"]  # rows of d features
    if not cfg["tied"]:
        tables += cfg["vocab"]
    # END
    # BLANK total
    return cfg["n_layers"] * block + tables * d + norm
    # END
