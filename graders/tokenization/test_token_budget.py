import random
import re
from functools import cache
from itertools import pairwise

import pytest

from clozekit.grading import corpus, mistake, reference

OVERHEAD = (3, 1, 3)  # per message, for a name, for the reply; of GPT-3.5 and GPT-4 since June 2023
EARLIER = (4, -1, 3)  # of gpt-3.5-turbo-0301


def chat(text):
    """One message a line: role, perhaps =name, and after a colon the content."""
    messages = []
    for line in text.strip("\n").split("\n") if text else []:
        head, _, content = line.strip().partition(":")
        role, _, name = head.partition("=")
        messages.append({"role": role, "content": content} | ({"name": name} if name else {}))
    return messages


CHATS = {
    "one message": "user:the watch",
    "a chat": "system:be kind\nuser:what is the use of a book\nassistant:a book is to read\nuser:without pictures?",
    "names": "system=rabbit:be late\nuser=alice:oh dear\nuser:oh dear",
    "ends that would merge": "user:t\nuser:h\nassistant:e\nuser=he:r",
    "Chinese": "system:学而时习之\nuser=子曰:不亦说乎？\nassistant:不亦乐乎",
    "emoji": "user:👍🏽 the 👩‍👩‍👧",
    "white space": "user:  the   watch  \nassistant:\tthe\u3000",
    "empty content": "user:\nassistant:",
    "no messages": "",
}

HISTORY = (
    "system:be kind\nuser:oh dear\nassistant:the watch\nuser:what is the use of a book\nassistant:no\nuser:the end"
)

# The chat, and how many tokens are left or missing for what is kept; then the places of the messages that are kept.
FITS = {
    "all of it": (HISTORY, 50, [0, 1, 2, 3, 4, 5]),
    "exactly": (HISTORY, 0, [0, 2, 3, 4, 5]),
    "one token too many": (HISTORY, -1, [0, 2, 3, 4, 5]),
    "system messages stay": (HISTORY, 1, [0, 4, 5]),
    "a system message in the middle": (
        "user:oh dear\nsystem:be kind\nuser:the watch\nassistant:no\nsystem:be late\nuser:the",
        0,
        [1, 3, 4, 5],
    ),
    "a large message between short ones": (
        "system:be\nuser:a\nuser:what is the use of a book without pictures\nuser:b\nuser:c",
        9,
        [0, 3, 4],
    ),
    "messages that are alike": (
        "user=alice:oh dear\nassistant:no\nuser=alice:oh dear\nassistant:no\nuser=alice:oh dear",
        0,
        [1, 2, 3, 4],
    ),
    "the newest alone": ("user:oh dear\nassistant:the watch\nuser:the end", 0, [2]),
    "the newest is a system message": ("user:oh dear\nassistant:the watch\nsystem:the end", 0, [2]),
    "the newest does not fit": ("user:oh dear\nassistant:the watch\nuser:the end", -1, [2]),
    "system messages do not fit": ("system:the watch\nuser:a\nsystem:the end\nuser:b", -1, [0, 2, 3]),
}


@cache
def learned(text, number):
    words = re.findall(" ?[^\\s]+", text)
    pairs = corpus.merges([[bytes([byte]) for byte in word.encode()] for word in words], number)
    tokens = dict.fromkeys([*(bytes([byte]) for byte in range(256)), *(a + b for a, b in pairs)])
    return {token: rank for rank, token in enumerate(tokens)}


def english():
    return dict(learned(corpus.ENGLISH, 120))


def chinese():
    return dict(learned(corpus.CHINESE * 2 + corpus.ENGLISH[:300], 150))


def check_count(check, ranks, overhead, messages):
    per_message, per_name, reply = overhead
    budget = check.new("TokenBudget", ranks, per_message=per_message, per_name=per_name, reply=reply)
    check(budget.count, messages, like=(ranks, overhead, messages))


def check_fit(check, ranks, overhead, messages, context, max_new):
    budget = check.new("TokenBudget", ranks, *overhead)
    check(budget.fit, messages, context, max_new, like=(ranks, overhead, messages, context, max_new))


@pytest.mark.parametrize("case", CHATS)
def test_count(check, case):
    check_count(check, english(), OVERHEAD, chat(CHATS[case]))


def test_count_a_novel(check):
    lines = [corpus.excerpt(60, corpus.ENGLISH), corpus.excerpt(40, corpus.CHINESE)]
    messages = [{"role": role, "content": line} for role, line in zip(["user", "assistant"], lines, strict=True)]
    messages[0]["name"] = "alice"
    budget = check.new("TokenBudget", chinese())
    check(budget.count, messages, like=(chinese(), OVERHEAD, messages))


MODELS = {
    "their own tokenizers": (english(), OVERHEAD, chinese(), OVERHEAD, CHATS["a chat"] + "\n" + CHATS["Chinese"]),
    "their own overhead": (english(), OVERHEAD, english(), EARLIER, CHATS["names"]),
    "the lowest rank goes first": (
        {b"xyx": -9, b"xy": -8, b"bc": -7, b"ab": -6, b"abc": -5, b"cd": -4, b"abcd": -3} | english(),
        OVERHEAD,
        {b"bc": -3, b"ab": -2, b"cd": -1} | english(),
        OVERHEAD,
        "user:abcd\nassistant:ababcdabcdbcxyxyx",
    ),
}


@pytest.mark.parametrize("case", MODELS)
def test_two_models(check, case):
    first, overhead, second, other, text = MODELS[case]
    for ranks, added in ((first, overhead), (second, other), (first, overhead)):
        check_count(check, ranks, added, chat(text))


@pytest.mark.parametrize("case", FITS)
def test_fit(check, case):
    text, left, kept = FITS[case]
    messages = chat(text)
    ranks, max_new = english(), 20
    context = prompt(ranks, OVERHEAD, [messages[i] for i in kept]) + max_new + left
    check_fit(check, ranks, OVERHEAD, messages, context, max_new)


def test_fit_no_room_for_an_answer(check):
    messages = chat(HISTORY)
    needed = prompt(english(), OVERHEAD, [messages[0], messages[-1]])
    for context in (needed + 5, needed + 6):
        check_fit(check, english(), OVERHEAD, messages, context, 6)


def test_fit_no_answer_wanted(check):
    messages = chat(HISTORY)
    check_fit(check, english(), OVERHEAD, messages, prompt(english(), OVERHEAD, messages[:1] + messages[3:]), 0)


@pytest.mark.hidden
def test_chats_drawn_anew(check):
    for ranks in (english(), chinese()):
        overhead = (random.randint(1, 6), random.choice([-1, 1, 2]), random.randint(0, 5))
        messages = []
        for role in random.choices(["system", "user", "assistant"], weights=[1, 3, 3], k=random.randint(7, 9)):
            name = {"name": corpus.excerpt(4)} if random.random() < 0.3 else {}
            messages.append({"role": role, "content": corpus.excerpt(random.choice([2, 9, 30]))} | name)
        check_count(check, ranks, overhead, messages)
        whole, max_new = prompt(ranks, overhead, messages), random.randint(1, 30)
        for share in (0.2, 0.5, 0.8):
            check_fit(check, ranks, overhead, messages, int(share * whole) + max_new, max_new)


@reference("TokenBudget.count")
def prompt(ranks, overhead, messages):
    per_message, per_name, reply = overhead
    named = sum(1 for message in messages if "name" in message)
    texts = [text for message in messages for text in message.values()]
    return reply + per_message * len(messages) + per_name * named + sum(length(ranks, text) for text in texts)


def length(ranks, text):
    parts = [bytes([byte]) for byte in text.encode()]
    while True:
        joined = [left + right for left, right in pairwise(parts)]
        known = [token for token in joined if token in ranks]
        if not known:
            return len(parts)
        i = joined.index(min(known, key=ranks.get))
        parts[i : i + 2] = [joined[i]]


@reference("TokenBudget.fit")
def cut(ranks, overhead, messages, context, max_new):
    kept = list(range(len(messages)))
    while prompt(ranks, overhead, [messages[i] for i in kept]) + max_new > context:
        loose = [i for i in kept[:-1] if messages[i]["role"] != "system"]
        if not loose:
            return None
        kept.remove(loose[0])
    return [messages[i] for i in kept]


@mistake("TokenBudget.tokens")
def counts_characters(self, text):
    return len(text)


@mistake("TokenBudget.tokens")
def counts_words(self, text):
    return len(text.split())


@mistake("TokenBudget.tokens")
def four_characters(self, text):
    return (len(text) + 3) // 4


@mistake("TokenBudget.tokens")
def counts_bytes(self, text):
    return len(text.encode())


@mistake(blank="merge")
def merges_leftmost(self, parts):
    while found := [i for i in range(len(parts) - 1) if parts[i] + parts[i + 1] in self.ranks]:
        i = found[0]
        parts[i : i + 2] = [parts[i] + parts[i + 1]]


@mistake(blank="merge")
def longest_first(self, parts):
    rest, parts = b"".join(parts), []
    while rest:
        size = next(size for size in range(len(rest), 0, -1) if rest[:size] in self.ranks)
        parts.append(rest[:size])
        rest = rest[size:]


@mistake("TokenBudget.__init__")
def tokenizer_of_the_first_model(self, ranks, per_message=3, per_name=1, reply=3):
    TokenBudget.ranks = getattr(TokenBudget, "ranks", ranks)  # noqa: F821
    self.per_message, self.per_name, self.reply = per_message, per_name, reply


@mistake(blank="cost")
def forgets_the_role(self, message):
    extra = self.per_message + (self.per_name if "name" in message else 0)
    return extra + self.tokens(message["content"])


@mistake(blank="cost")
def forgets_per_message(self, message):
    return (self.per_name if "name" in message else 0) + sum(self.tokens(value) for value in message.values())


@mistake(blank="total")
def forgets_the_reply(self, messages):
    return sum(self.cost(message) for message in messages)


@mistake(blank="total")
def reply_for_each(self, messages):
    return sum(self.reply + self.cost(message) for message in messages)


@mistake(blank="cost")
def forgets_per_name(self, message):
    return self.per_message + sum(self.tokens(value) for value in message.values())


@mistake(blank="cost")
def per_name_always(self, message):
    return self.per_message + self.per_name + sum(self.tokens(value) for value in message.values())


@mistake(blank="cost")
def name_is_free(self, message):
    extra = self.per_message + (self.per_name if "name" in message else 0)
    return extra + self.tokens(message["role"]) + self.tokens(message["content"])


@mistake(blank="cost")
def joins_the_values(self, message):
    extra = self.per_message + (self.per_name if "name" in message else 0)
    return extra + self.tokens("".join(message.values()))


@mistake(blank="total")
def counts_all_together(self, messages):
    named = sum("name" in message for message in messages)
    text = "".join(value for message in messages for value in message.values())
    return self.reply + self.per_message * len(messages) + self.per_name * named + self.tokens(text)


@mistake(blank="fits")
def no_room_for_the_answer(self, kept, context):
    if self.count(kept) <= context:
        return kept


@mistake(blank="fits")
def one_too_few(self, kept, context, max_new):
    if self.count(kept) + max_new < context:
        return kept


@mistake(blank="keep")
def drops_the_system_message(messages, start):
    kept = messages[start:]


@mistake(blank="keep")
def keeps_a_system_message_in_front_only(messages, start):
    kept = [message for message in messages[: min(start, 1)] if message["role"] == "system"] + messages[start:]


@mistake(blank="keep")
def keeps_the_first_message(messages, start):
    kept = messages[: min(start, 1)] + messages[start:]


@mistake(blank="keep")
def drops_the_newest(messages, start):
    end = len(messages) - start
    kept = messages[:end] + [message for message in messages[end:] if message["role"] == "system"]


@mistake("TokenBudget.fit")
def skips_large_messages(self, messages, context, max_new):
    kept = {i for i, message in enumerate(messages) if message["role"] == "system"} | {len(messages) - 1}
    if self.count([messages[i] for i in sorted(kept)]) + max_new > context:
        return None
    for i in reversed(range(len(messages))):
        if self.count([messages[j] for j in sorted(kept | {i})]) + max_new <= context:
            kept.add(i)
    return [messages[i] for i in sorted(kept)]


@mistake(blank="keep")
def moves_system_to_the_front(messages, start):
    system = [message for message in messages if message["role"] == "system"]
    kept = system + [message for message in messages[start:] if message["role"] != "system"]


@mistake("TokenBudget.fit")
def returns_what_does_not_fit(self, messages, context, max_new):
    for start in range(len(messages)):
        before = [message for message in messages[:start] if message["role"] == "system"]
        kept = before + messages[start:]
        if self.count(kept) + max_new <= context:
            break
    return kept


@mistake("TokenBudget.fit")
def drops_all(self, messages, context, max_new):
    for start in range(len(messages) + 1):
        before = [message for message in messages[:start] if message["role"] == "system"]
        kept = before + messages[start:]
        if self.count(kept) + max_new <= context:
            return kept
    return None
