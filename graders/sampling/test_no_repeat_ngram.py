import math
import random
from collections import deque

import pytest
import torch

from clozekit.grading import mistake, reference

# n, the prompt, and what comes after it. Letters are tokens, told apart from everything else by their numbers.
CASES = {
    "bigrams": (2, "abcab", "cbacd"),
    "trigrams": (3, "abcacbcab", "dcacb"),
    "four in a row": (4, "abcdbcdabcd", "abcab"),
    "single tokens": (1, "", "abcbad"),
    "one token again and again": (3, "", "aaaa"),
    "nothing comes twice": (2, "abcdef", "ghi"),
    "one prompt": (3, "abaababaabab", ""),
}


def tokens(letters):
    return [3 * ord(letter) - 280 for letter in letters]  # a is 11, z is 86


def definition(text, n):
    """By comparing the end of the text with every place in it."""
    start = text[len(text) - n + 1 :]
    places = range(len(text) - n + 1)
    return {text[i + n - 1] for i in places if all(text[i + k] == start[k] for k in range(n - 1))}


def new(check, n, ids):
    return check.new("NoRepeatNGram", n=n, ids=ids)


def follow(check, blocker, n, text, more):
    """What is banned before each of more tokens, and after the last."""
    check(blocker.banned, returns=definition(text, n))
    for token in more:
        check(blocker.append, token, returns=None)
        text = [*text, token]
        check(blocker.banned, returns=definition(text, n))


@pytest.mark.parametrize("case", CASES)
def test_tokens_one_by_one(check, case):
    n, prompt, more = CASES[case]
    follow(check, new(check, n, tokens(prompt)), n, tokens(prompt), tokens(more))


def test_two_texts_in_turn(check):
    texts = tokens("abcab"), tokens("cbdcb")
    blockers = [new(check, 2, text) for text in texts]
    for token in tokens("bac"):
        for blocker, text in zip(blockers, texts, strict=True):
            check(blocker.banned, returns=definition(text, 2))
            check(blocker.append, token, returns=None)
            text.append(token)


def block(check, n, ids, logits, more=()):
    """Before each of more tokens, and after the last."""
    blocker = new(check, n, ids)
    check(blocker.block, logits, like=(logits, sorted(definition(ids, n))))
    for token in more:
        check(blocker.append, token, returns=None)
        ids = [*ids, token]
        check(blocker.block, logits, like=(logits, sorted(definition(ids, n))))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_block(check, dtype):
    """Every other element of a larger tensor."""
    block(check, 2, tokens("abacadab"), (4 * torch.randn(2 * 40)).to(dtype)[::2])


def test_logits_far_below(check):
    block(check, 1, tokens("abc"), 1e12 * torch.randn(30))


def test_all_are_banned(check):
    block(check, 1, [2, 0, 1], torch.randn(3))


def test_nothing_is_banned(check):
    """At first: what was banned for one token is not what is banned for the next."""
    block(check, 3, tokens("ab"), torch.randn(30), tokens("aba"))


@pytest.mark.parametrize("length", [(30, 40), (400, 500)], ids=["short text", "long text"])
def test_cost_of_a_token(check, length):
    n = random.randint(3, 4)  # of seven tokens, so many beginnings that a walk over them shows
    text = random.choices(range(7), k=random.randint(*length))
    blocker, token = new(check, n, text), random.randrange(7)
    check(blocker.append, token, returns=None, measured=True)
    check(blocker.banned, returns=definition([*text, token], n), measured=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Texts of few tokens, so that much comes twice, but not everything; the last is of the first one's sizes."""
    long = random.randint(6, 7), random.randint(700, 900), 3
    wide = random.randint(2, 3), random.randint(60, 90), 9
    for n, length, several in (long, wide, (1, 3, 12), long):
        names = random.sample(range(1000, 60_000), k=several)
        text, more = random.choices(names, k=length), random.choices(names, k=random.randint(9, 12))
        blocker = new(check, n, text)
        follow(check, blocker, n, text, more)
        logits = torch.randn(60_000 + random.randint(1, 99))
        check(blocker.block, logits, like=(logits, sorted(definition([*text, *more], n))))


@reference("NoRepeatNGram.block")
def blocked(logits, banned):
    return logits.index_fill(0, torch.tensor(banned, dtype=torch.int64), -math.inf)


@mistake("NoRepeatNGram.__init__")
def ignores_the_prompt(self, n, ids):
    self.recent = deque(ids[len(ids) - n + 1 :], maxlen=n - 1)
    self.followers = {}


@mistake("NoRepeatNGram.__init__")
def blocks_longer_ngrams(self, n, ids):
    self.recent = deque(maxlen=n)
    self.followers = {}
    for token in ids:
        self.append(token)


@mistake("NoRepeatNGram.__init__")
def blocks_shorter_ngrams(self, n, ids):
    self.recent = deque(maxlen=max(0, n - 2))
    self.followers = {}
    for token in ids:
        self.append(token)


@mistake(blank="index")
def remembers_the_latest_only(self, token):
    self.followers[tuple(self.recent)] = {token}


@mistake(blank="lookup")
def bans_every_seen_token(self):
    return set().union(*self.followers.values())


@mistake("NoRepeatNGram.__init__")
def ignores_the_order(self, n, ids):
    class Sorted(deque):
        def __iter__(self):
            return iter(sorted(super().__iter__()))

    self.recent = Sorted(maxlen=n - 1)
    self.followers = {}
    for token in ids:
        self.append(token)


@mistake(blank="index")
def shifts_first(self, token):
    before = tuple(self.recent)
    self.recent.append(token)
    self.followers.setdefault(tuple(self.recent), set()).add(token)
    self.recent.clear()
    self.recent.extend(before)


@mistake("NoRepeatNGram.__init__")
def never_bans_single_tokens(self, n, ids):
    self.recent = deque(maxlen=n - 1 or None)
    self.followers = {}
    for token in ids:
        self.append(token)


@mistake("NoRepeatNGram.append")
def every_nth_only(self, token):
    self.count = getattr(self, "count", 0) + 1
    if self.count % (self.recent.maxlen + 1) == 0:
        self.followers.setdefault(tuple(self.recent), set()).add(token)
    self.recent.append(token)


@mistake(blank="lookup")
def scans_the_text(self):
    found = set()
    for before, tokens in self.followers.items():
        if before == tuple(self.recent):
            found |= tokens
    return found


@mistake(blank="lookup")
def hands_out_the_index(self):
    return self.followers.setdefault(tuple(self.recent), set())


@mistake("NoRepeatNGram.__init__")
def shares_the_index(self, n, ids, followers={}):  # noqa: B006
    self.recent = deque(maxlen=n - 1)
    self.followers = followers
    for token in ids:
        self.append(token)


@mistake(blank="block")
def keeps_the_first_ban(self, logits):
    self.kept = getattr(self, "kept", None) or list(self.banned())
    blocked = logits.clone()
    blocked[self.kept] = -math.inf
    return blocked


@mistake(blank="block")
def zero(self, logits):
    blocked = logits.clone()
    blocked[list(self.banned())] = 0
    return blocked


@mistake(blank="block")
def finite_number(self, logits):
    blocked = logits.clone()
    blocked[list(self.banned())] = -1e4
    return blocked


@mistake(blank="block")
def large_constant(self, logits):
    blocked = logits.clone()
    blocked[list(self.banned())] = -1e9
    return blocked


@mistake(blank="block")
def changes_the_logits(self, logits):
    logits[list(self.banned())] = -math.inf
    return logits
