import math
import random

import pytest
import torch

from clozekit import tiny_lm
from clozekit.grading import mistake, reference

EOS = ""
AHEAD = 60.0  # of logits: more than a small bias outweighs, and a softmax in float32 still holds exp(-60)


def machine(rows):
    """{state: {characters: state}} with each character on its own."""
    return {state: {c: there for cs, there in row.items() for c in cs} for state, row in rows.items()}


# fsm, where it starts, where a text may end, and tokens; in each case some can be read in part only.
MACHINES = {
    "a number": (  # -?(0|[1-9][0-9]*)(\.[0-9]+)?
        machine({
            0: {"-": 1, "0": 2, "123456789": 3},
            1: {"0": 2, "123456789": 3},
            2: {".": 4},
            3: {"0123456789": 3, ".": 4},
            4: {"0123456789": 5},
            5: {"0123456789": 5},
        }),
        0,
        {2, 3, 5},
        ["-", ".", "0", "7", "12", "00", "-1", "-0.", ".5", "3.", "1-", "..", "4.25", "5.0.", "a", "7a", "05", EOS],
    ),
    "a list of booleans": (  # \[([tf](,[tf])*)?\], which begins in state 3
        machine({3: {"[": 0}, 0: {"tf": 2, "]": 9}, 2: {",": 5, "]": 9}, 5: {"tf": 2}, 9: {}}),
        3,
        {9},
        ["[", "]", "t", "f", ",", "[]", "t,", ",f", "t]", ",,", "[t", "f,t", "]]", "][", "f,t]", EOS, "x", EOS],
    ),
    "a word again and again": (  # (ab|aab)*
        machine({0: {"a": 1}, 1: {"a": 2, "b": 0}, 2: {"b": 0}}),
        0,
        {0},
        ["a", "b", "ab", "aab", "ba", "aa", "aaa", "bb", "abaab", "ababb", "c", EOS],
    ),
    "two words": (  # yes|no
        machine({4: {"y": 7, "n": 8}, 7: {"e": 1}, 1: {"s": 0}, 8: {"o": 0}, 0: {}}),
        4,
        {0},
        ["y", "e", "s", "n", "o", "ye", "es", "yes", "no", "nos", "yo", "not", "yess", EOS, "ne"],
    ),
}  # fmt: skip


def drawn(states=5, tokens=40):
    """A machine of any shape, from each state of which something can be read."""
    names = random.sample(range(100), k=states)
    fsm = {}
    for name in names:
        row = {c: random.choice(names) for c in "abcd" if random.random() < 0.55}
        fsm[name] = row or {random.choice("abcd"): random.choice(names)}
    words = ["".join(random.choices("abcd", k=random.randint(1, 4))) for _ in range(tokens - 5)]
    vocab = random.sample([*"abcd", *words, EOS], k=tokens)
    return fsm, random.choice(names), set(random.sample(names, k=states // 2)), vocab


def found(case):
    return drawn() if case == "drawn" else MACHINES[case]


def definition(parameters, ids, index, start, finals, eos, max_new):
    """The new tokens, the states on the way, how close the closest choice was, how far a forbidden token was ahead."""
    model, text, states, closest, ahead = tiny_lm.built(parameters), list(ids), [start], math.inf, 0.0
    while len(text) < len(ids) + max_new and (len(text) == len(ids) or text[-1] != eos):
        every = model(torch.tensor([text]))[0, -1].tolist()
        logits = [
            x if v in index[states[-1]] or (v == eos and states[-1] in finals) else -math.inf
            for v, x in enumerate(every)
        ]
        first, second = sorted(logits, reverse=True)[:2]
        closest, ahead = min(closest, first - second), max(ahead, max(every) - first)
        text.append(logits.index(first))
        states.append(index[states[-1]].get(text[-1], -1))
    return text[len(ids) :], states, closest, ahead


def ask(check, fsm, start, finals, vocab, max_new, wanted=lambda new, states: True, sure=False, **options):
    """Of what a model writes that is clear and as it is wanted. sure: that of some forbidden token it is very sure."""
    index, eos = read(fsm, vocab), vocab.index(EOS)
    while True:
        parameters, ids = tiny_lm.draw(len(vocab)), torch.randint(0, len(vocab), (random.randint(2, 5),))
        new, states, closest, ahead = definition(parameters, ids.tolist(), index, start, finals, eos, max_new)
        if closest > 0.01 and wanted(new, states) and (ahead > 2 or not sure):
            break
    if sure:
        parameters["head"] *= AHEAD / ahead
    model = check.new("TinyLM", vocab=len(vocab), parameters=parameters)
    check("constrained_decode", model, ids, index, start, finals, eos, max_new, returns=new, **options)


@pytest.mark.parametrize("case", [*MACHINES, "drawn"])
def test_index(check, case):
    fsm, _, _, vocab = found(case)
    check("build_index", fsm, vocab)


@pytest.mark.parametrize("case", [*MACHINES, "drawn"])
def test_decode(check, case):
    """Several tokens and eos; where the machine lets it, eos is not taken at the first chance."""
    fsm, start, finals, vocab = found(case)

    def wanted(new, states):
        passed = any(state in finals for state in states[:-2]) or case not in ("a number", "a word again and again")
        return len(new) > 2 and vocab[new[-1]] == EOS and passed

    ask(check, fsm, start, finals, vocab, 9, wanted if case != "drawn" else lambda new, states: len(new) > 1)


def test_nothing_to_write(check):
    """Where a text may be empty, eos may come first."""
    ask(check, *MACHINES["a word again and again"], 4, lambda new, states: len(new) == 1)


def test_a_model_that_is_sure(check):
    ask(check, *MACHINES["two words"], 9, lambda new, states: len(new) > 2, sure=True)


def test_no_room_to_end(check):
    ask(check, *MACHINES["a list of booleans"], 3, lambda new, states: states[-1] in (2, 5))


@pytest.mark.parametrize("tokens", [(30, 40), (500, 600)], ids=["small vocabulary", "large vocabulary"])
def test_cost(check, tokens):
    """Of as many allowed tokens in both: the larger vocabulary has others in addition."""
    fsm, start, finals, vocab = MACHINES["a word again and again"]
    vocab = [*vocab, *("".join(random.choices("xyz", k=3)) for _ in range(random.randint(*tokens)))]
    ask(
        check,
        fsm,
        start,
        finals,
        random.sample(vocab, k=len(vocab)),
        6,
        lambda new, states: len(new) == 6,
        measured=True,
    )


@pytest.mark.hidden
def test_machines_drawn_anew(check):
    for states, tokens in ((random.randint(3, 4), 25), (random.randint(20, 30), 70), (random.randint(3, 4), 25)):
        fsm, start, finals, vocab = drawn(states, tokens)
        check("build_index", fsm, vocab)
        ask(check, fsm, start, finals, vocab, random.randint(10, 12), lambda new, states: len(new) > 3)


@reference("build_index")
def read(fsm, vocab):
    """By recursion on the text."""

    def after(state, text):
        if not text or state is None:
            return state
        return after(fsm[state].get(text[0]), text[1:])

    reached = {state: {v: after(state, text) for v, text in enumerate(vocab) if text} for state in fsm}
    return {state: {v: there for v, there in row.items() if there is not None} for state, row in reached.items()}


@mistake(blank="walk")
def first_character_only(fsm, state, text):
    here = fsm[state].get(text[:1])


@mistake(blank="walk")
def keeps_the_last_state(fsm, state, text):
    here = state
    for character in text:
        here = fsm[here].get(character, here)
    here = here if fsm[state].get(text[:1]) is not None else None


@mistake(blank="walk")
def walks_from_the_start(fsm, text):
    here = next(iter(fsm))
    for character in text:
        here = fsm[here].get(character) if here is not None else None


@mistake(blank="note")
def allows_empty_tokens(index, state, token, here):
    if here is not None:
        index[state][token] = here


@mistake(blank="note")
def single_characters_only(index, state, token, text, here):
    if len(text) == 1 and here is not None:
        index[state][token] = here


@mistake(blank="note")
def only_to_exits(fsm, index, state, token, text, here):
    if text and here is not None and fsm[here]:
        index[state][token] = here


@mistake(blank="note")
def leads_back(index, state, token, text, here):
    if text and here is not None:
        index[state][token] = state


@mistake(blank="allow")
def never_allows_eos(index, state):
    allowed = [*index[state]]


@mistake(blank="allow")
def always_allows_eos(index, state, eos):
    allowed = [*index[state], eos]


@mistake(blank="allow")
def never_ends_at_once(index, state, finals, eos, new):
    allowed = [*index[state], *([eos] if state in finals and new else [])]


@mistake(blank="allow")
def ends_in_the_first_final_state(index, state, finals, eos):
    allowed = [eos] if state in finals else [*index[state]]


@mistake(blank="allow")
def stays_in_the_start(index, state, start, finals, eos):
    allowed = [*index[start], *([eos] if start in finals else [])]


@mistake(blank="choose")
def place_for_token(model, ids, new, allowed):
    logits = model(torch.cat([ids, torch.tensor(new, dtype=torch.int64)])[None])[0, -1]
    token = int(logits[allowed].argmax())


@mistake(blank="choose")
def zeroes_logits(model, ids, new, allowed):
    logits = model(torch.cat([ids, torch.tensor(new, dtype=torch.int64)])[None])[0, -1]
    mask = torch.zeros_like(logits)
    mask[allowed] = 1
    token = int((logits * mask).argmax())


@mistake(blank="choose")
def subtracts_a_number(model, ids, new, allowed):
    logits = model(torch.cat([ids, torch.tensor(new, dtype=torch.int64)])[None])[0, -1]
    bias = torch.full_like(logits, -10.0)
    bias[allowed] = 0
    token = int((logits + bias).argmax())


@mistake(blank="choose")
def takes_the_first_allowed(model, ids, new, allowed):
    token = int(model(torch.cat([ids, torch.tensor(new, dtype=torch.int64)])[None])[0, -1].argmax())
    token = token if token in allowed else allowed[0]


@mistake(blank="choose")
def forgets_the_new_tokens(model, ids, allowed):
    logits = model(ids[None])[0, -1]
    token = allowed[int(logits[allowed].argmax())]


@mistake(blank="choose")
def scans_the_vocabulary(model, ids, new, allowed):
    logits = model(torch.cat([ids, torch.tensor(new, dtype=torch.int64)])[None])[0, -1].tolist()
    token = allowed[0]
    for v, x in enumerate(logits):
        if v in allowed and x > logits[token]:
            token = v


@mistake("constrained_decode")
def leaves_out_eos(model, ids, index, start, finals, eos, max_new):
    state, new = start, []
    while len(new) < max_new:
        allowed = [*index[state], *([eos] if state in finals else [])]
        logits = model(torch.cat([ids, torch.tensor(new, dtype=torch.int64)])[None])[0, -1]
        token = allowed[int(logits[allowed].argmax())]
        if token == eos:
            return new
        new.append(token)
        state = index[state][token]
    return new
