"""Takes the class of Hugging Face.

Verdict: failed
"""

from transformers import TemperatureLogitsWarper


def temperature_probs(logits, temperature):
    return TemperatureLogitsWarper(temperature)(None, logits.float()).softmax(-1).to(logits.dtype)
