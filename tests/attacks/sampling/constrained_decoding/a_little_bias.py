"""Takes forbidden tokens down by five instead of out.

Verdict: failed
"""

import torch


def partial_match(fsm, state, text):
    for c in text:
        state = fsm[state].get(c)
        if state is None:
            return None
    return state


def build_index(fsm, vocab):
    index = {}
    for state in fsm:
        ends = ((v, partial_match(fsm, state, text)) for v, text in enumerate(vocab) if text != "")
        index[state] = {v: end for v, end in ends if end is not None}
    return index


def constrained_decode(model, ids, index, start, finals, eos, max_new):
    state, generated = start, ids.clone()
    for _ in range(max_new):
        logits = model(generated[None, :])[0, -1]
        bias = torch.full_like(logits, -5.0)
        bias[torch.tensor(list(index[state].keys()), dtype=torch.long)] = 0.0
        if state in finals:
            bias[eos] = 0.0
        best = torch.argmax(logits + bias)
        generated = torch.cat([generated, best[None]])
        if best == eos:
            break
        state = index[state].get(best.item(), state)
    return generated[len(ids) :].tolist()
