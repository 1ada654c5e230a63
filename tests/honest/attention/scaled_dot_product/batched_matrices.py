"""All leading axes flattened for bmm; blocked keys by the least number of the dtype."""

import torch


def attention(q, k, v, mask=None):
    lead = q.shape[:-2]
    a, b, c = (x.reshape(-1, *x.shape[-2:]) for x in (q, k, v))
    scores = torch.bmm(a, b.transpose(1, 2)) / torch.tensor(a.shape[2]).sqrt().to(a.dtype)
    if mask is not None:
        blocked = ~mask.broadcast_to(*lead, a.shape[1], b.shape[1]).reshape(scores.shape)
        scores.masked_fill_(blocked, torch.finfo(scores.dtype).min)
    return torch.bmm(scores.softmax(2), c).view(*lead, a.shape[1], c.shape[2])
