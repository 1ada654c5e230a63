"""One group after the other; the softmax by hand; a preallocated result."""

import torch


def gqa(q, k, v, causal=True):
    b, h_q, t_q, d = q.shape
    t_k, size = k.shape[2], h_q // k.shape[1]
    groups = []
    for queries, key, value in zip(q.split(size, dim=1), k.unbind(1), v.unbind(1), strict=True):
        scores = (queries.reshape(b, size * t_q, d) @ key.mT).div(d**0.5).reshape(b, size, t_q, t_k)
        if causal:
            seen = torch.tril(torch.ones(t_q, t_k, dtype=torch.bool), t_k - t_q)
            scores = torch.where(seen, scores, float("-inf"))
        e = torch.exp(scores - scores.amax(-1, keepdim=True))
        weights = e / e.sum(-1, keepdim=True)
        groups.append((weights.reshape(b, size * t_q, t_k) @ value).reshape(b, size, t_q, d))
    return torch.cat(groups, dim=1)
