"""tokenization/token_budget against tiktoken with the same ranks, and OpenAI's recipe for the tokens of a chat."""

import random

import pytest
import tiktoken

from clozekit.grading import corpus


def recipe(encoding, messages, tokens_per_message, tokens_per_name, reply):
    """num_tokens_from_messages of the OpenAI Cookbook."""
    total = reply
    for message in messages:
        total += tokens_per_message
        for key, value in message.items():
            total += len(encoding.encode(value))
            if key == "name":
                total += tokens_per_name
    return total


@pytest.mark.parametrize("overhead", [(3, 1, 3), (4, -1, 3)], ids=["gpt-4", "gpt-3.5-turbo-0301"])
@pytest.mark.parametrize("language", ["english", "chinese"])
def test_counts_are_those_of_the_recipe(kit, language, overhead):
    solution, grader = kit("tokenization/token_budget")
    ranks = getattr(grader, language)()
    encoding = tiktoken.Encoding("kit", pat_str=r"[\s\S]+", mergeable_ranks=ranks, special_tokens={})  # no pre-tokens
    budget = solution.TokenBudget(ranks, *overhead)
    draw = random.Random(0)
    for _ in range(60):
        contents = [
            text[start : start + 40]
            for text in (corpus.ENGLISH, corpus.CHINESE)
            for start in [draw.randrange(len(text))]
        ]
        messages = [{"role": draw.choice(["user", "assistant"]), "content": content} for content in contents]
        if draw.random() < 0.5:
            messages[0]["name"] = "爱丽丝"
        assert (
            budget.count(messages) == recipe(encoding, messages, *overhead) == grader.prompt(ranks, overhead, messages)
        )
