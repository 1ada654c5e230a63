"""An axis for the group and einsum, which does not expand; the mask by triu; the softmax in float32."""

import torch


def gqa(q, k, v, causal=True):
    h_kv, t_q, t_k = k.shape[1], q.shape[2], k.shape[2]
    grouped = q.unflatten(1, (h_kv, -1))
    scores = torch.einsum("bhgqd,bhkd->bhgqk", grouped, k) * q.shape[-1] ** -0.5
    if causal:
        later = torch.ones(t_q, t_k, dtype=torch.bool, device=q.device).triu(t_k - t_q + 1)
        scores = scores.masked_fill(later, float("-inf"))
    weights = scores.float().softmax(-1).to(v.dtype)
    return torch.einsum("bhgqk,bhkd->bhgqd", weights, v).flatten(1, 2)
