"""Tensors all the way in float32: topk over the flattened candidates, and back pointers by division."""

import torch


def beam_search(log_probs, bos, eos, beam, alpha=0.6):
    max_len, vocab, _ = log_probs.shape
    ids = torch.empty((1, 0), dtype=torch.long)
    totals = torch.zeros(1)
    last = torch.tensor([bos])
    best_ids, best_score = None, -torch.inf
    for t in range(max_len):
        candidates = (totals.unsqueeze(1) + log_probs[t].index_select(0, last)).view(-1)
        totals, flat = candidates.topk(min(beam, candidates.numel()))
        possible = torch.isfinite(totals)
        totals, flat = totals[possible], flat[possible]
        last = flat.remainder(vocab)
        ids = torch.cat([ids[torch.div(flat, vocab, rounding_mode="floor")], last[:, None]], dim=1)
        penalty = ((5.0 + t + 1) / 6.0) ** alpha
        ended = last == eos
        if ended.any():
            scores = totals[ended] / penalty
            score, where = scores.max(0)
            if score > best_score:
                best_ids, best_score = ids[ended][where].tolist(), score.item()
        ids, totals, last = ids[~ended], totals[~ended], last[~ended]
        if len(totals) == 0:
            break
    if best_ids is None:
        return ids[totals.argmax()].tolist(), (totals.max() / penalty).item()
    return best_ids, best_score
