"""Tensors inside, in the dtype that torch likes; lists at the border."""

import torch


def _theta(d, base):
    return base ** -(torch.arange(0, d, 2) / d)


def rope_wavelengths(d, base=10000.0):
    return (2 * torch.pi / _theta(d, base)).tolist()


def new_shares(d, base, train_len, test_len):
    turns = _theta(d, base) / (2 * torch.pi)
    return (torch.clamp(test_len * turns, max=1) - torch.clamp(train_len * turns, max=1)).clamp(min=0).tolist()


def unseen_dims(d, base, train_len, test_len):
    return torch.tensor(new_shares(d, base, train_len, test_len)).nonzero().squeeze(1).tolist()
