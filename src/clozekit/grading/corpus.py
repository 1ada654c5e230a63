"""A little text that is nobody's property, for graders that read, tokenize or learn it.

    ENGLISH           Lewis Carroll (1832-1898), Alice's Adventures in Wonderland, 1865, chapter 1: its first paragraphs
    CHINESE           《论语·学而》, about the 5th century BC, 1.1 to 1.5
    excerpt(80)       80 characters in a row of one of them, from a place that the grader's seed draws
    merges(words, 9)  the first 9 merges of a BPE that is learned from words: pairs of their parts

A word is any sequence of parts that add up: a str, or a list of bytes.
"""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

ENGLISH = """\
Alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do: once or twice \
she had peeped into the book her sister was reading, but it had no pictures or conversations in it, “and what is the \
use of a book,” thought Alice “without pictures or conversations?”

So she was considering in her own mind (as well as she could, for the hot day made her feel very sleepy and stupid), \
whether the pleasure of making a daisy-chain would be worth the trouble of getting up and picking the daisies, when \
suddenly a White Rabbit with pink eyes ran close by her.

There was nothing so very remarkable in that; nor did Alice think it so very much out of the way to hear the Rabbit say \
to itself, “Oh dear! Oh dear! I shall be late!” (when she thought it over afterwards, it occurred to her that she ought \
to have wondered at this, but at the time it all seemed quite natural); but when the Rabbit actually took a watch out of \
its waistcoat-pocket, and looked at it, and then hurried on, Alice started to her feet, for it flashed across her mind \
that she had never before seen a rabbit with either a waistcoat-pocket, or a watch to take out of it, and burning with \
curiosity, she ran across the field after it, and fortunately was just in time to see it pop down a large rabbit-hole \
under the hedge.
"""

CHINESE = """\
子曰：“学而时习之，不亦说乎？有朋自远方来，不亦乐乎？人不知而不愠，不亦君子乎？”
有子曰：“其为人也孝弟，而好犯上者，鲜矣；不好犯上而好作乱者，未之有也。君子务本，本立而道生。孝弟也者，其为仁之本与！”
子曰：“巧言令色，鲜矣仁！”
曾子曰：“吾日三省吾身：为人谋而不忠乎？与朋友交而不信乎？传不习乎？”
子曰：“道千乘之国，敬事而信，节用而爱人，使民以时。”
"""


def excerpt(length: int, text: str | None = None) -> str:
    """So many characters in a row, of a text that is drawn as well if none is given."""
    text = text or random.choice([ENGLISH, CHINESE])
    start = random.randint(0, len(text) - length)
    return text[start : start + length]


def merges(words: Iterable[Sequence[Any]], number: int) -> list[tuple[Any, Any]]:
    """Of equally frequent pairs the greatest goes first."""
    times = Counter(tuple(word) for word in words)
    learned: list[tuple[Any, Any]] = []
    while len(learned) < number:
        counts: Counter[tuple[Any, Any]] = Counter()
        for word, often in times.items():
            for pair in pairwise(word):
                counts[pair] += often
        if not counts:
            break
        best = max(counts, key=lambda pair: (counts[pair], pair))
        learned.append(best)
        times = Counter({_joined(word, best): often for word, often in times.items()})
    return learned


def _joined(word: Sequence[Any], pair: tuple[Any, Any]) -> tuple[Any, ...]:
    tokens: list[Any] = []
    for token in word:
        if tokens and (tokens[-1], token) == pair:
            tokens[-1] += token
        else:
            tokens.append(token)
    return tuple(tokens)
