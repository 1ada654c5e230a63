"""Lets eos come only after another token.

Verdict: failed
"""

import torch


def build_index(fsm, vocab):
    def after(state, text):
        for character in text:
            state = fsm[state].get(character) if state is not None else None
        return state

    reached = {state: {v: after(state, text) for v, text in enumerate(vocab) if text} for state in fsm}
    return {state: {v: there for v, there in row.items() if there is not None} for state, row in reached.items()}


def constrained_decode(model, ids, index, start, finals, eos, max_new):
    state, new = start, []
    while len(new) < max_new and eos not in new:
        if new:
            state = index[state][new[-1]]
        allowed = list(index[state]) + ([eos] if new and state in finals else [])
        logits = model(torch.cat([ids, ids.new_tensor(new)])[None])[0, -1]
        new.append(allowed[int(logits[allowed].argmax())])
    return new
