import math
import re


def extract_answer(text: str) -> float | None:
    """The number that follows the last "The answer is " of a text; None if there is none."""
    # BLANK extract
    _, found, rest = text.rpartition("The answer is ")  # who goes on reasoning may change the answer
    number = re.search(r"-?\d+(?:,\d{3})*(?:\.\d+)?", rest) if found else None
    return float(number[0].replace(",", "")) if number else None
    # END


def self_consistency(texts: list[str], log_probs: list[list[float]] | None = None) -> float | None:
    """Sampled texts, and the log-probabilities of each one's tokens -> the answer that most of them agree on."""
    votes: dict[float, float] = {}
    for i, text in enumerate(texts):
        answer = extract_answer(text)
        # BLANK weight
        weight = 1.0 if log_probs is None else math.exp(sum(log_probs[i]) / len(log_probs[i]))
        # END
        # BLANK count
        if answer is not None:
            votes[answer] = votes.get(answer, 0.0) + weight
        # END
    # BLANK choose
    return max(votes, key=votes.__getitem__) if votes else None  # of equals the first, as a dict keeps its order
    # END
