from collections.abc import Callable

import torch
from torch import Tensor


def greedy_decode(model: Callable[[Tensor], Tensor], ids: Tensor, max_new: int, eos: int) -> list[int]:
    """ids int64 [t] -> the tokens that follow, at most max_new, each the most probable."""
    new: list[int] = []
    for _ in range(max_new):
        # BLANK predict
        text = torch.cat([ids, ids.new_tensor(new)])  # [t]: each new token is context of the next
        logits = model(text[None])[0, -1]  # [vocab], after the last token
        # END
        # BLANK choose
        token = int(logits.argmax())  # softmax keeps the order, so that the largest logit is the largest probability
        # END
        # BLANK append
        new.append(token)
        if token == eos:  # it belongs to the text, and nothing follows it
            break
        # END
    return new
