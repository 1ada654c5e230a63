"""The array-API habit: the library is an argument `xp`, a default that callers may replace; print-debugging behind a flag."""

import logging
import os
import sys

import torch

log = logging.getLogger(__name__)
DEBUG = bool(os.environ.get("DEBUG_TOP_P", ""))


def softmax(x, axis=-1, *, xp=torch):
    e = xp.exp(x - xp.amax(x, axis, keepdim=True))
    return e / xp.sum(e, axis, keepdim=True)


def nucleus(probs, p, xp):
    order = xp.argsort(probs, dim=-1, descending=True)
    ranked = xp.take_along_dim(probs, order, dim=-1)
    before = xp.cumsum(ranked, -1) - ranked
    keep = before < p
    keep[..., :1] = True
    mask = xp.zeros_like(keep)
    mask.scatter_(-1, order, keep)
    return mask


def top_p_probs(logits, p, temperature=1.0):
    probs = softmax(logits.to(torch.float32) / temperature, xp=torch)
    mask = nucleus(probs, p, torch)
    if DEBUG:
        print("kept", mask.sum(-1).tolist(), file=sys.stderr)
    log.debug("kept %s of %s", mask.sum(), mask.numel())
    kept = torch.where(mask, probs, torch.zeros((), dtype=probs.dtype))
    return (kept / kept.sum(-1, keepdim=True)).type(logits.dtype)
