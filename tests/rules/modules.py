# CZ001 { forbid = ["tokenizers", "torch.nn.attention.flex_attention", "tiktoken._educational"] }
# ruff: noqa
"""A forbidden module forbids everything below it."""

import tokenizers  # CZ001: 8
import tokenizers.trainers  # CZ001: 8
import tokenizers as t, math  # CZ001: 8
import tiktoken
import torch.nn.attention
from tiktoken import _educational  # CZ001: 22
from tokenizers import Tokenizer  # CZ001: 24
from tokenizers.trainers import *  # CZ001: 33
from torch.nn.attention import flex_attention as flex  # CZ001: 32
from torch.nn.attention.flex_attention import flex_attention  # CZ001: 47
import tokenizers_of_ours

tokenizers.Tokenizer  # CZ001: 1
t.Tokenizer  # CZ001: 1
flex.flex_attention  # CZ001: 1
tiktoken._educational.bpe_train  # CZ001: 1
torch.nn.attention.flex_attention.flex_attention  # CZ001: 1
tiktoken.get_encoding("gpt2")
tokenizers_of_ours.Tokenizer
