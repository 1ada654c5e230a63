import math
import random
import re

import pytest

from clozekit.grading import mistake, reference

TEXTS = {
    "plain": "There are 3 boxes of 6. The answer is 18",
    "a full stop": "She sells 9 of 16. The answer is 7.",
    "words around it": "The answer is clear. It is a well-earned $45 a week, or so.",
    "numbers before and after": "2 + 2 = 4, so 4 * 3 = 12. The answer is 12 apples in 3 bags of 4.",
    "said twice": "The answer is 8. No: 2 of them are broken. The answer is 6 plates.",
    "thousands": "12 months make 1250 each. The answer is $1,250,000.",
    "negative": "From 4 degrees it falls by 7. The answer is -3 degrees.",
    "decimals": "A half of 0.25. The answer is 0.125 litres.",
    "all at once": "12 a week. The answer is that it loses $-12,345.50 in 2 years.",
    "several lines": "One costs 5.\nThe answer is 35 a week.\nNo, 6 days.\nThe answer is about\n30 a week.\nIn 3 lines.",
    "a list": "Some fit. The answer is one of, say, 5,6 or 7.",
    "other words": "The answer is 6. The answer isn't 8, and the answer is not 8.",
    "a date after it": "The answer is 30, 2024 was a leap year.",
    "no number": "5 of 9. The answer is unknown.",
    "taken back": "6 of 9. The answer is 3. No. The answer is unknown.",
    "no statement": "So we get 5 + 6 = 11.",
}


def say(*answers):
    """Texts that end in these answers; None: in none."""
    ends = ("So it is 99.", "Hm.", "I do not know, 1 or 2.")
    return [
        f"Of {i + 3} we take 2. " + (f"The answer is {a}." if a else random.choice(ends)) for i, a in enumerate(answers)
    ]


VOTES = {
    "a majority": ("12", "7", "12", "9", "7", "12"),
    "one text": ("5",),
    "equal numbers, written differently": ("7", "1,000", "18", "7", "1000", "18.0", "1000.00"),
    "the first of equals, the smaller": ("3", "5", "11", "11", "5", "8"),
    "the first of equals, the larger": ("3", "11", "5", "5", "11", "8"),
    "most have no answer": (None, "6", None, "0", None, "0"),
    "none has an answer": (None, None),
}

# Of each text its answer, the mean log-probability of its tokens and how many there are.
WEIGHTED = {
    "a sure minority": (("4", -2.5, 5), ("9", -0.1, 6), ("4", -2.0, 4), ("4", -3.0, 7)),
    "many unsure texts": (("9", -0.5, 6), ("4", -1.2, 5), ("4", -1.4, 5), ("4", -1.3, 6)),
    "long and short texts": (("4", -1.0, 2), ("9", -0.6, 12), ("7", -0.8, 1)),
    "the majority is the surest": (("4", -0.5, 4), ("9", -1.0, 5), ("4", -0.3, 6), ("4", -0.6, 3)),
    "sure and unsure texts": (("4", -0.3, 5), ("4", -3.0, 4), ("9", -0.6, 6), ("4", -3.2, 5)),
    "two unsure texts against a sure one": (("4", -1.0, 4), ("9", -0.2, 6), ("4", -1.0, 5)),
    "long texts": (("9", -1.1, 900), ("4", -1.2, 1000), ("4", -1.3, 800)),
    "texts without an answer": ((None, -0.01, 4), ("9", -1.5, 5), (None, -0.02, 3), ("4", -1.1, 8)),
}


def written(number):
    """A way to write a number, a multiple of a quarter."""
    forms = "{:.2f}", "{:,.2f}", "{:.3f}", "{:,.0f}", "{:.0f}"
    return random.choice(forms[: 5 if number % 1 == 0 else 3]).format(number)


def scored(*texts):
    """Log-probabilities of the tokens of each text, with this mean, far from equal."""
    found = []
    for _, mean, count in texts:
        shares = [random.uniform(0.2, 1.8) for _ in range(count)]
        found.append([mean * share * count / sum(shares) for share in shares])
    return found


@pytest.mark.parametrize("case", TEXTS)
def test_extract(check, case):
    check("extract_answer", TEXTS[case], once=True)  # with a letter less it may be another question


@pytest.mark.parametrize("case", VOTES)
def test_vote(check, case):
    check("self_consistency", say(*VOTES[case]), once=True)


@pytest.mark.parametrize("case", WEIGHTED)
def test_weighted(check, case):
    texts = WEIGHTED[case]
    check("self_consistency", say(*(answer for answer, _, _ in texts)), scored(*texts), once=True)


def test_a_text_with_one_token_that_is_improbable(check):
    check("self_consistency", say("4", "9"), [[-0.01, -6.0], [-1.2, -1.3, -1.1]], once=True)


@pytest.mark.hidden
def test_numbers_drawn_anew(check):
    """Many texts; two calls in turn have as many of them."""
    size = random.randint(33, 40)
    for weighted in (True, False, True):
        names = random.sample(range(-50_000, 5_000_000), k=5)
        quarters = random.choices([4 * name for name in names] + [4 * names[0] + 1], k=size)  # two answers are close
        texts = [(written(q / 4), random.uniform(-3, -0.2), random.randint(1, 9)) for q in quarters]
        texts = [text if random.random() < 0.8 else (None, -0.05, 3) for text in texts]
        said, scores = say(*(answer for answer, _, _ in texts)), scored(*texts)
        check("self_consistency", said, scores if weighted else None, once=True)
        for text in random.sample(said, k=3):
            check("extract_answer", text, once=True)


@reference("extract_answer")
def extracted(text):
    """The longest number that begins where the first digit stands."""
    places = [i for i in range(len(text)) if text.startswith("The answer is ", i)]
    rest = text[places[-1] + len("The answer is ") :] if places else ""
    start = next((i for i, c in enumerate(rest) if c in "0123456789"), len(rest))
    for end in range(len(rest), start, -1):
        whole, point, part = rest[start:end].partition(".")
        first, *groups = whole.split(",")
        grouped = all(len(group) == 3 and group.isdecimal() for group in groups)
        if first.isdecimal() and grouped and part.isdecimal() == bool(point):
            number = float(f"{first}{''.join(groups)}.{part or 0}")
            return -number if rest[:start].endswith("-") else number
    return None


@reference("self_consistency")
def most(texts, log_probs=None):
    answers = [extracted(text) for text in texts]
    weights = [math.exp(math.fsum(row) / len(row)) for row in log_probs] if log_probs else [1.0] * len(texts)
    totals = [math.fsum(w for b, w in zip(answers, weights, strict=True) if b == a) for a in answers if a is not None]
    given = [a for a in answers if a is not None]
    return given[totals.index(max(totals))] if given else None


@mistake(blank="extract")
def takes_the_last_number(text):
    found = (
        re.findall(r"-?\d+(?:,\d{3})*(?:\.\d+)?", text.rpartition("The answer is ")[2])
        if "The answer is " in text
        else []
    )
    return float(found[-1].replace(",", "")) if found else None


@mistake(blank="extract")
def takes_the_last_number_of_all(text):
    found = re.findall(r"-?\d+(?:,\d{3})*(?:\.\d+)?", text)
    return float(found[-1].replace(",", "")) if found else None


@mistake(blank="extract")
def takes_the_first_number(text):
    number = re.search(r"-?\d+(?:,\d{3})*(?:\.\d+)?", text)
    return float(number[0].replace(",", "")) if number else None


@mistake(blank="extract")
def takes_the_first_statement(text):
    number = re.search(r"-?\d+(?:,\d{3})*(?:\.\d+)?", text.partition("The answer is ")[2])
    return float(number[0].replace(",", "")) if number else None


@mistake(blank="extract")
def goes_back_to_an_earlier_statement(text):
    numbers = [re.search(r"-?\d+(?:,\d{3})*(?:\.\d+)?", part) for part in text.split("The answer is ")[1:]]
    found = [number[0] for number in numbers if number]
    return float(found[-1].replace(",", "")) if found else None


@mistake(blank="extract")
def reads_one_line(text):
    found = re.search(r".*The answer is (.*)", text)
    number = re.search(r"-?\d+(?:,\d{3})*(?:\.\d+)?", found[1]) if found else None
    return float(number[0].replace(",", "")) if number else None


@mistake(blank="extract")
def expects_it_right_behind(text):
    number = re.search(r"The answer is (-?\d+(?:,\d{3})*(?:\.\d+)?)(?!.*The answer is )", text)
    return float(number[1].replace(",", "")) if number else None


@mistake(blank="extract")
def any_number_will_do(text):
    number = re.search(r"-?\d+(?:,\d{3})*(?:\.\d+)?", text.rpartition("The answer is ")[2])
    return float(number[0].replace(",", "")) if number else None


@mistake(blank="extract")
def stops_at_the_comma(text):
    _, found, rest = text.rpartition("The answer is ")
    number = re.search(r"-?\d+(?:\.\d+)?", rest) if found else None
    return float(number[0]) if number else None


@mistake(blank="extract")
def takes_every_comma(text):
    _, found, rest = text.rpartition("The answer is ")
    number = re.search(r"-?\d[\d,]*(?:\.\d+)?", rest) if found else None
    return float(number[0].replace(",", "")) if number else None


@mistake(blank="extract")
def looks_for_other_words(text):
    said = re.split("the answer is ", text, flags=re.IGNORECASE)
    number = re.search(r"-?\d+(?:,\d{3})*(?:\.\d+)?", said[-1]) if len(said) > 1 else None
    return float(number[0].replace(",", "")) if number else None


@mistake(blank="extract")
def drops_the_sign(text):
    _, found, rest = text.rpartition("The answer is ")
    number = re.search(r"\d+(?:,\d{3})*(?:\.\d+)?", rest) if found else None
    return float(number[0].replace(",", "")) if number else None


@mistake(blank="extract")
def drops_the_decimals(text):
    _, found, rest = text.rpartition("The answer is ")
    number = re.search(r"-?\d+(?:,\d{3})*", rest) if found else None
    return float(number[0].replace(",", "")) if number else None


@mistake("self_consistency")
def votes_of_texts(texts, log_probs=None):
    votes = {}
    for i, text in enumerate(texts):
        number = (
            re.search(r"-?\d+(?:,\d{3})*(?:\.\d+)?", text.rpartition("The answer is ")[2])
            if "The answer is " in text
            else None
        )
        if number:
            weight = 1.0 if log_probs is None else math.exp(sum(log_probs[i]) / len(log_probs[i]))
            votes[number[0]] = votes.get(number[0], 0.0) + weight
    return float(max(votes, key=votes.__getitem__).replace(",", "")) if votes else None


@mistake(blank="choose")
def averages_the_answers(votes):
    return sum(a * w for a, w in votes.items()) / sum(votes.values()) if votes else None


@mistake(blank="choose")
def takes_the_first(votes):
    return next(iter(votes), None)


@mistake(blank="choose")
def takes_the_largest_of_equals(votes):
    return max(votes, key=lambda answer: (votes[answer], answer)) if votes else None


@mistake(blank="choose")
def takes_the_latest_of_equals(votes):
    return max(reversed(votes), key=votes.__getitem__) if votes else None


@mistake(blank="count")
def nothing_wins(votes, answer, weight):
    votes[answer] = votes.get(answer, 0.0) + weight


@mistake(blank="count")
def zero_is_no_answer(votes, answer, weight):
    if answer:
        votes[answer] = votes.get(answer, 0.0) + weight


@mistake(blank="choose")
def fails_without_answers(votes):
    return max(votes, key=votes.__getitem__)


@mistake(blank="weight")
def ignores_log_probs():
    weight = 1.0


@mistake(blank="weight")
def sums_log_probs(log_probs, i):
    weight = 1.0 if log_probs is None else math.exp(sum(log_probs[i]))


@mistake(blank="weight")
def multiplies_probabilities(log_probs, i):
    weight = 1.0 if log_probs is None else math.prod(map(math.exp, log_probs[i])) ** (1 / len(log_probs[i]))


@mistake(blank="weight")
def adds_logarithms(log_probs, i):
    weight = 1.0 if log_probs is None else sum(log_probs[i]) / len(log_probs[i])


@mistake(blank="weight")
def averages_probabilities(log_probs, i):
    weight = 1.0 if log_probs is None else sum(map(math.exp, log_probs[i])) / len(log_probs[i])


@mistake(blank="count")
def most_probable_text(votes, answer, weight, log_probs):
    if answer is not None:
        together = votes.get(answer, 0.0)
        votes[answer] = together + weight if log_probs is None else max(together, weight)


@mistake("self_consistency")
def averages_the_votes(texts, log_probs=None):
    votes = {}
    for i, text in enumerate(texts):
        answer = extract_answer(text)  # noqa: F821
        if answer is not None:
            votes.setdefault(answer, []).append(
                1.0 if log_probs is None else math.exp(sum(log_probs[i]) / len(log_probs[i]))
            )
    if log_probs is None:
        return max(votes, key=lambda a: len(votes[a])) if votes else None
    return max(votes, key=lambda a: sum(votes[a]) / len(votes[a])) if votes else None
