"""Everything in one expression; bools as 0 and 1."""


def count_params(cfg: dict) -> int:
    V, L, d, h, g, e, f, T = (
        cfg[k] for k in ("vocab", "n_layers", "d_model", "n_heads", "n_kv_heads", "d_head", "d_ff", "n_ctx")
    )
    w, n, b = 1 + cfg["gated"], 1 + (cfg["norm"] == "layer"), int(cfg["bias"])
    per_block = 2 * d * e * (h + g) + (w + 1) * d * f + b * (e * (h + 2 * g) + w * f + 2 * d) + 2 * n * d
    return L * per_block + (V * (2 - cfg["tied"]) + T + n) * d
