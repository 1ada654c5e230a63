"""The roofline of a device with what stands under it, for a terminal and for a page.

 TFLOP/s
   989 ┤                          ┌─────────────
    31 ┤                    ╱
     1 ┤        ○ ●  ╱                  FLOP/byte

Both axes are logarithmic: the slope is the memory's bandwidth, the flat part the peak of what computes.
"""

import html
import math
from collections.abc import Callable, Mapping

from clozekit.meters.devices import Device
from clozekit.report import Point

SIGNS = {"yours": "●", "ours": "○", "eager": "×"}
RADII = {"yours": 6.5, "ours": 4, "eager": 4}  # a ring and two dots: the points often lie on each other,
LOWER = {"yours": 4, "ours": 19, "eager": 34}  # and so would their labels
INTENSITIES = (2**-5, 2**12)  # FLOPs per byte
DECADES = 4.5  # of FLOPs per second, below the peak
WIDTH, HEIGHT = 58, 12  # characters


def peak(device: Device) -> float:
    """FLOPs per second of the fastest that the device has for floats of 16 bits or more."""
    return max(device.tensor.get("half", 0.0), device.fp32)


def scales(device: Device) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """Where an intensity and a rate are on the two axes, from 0 to 1."""
    low, high = map(math.log10, INTENSITIES)
    top = math.log10(peak(device) * 1.6)

    def across(intensity: float) -> float:
        return min(1.0, max(0.0, (math.log10(intensity) - low) / (high - low)))

    def up(rate: float) -> float:
        return min(1.0, max(0.0, 1 - (top - math.log10(max(rate, 1.0))) / DECADES))

    return across, up


def as_text(points: list[Point], device: Device) -> list[str]:
    """Lines of characters."""
    across, up = scales(device)
    rows = [[" "] * WIDTH for _ in range(HEIGHT)]
    low, high = map(math.log10, INTENSITIES)
    for column in range(WIDTH):
        intensity = 10 ** (low + (high - low) * column / (WIDTH - 1))
        rate = min(peak(device), intensity * device.bandwidth)
        rows[_row(up(rate))][column] = "─" if rate == peak(device) else "╱"
    for point in reversed(points):  # yours is on top
        rows[_row(up(point.flops))][round(across(point.intensity) * (WIDTH - 1))] = SIGNS[point.name]
    top, bottom = peak(device) * 1.6 / 1e12, peak(device) * 1.6 / 1e12 / 10**DECADES
    labels = {0: f"{top:.0f}", HEIGHT - 1: f"{bottom:.2g}"}
    lines = [f"{labels.get(at, ''):>6} │{''.join(row)}" for at, row in enumerate(rows)]
    ticks = f"{INTENSITIES[0]:g}".ljust(WIDTH - 12) + f"{INTENSITIES[1]} FLOP/B"
    return ["TFLOP/s", *lines, "       └" + "─" * WIDTH, "        " + ticks]


def _row(height: float) -> int:
    return round((1 - height) * (HEIGHT - 1))


def as_svg(points: list[Point], device: Device, title: str, names: Mapping[str, str]) -> str:
    """A drawing that needs nothing from outside but the colours of its page. names: what each point is called."""
    across, up = scales(device)
    wide, high, left, below = 400, 240, 12, 34

    def at(intensity: float, rate: float) -> tuple[float, float]:
        return left + across(intensity) * (wide - 2 * left), 24 + (1 - up(rate)) * (high - 24 - below)

    knee = peak(device) / device.bandwidth
    roof = [
        at(INTENSITIES[0], INTENSITIES[0] * device.bandwidth),
        at(knee, peak(device)),
        at(INTENSITIES[1], peak(device)),
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in roof)
    marks = []
    for point in points:
        x, y = at(point.intensity, point.flops)
        radius = RADII[point.name]
        before = x > wide / 2  # where the label goes, so that it stays inside
        label = f"{names[point.name]}: {point.flops / 1e12:.3g} TFLOP/s, {point.intensity:.3g} FLOP/byte"
        marks.append(
            f'<g class="{point.name}"><circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}"><title>{html.escape(label)}</title></circle>'
            f'<text x="{x + (-11 if before else 11):.1f}" y="{y + LOWER[point.name]:.1f}"'
            f' text-anchor="{"end" if before else "start"}">{html.escape(names[point.name])}</text></g>'
        )
    base = high - below
    return (
        f'<svg class="roofline" viewBox="0 0 {wide} {high}" role="img" aria-label="{html.escape(title)}"'
        ' xmlns="http://www.w3.org/2000/svg">'
        f'<path d="M{left} 24V{base}H{wide - left}" fill="none" stroke="currentColor"/>'
        f'<text x="{wide - left}" y="{roof[2][1] - 7:.1f}" text-anchor="end">{peak(device) / 1e12:.0f} TFLOP/s</text>'
        f'<text x="{(left + roof[1][0]) / 2 - 12:.1f}" y="{(roof[0][1] + roof[1][1]) / 2:.1f}" text-anchor="end">'
        f"{device.bandwidth / 1e12:.3g} TB/s</text>"
        f'<text x="{left}" y="{base + 16}">{INTENSITIES[0]:g}</text>'
        f'<text x="{wide - left}" y="{base + 16}" text-anchor="end">{INTENSITIES[1]} FLOP/byte</text>'
        f'<polyline points="{line}" fill="none" stroke="currentColor" stroke-width="2"/>{"".join(marks)}</svg>'
    )
