"""The old Hugging Face recipe: cumulative > p, the mask shifted right by one, scatter of the mask, -inf, softmax again."""

import torch
import torch.nn.functional as F

FILTER_VALUE = -float("Inf")


def top_p_probs(logits, p, temperature=1.0):
    scores = logits.to(torch.float32) / temperature
    sorted_logits, sorted_indices = torch.sort(scores, descending=True)
    cumulative_probs = torch.cumsum(F.softmax(sorted_logits, dim=-1), dim=-1)

    # Remove tokens with cumulative probability above the threshold
    sorted_indices_to_remove = cumulative_probs >= p
    # Shift the indices to the right to keep also the first token above the threshold
    sorted_indices_to_remove[..., 1:] = sorted_indices_to_remove[..., :-1].clone()
    sorted_indices_to_remove[..., 0] = 0

    indices_to_remove = sorted_indices_to_remove.scatter(-1, sorted_indices, sorted_indices_to_remove)
    scores = scores.masked_fill(indices_to_remove, FILTER_VALUE)
    return F.softmax(scores, dim=-1).type_as(logits)
