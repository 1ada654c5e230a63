"""Constrained decoding

Have a language model write only what a regular expression allows. The expression is a
finite-state machine that reads characters; the model writes tokens of several characters.
So the machine is run over each token from each state once, before decoding:

    index[s][v] = the state that reading all characters of vocab[v] leads to from s

v is in index[s] only if each of its characters can be read. Tokens of text "" (eos, padding)
are in no index[s]. For each state of fsm there is an index[s], if need be {}.

build_index(fsm, vocab)  ->  index, {state: {token: state}}
    fsm    {state: {character: state}}, states are int, each has an entry; what is not
           listed cannot be read
    vocab  list of str: the text of each token

constrained_decode(model, ids, index, start, finals, eos, max_new) decodes greedily. It is in
state `start` after the prompt ids, and takes at each step the most probable of the tokens in
index[state] and, if the state is in `finals`, eos; until it takes eos, or there are max_new
new tokens.

    model   model(ids), int64 [1, n] -> logits float32 [1, n, vocab]; those at the last place
            say what follows the text
    ids     int64 [t], t >= 1: the prompt, which the machine has not read
    finals  set of int: where the text may end
    result  list of int: the new tokens, with eos if it was reached

Something is always allowed, no two of it share the largest logit, and vocab[eos] is "".
Neither the lines of Python that decoding runs nor the numbers that it takes out of tensors
grow with the vocabulary: a step looks at index[state], not at all tokens.

Source: Willard & Louf 2023, Efficient Guided Generation for Large Language Models, arXiv:2307.09702, §3
"""

import torch
from torch import Tensor


def build_index(fsm: dict[int, dict[str, int]], vocab: list[str]) -> dict[int, dict[int, int]]:
    """state -> character -> state, and the text of each token -> state -> allowed token -> state."""
    index: dict[int, dict[int, int]] = {}
    for state in fsm:
        index[state] = {}
        for token, text in enumerate(vocab):
            # TODO (3 lines): `here`: where reading all of text leads from `state`; None if it cannot be read
            raise NotImplementedError("walk")
            # TODO (2 lines): note token in the index, if it is allowed in `state`
            raise NotImplementedError("note")
    return index


def constrained_decode(
    model, ids: Tensor, index: dict[int, dict[int, int]], start: int, finals: set[int], eos: int, max_new: int
) -> list[int]:
    """ids int64 [t] -> the most probable tokens, at most max_new, whose text the machine accepts."""
    state, new = start, []
    while len(new) < max_new:
        # TODO (1 line): `allowed`, list of int: the tokens that may come next
        raise NotImplementedError("allow")
        # TODO (2 lines): `token`, an int: the most probable of these, after the whole text
        raise NotImplementedError("choose")
        # TODO (4 lines): take the token into `new`; return if the text ends, otherwise go to the next `state`
        raise NotImplementedError("move")
    return new
