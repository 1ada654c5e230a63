"""Whoever votes in arrays answers with an element of one: a numpy.float64, which is a float."""
import re

import numpy as np


def extract_answer(text):
    _, found, rest = text.rpartition("The answer is ")
    numbers = re.findall(r"-?\d+(?:,\d{3})*(?:\.\d+)?", rest if found else "")
    return np.float64(numbers[0].replace(",", "")) if numbers else None


def self_consistency(texts, log_probs=None):
    answers = np.array([extract_answer(text) for text in texts], dtype=float)
    weights = np.ones(len(texts)) if log_probs is None else np.exp([np.mean(each) for each in log_probs])
    votes = (answers[:, None] == answers) @ weights
    return None if np.isnan(answers).all() else answers[np.argmax(votes >= votes.max() * (1 - 1e-12))]
