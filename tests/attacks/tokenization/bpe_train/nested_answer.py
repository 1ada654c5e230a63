"""A list that holds itself.

Verdict: failed
"""

def train_bpe(text, num_merges):
    answer = []
    answer.append(answer)
    return answer
