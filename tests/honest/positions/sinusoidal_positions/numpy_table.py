"""TensorFlow's tutorial in NumPy: all angles in float64, then sin and cos in place, converted at the end."""

import numpy as np
import torch


def get_angles(pos, i, d_model, base):
    angle_rates = 1 / np.power(base, (2 * (i // 2)) / np.float32(d_model))
    return pos * angle_rates


def sinusoidal(t, d, base=10000.0):
    angle_rads = get_angles(np.arange(t)[:, np.newaxis], np.arange(d)[np.newaxis, :], d, base)
    angle_rads[:, 0::2] = np.sin(angle_rads[:, 0::2])
    angle_rads[:, 1::2] = np.cos(angle_rads[:, 1::2])
    return torch.from_numpy(angle_rads).to(torch.float32)
