"""`match` on the number of axes, walrus, positional-only and keyword-only parameters, a recursive call per row."""

import torch
from torch import Tensor, cumsum, sort
from torch.nn.functional import softmax


def _keep(ranked: Tensor, /, *, p: float) -> int:
    return 1 + int((cumsum(ranked, 0)[:-1] < p).sum()) if (n := ranked.numel()) > 1 else n


def _row(row: Tensor, p: float) -> Tensor:
    ranked, order = sort(row, descending=True)
    out = torch.zeros_like(row)
    out.scatter_(0, (chosen := order[: _keep(ranked, p=p)]), row[chosen])
    return out / out.sum()


def top_p_probs(logits, p, temperature=1.0):
    probs = softmax(logits.float() / temperature, -1)
    match probs.dim():
        case 1:
            result = _row(probs, p)
        case 2:
            result = torch.stack([_row(row, p) for row in probs])
        case _ as axes:
            raise ValueError(f"expected one or two axes, got {axes}")
    return result.to(logits)
