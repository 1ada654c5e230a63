"""torch.vmap over a function of one row for batches, a match statement on the number of axes."""

import torch


def of_one_row(row, p, temperature):
    probs = torch.softmax(row / temperature, 0)
    ranked, order = probs.sort(descending=True)
    mass = ranked.cumsum(0)
    kept = torch.where(mass - ranked < p, ranked, 0.0)
    return torch.zeros_like(row).scatter(0, order, kept / kept.sum())


def top_p_probs(logits, p, temperature=1.0):
    match logits.ndim:
        case 1:
            answer = of_one_row(logits.float(), p, temperature)
        case 2:
            answer = torch.vmap(of_one_row, in_dims=(0, None, None))(logits.float(), p, temperature)
        case n:
            raise ValueError(f"expected 1 or 2 axes, got {n}")
    return answer.to(logits.dtype)
