"""A class for each part, that knows its own size; dataclasses and keyword arguments."""

from dataclasses import dataclass


@dataclass
class Linear:
    inputs: int
    outputs: int
    bias: bool

    def __len__(self):
        return self.outputs * (self.inputs + self.bias)


@dataclass
class Norm:
    width: int
    kind: str

    def __len__(self):
        return self.width if self.kind == "rms" else 2 * self.width


def count_params(cfg):
    d, bias = cfg["d_model"], cfg["bias"]
    heads, groups = (cfg[name] * cfg["d_head"] for name in ("n_heads", "n_kv_heads"))
    parts = []
    for _ in range(cfg["n_layers"]):
        parts += [Norm(d, cfg["norm"]), Linear(d, heads, bias), Linear(d, groups, bias), Linear(d, groups, bias)]
        parts += [Linear(heads, d, bias), Norm(d, cfg["norm"])]
        parts += [Linear(d, cfg["d_ff"], bias) for _ in range(2 if cfg["gated"] else 1)]
        parts.append(Linear(cfg["d_ff"], d, bias))
    parts.append(Norm(d, cfg["norm"]))
    total = sum(map(len, parts)) + cfg["vocab"] * d + cfg["n_ctx"] * d
    return total if cfg["tied"] else total + cfg["vocab"] * d
