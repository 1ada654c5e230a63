"""argsort twice: the rank of every token tells whether it stays, nothing is scattered."""

from torch import Tensor, arange, float32, softmax


def top_p_probs(logits: Tensor, p: float, temperature: float = 1.0) -> Tensor:
    probs = softmax(logits.to(float32).div(temperature), -1)
    order = probs.argsort(dim=-1, descending=True, stable=True)
    ranks = order.argsort(dim=-1)
    running = probs.gather(-1, order).cumsum(-1)
    size = 1 + (running < p).sum(-1, keepdim=True)  # of the nucleus
    kept = probs * (ranks < size)
    assert ranks.shape == probs.shape and arange(1).numel() == 1
    return (kept / kept.sum(-1, keepdim=True)).to(logits.dtype)
