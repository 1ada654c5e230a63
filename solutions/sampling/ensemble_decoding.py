import torch
from torch import Tensor


def ensemble_log_probs(logits: Tensor, weights: Tensor, mode: str) -> Tensor:
    """logits [models, …, vocab], weights [models], "mixture" or "product" -> log-probabilities [..., vocab]."""
    # BLANK log_probs
    log_probs = torch.log_softmax(logits.float(), dim=-1)  # each model's own: a shift of its logits counts nothing
    # END
    # BLANK align
    counts = weights > 0
    log_probs, weights = log_probs[counts], weights[counts]  # 0 times -inf is no number
    weights = weights.reshape(-1, *[1] * (logits.ndim - 1))  # [models, 1, …, 1]
    # END
    if mode == "mixture":
        # BLANK mixture
        result = torch.logsumexp(weights.log() + log_probs, dim=0)  # a sum of probabilities too small for float32
        # END
    else:
        # BLANK product
        result = torch.log_softmax((weights * log_probs).sum(dim=0), dim=-1)
        # END
    return result.to(logits.dtype)
