"""A loop over the queries, each with a row of the mask; the scale on the query."""

import torch


def attention(q, k, v, mask=None):
    t_q, t_k = q.shape[-2], k.shape[-2]
    if mask is not None:
        mask = mask.expand(*q.shape[:-1], t_k)
    rows = []
    for i in range(t_q):
        query = q[..., i, :, None] * q.shape[-1] ** -0.5
        scores = (k @ query).squeeze(-1)
        if mask is not None:
            scores = scores.masked_fill(mask[..., i, :].logical_not(), -torch.inf)
        weights = torch.softmax(scores, dim=-1)
        rows.append((weights[..., None, :] @ v).squeeze(-2))
    return torch.stack(rows, dim=-2)
