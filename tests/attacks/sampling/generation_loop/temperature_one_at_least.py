"""A temperature below 1 is 1.

Verdict: failed
"""

import torch
import torch.nn.functional as F


def temperature_warper(scores, temperature):
    return scores / max(temperature, 1.0)


def top_k_warper(scores, top_k):
    if top_k == 0:
        return scores
    top_k = min(top_k, scores.size(-1))
    remove = scores < torch.topk(scores, top_k)[0][..., -1, None]
    return scores.masked_fill(remove, -float("inf"))


def top_p_warper(scores, top_p):
    if top_p >= 1.0:
        return scores
    sorted_logits, sorted_indices = torch.sort(scores, descending=False)
    cumulative_probs = sorted_logits.softmax(dim=-1).cumsum(dim=-1)
    sorted_remove = cumulative_probs <= 1 - top_p
    sorted_remove[..., -1:] = 0
    return scores.masked_fill(sorted_remove.scatter(1, sorted_indices, sorted_remove), -float("inf"))


def generate(model, ids, mask, uniforms, stop, pad, temperature=1.0, top_k=0, top_p=1.0):
    past = model.new_cache()
    input_ids = ids.clone()
    unfinished = torch.ones(ids.size(0), dtype=torch.long)
    inputs = input_ids
    for step in range(uniforms.size(1)):
        outputs = model(inputs, mask, past)
        scores = outputs[:, -1, :].float()
        scores = top_p_warper(top_k_warper(temperature_warper(scores, temperature), top_k), top_p)
        probs = F.softmax(scores, dim=-1)
        u = uniforms[:, step : step + 1].contiguous()
        next_tokens = torch.searchsorted(probs.cumsum(-1), u, right=True).squeeze(1)
        next_tokens = next_tokens * unfinished + pad * (1 - unfinished)
        input_ids = torch.cat([input_ids, next_tokens[:, None]], dim=-1)
        mask = torch.cat([mask, mask.new_ones((mask.shape[0], 1))], dim=-1)
        is_stop = (next_tokens[:, None] == torch.tensor(stop)[None]).any(dim=1)
        unfinished = unfinished & (~is_stop).long()
        inputs = next_tokens[:, None]
        if unfinished.max() == 0:
            break
    return input_ids
