"""Walks the machine along a trie of the vocabulary, and decodes with the model's cache."""
import torch


def build_trie(vocab):
    trie = {}
    for v, text in enumerate(vocab):
        if text:
            node = trie
            for c in text:
                node = node.setdefault(c, {})
            node.setdefault("", []).append(v)
    return trie


def walk(fsm, state, node, found):
    for c, below in node.items():
        if c == "":
            for v in below:
                found[v] = state
        elif c in fsm[state]:
            walk(fsm, fsm[state][c], below, found)
    return found


def build_index(fsm, vocab):
    trie = build_trie(vocab)
    return {state: walk(fsm, state, trie, {}) for state in fsm}


def constrained_decode(model, ids, index, start, finals, eos, max_new):
    cache, unread, state, out = model.new_cache(), ids[None], start, []
    while max_new > len(out):
        scores = model(unread, cache=cache)[0, -1]
        row = dict(index[state])
        if state in finals:
            row[eos] = None
        places = torch.tensor(list(row))
        token = places[scores[places].argmax()].item()
        out.append(token)
        state = row[token]
        if state is None:
            break
        unread = torch.tensor([[token]])
    return out
