import torch
from torch import Tensor


def build_index(fsm: dict[int, dict[str, int]], vocab: list[str]) -> dict[int, dict[int, int]]:
    """state -> character -> state, and the text of each token -> state -> allowed token -> state."""
    index: dict[int, dict[int, int]] = {}
    for state in fsm:
        index[state] = {}
        for token, text in enumerate(vocab):
            # BLANK walk
            here: int | None = state
            for character in text:
                here = fsm[here].get(character) if here is not None else None
            # END
            # BLANK note
            if text and here is not None:  # a token without text would lead nowhere, for ever
                index[state][token] = here
            # END
    return index


def constrained_decode(
    model, ids: Tensor, index: dict[int, dict[int, int]], start: int, finals: set[int], eos: int, max_new: int
) -> list[int]:
    """ids int64 [t] -> the most probable tokens, at most max_new, whose text the machine accepts."""
    state, new = start, []
    while len(new) < max_new:
        # BLANK allow
        allowed = [*index[state], *([eos] if state in finals else [])]
        # END
        # BLANK choose
        logits = model(torch.cat([ids, ids.new_tensor(new)])[None])[0, -1]  # [vocab]
        token = allowed[int(logits[allowed].argmax())]
        # END
        # BLANK move
        new.append(token)
        if token == eos:
            return new
        state = index[state][token]
        # END
    return new
