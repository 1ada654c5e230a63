"""Predictions beside the times that Liger-Kernel published: python -m benchmarks.gpu_model [--rows]

Counts come from data/counts.jsonl, see counting.py. A row is GPU-bound where the predicted time is longer than the host takes:
30, 130 or 280 µs for a forward, backward or full call, and 6 µs for each operator and launch: floors read off the published
times. It is trusted where the model itself says, without looking at a time, that a decision may rest on it. Nothing is fitted.
"""

import statistics
import sys
from typing import NamedTuple

from benchmarks.gpu_model import counting, figures
from benchmarks.gpu_model.published import Row, read
from clozekit.meters import roofline
from clozekit.meters.devices import DEVICES

HOST = {"forward": 30e-6, "backward": 130e-6, "full": 280e-6}
OPERATOR = 6e-6
BARS = (1.2, 1.5, 2.0, 3.0)
BASELINE = ("huggingface", "torch", "megatron", "megatron-unfused")


class Timed(NamedTuple):
    """A row with its prediction."""

    row: Row
    prediction: roofline.Prediction
    host: float

    @property
    def gpu_bound(self) -> bool:
        return self.prediction.seconds > self.host


class Pair(NamedTuple):
    """What Liger's kernel gains over what it replaces."""

    kernel: Timed
    other: Timed

    @property
    def predicted(self) -> float:
        return self.other.prediction.seconds / self.kernel.prediction.seconds

    @property
    def measured(self) -> float:
        return self.other.row.seconds / self.kernel.row.seconds

    @property
    def gpu_bound(self) -> bool:
        return self.kernel.gpu_bound and self.other.gpu_bound

    @property
    def trusted(self) -> bool:
        return self.gpu_bound and self.kernel.prediction.trust == self.other.prediction.trust == "predicted"


def main(rows: bool) -> None:
    counts = counting.load()
    published = read()
    timed = [_timed(row, counts[row.key]) for row in published if row.key in counts]
    pairs = _pairs(timed)
    print(f"{len(timed)} of {len(published)} rows counted, {len(pairs)} speed-ups\n")
    print("time                        n    rho   median error   within 2x")
    for name, some in _groups(timed).items():
        _print_times(name, some)
    print(
        "\nspeed-up                    n    rho   median error   bar: right when decided / share decided / right without band"
    )
    for name, chosen in _pair_groups(pairs).items():
        _print_pairs(name, chosen)
    if rows:
        _print_rows(timed)


def _timed(row: Row, counted: counting.Counted) -> Timed:
    device = DEVICES[row.device]
    launches = [launch for many, launch in counted.launches for _ in range(many)]
    operators = [operator for many, operator in counted.operators for _ in range(many)]
    parts = []
    if launches:
        parts.append(roofline.predict(launches, counted.facts, device))
    if operators:
        parts.append(roofline.eager(operators, device))
    host = HOST[row.mode] + OPERATOR * (len(launches) + len(operators))
    return Timed(row, roofline.together(*parts), host)


def _pairs(timed: list[Timed]) -> list[Pair]:
    others = {_place(each.row): each for each in timed if each.row.provider in BASELINE}
    kernels = [each for each in timed if each.row.is_kernel]
    return [Pair(each, others[_place(each.row)]) for each in kernels if _place(each.row) in others]


def _place(row: Row) -> tuple:
    return row.kernel, row.mode, row.size, str(row.config), row.device, row.version


def _groups(timed: list[Timed]) -> dict[str, list[Timed]]:
    bound = [each for each in timed if each.gpu_bound]
    trusted = [each for each in bound if each.prediction.trust == "predicted"]
    groups = {"all": timed, "GPU-bound": bound, "trusted": trusted}
    groups["- Liger"] = [each for each in bound if each.row.is_kernel]
    groups["- eager"] = [each for each in bound if not each.row.is_kernel]
    for mode in HOST:
        groups[f"- {mode}"] = [each for each in bound if each.row.mode == mode]
    for device in sorted({each.row.device for each in timed}):
        groups[f"- {device}"] = [each for each in bound if each.row.device == device]
    for kernel in sorted({each.row.kernel for each in timed}):
        groups[f"- {kernel}"] = [each for each in bound if each.row.kernel == kernel]
    return groups


def _pair_groups(pairs: list[Pair]) -> dict[str, list[Pair]]:
    groups = {
        "all": pairs,
        "GPU-bound": [pair for pair in pairs if pair.gpu_bound],
        "trusted": [pair for pair in pairs if pair.trusted],
    }
    for kernel in sorted({pair.kernel.row.kernel for pair in pairs}):
        groups[f"- {kernel}"] = [pair for pair in pairs if pair.gpu_bound and pair.kernel.row.kernel == kernel]
    return groups


def _print_times(name: str, timed: list[Timed]) -> None:
    if not timed:
        return
    predicted, measured = [each.prediction.seconds for each in timed], [each.row.seconds for each in timed]
    near = statistics.mean(0.5 < p / m < 2 for p, m in zip(predicted, measured, strict=True))
    rho, off = figures.spearman(predicted, measured), figures.error(predicted, measured)
    print(f"{name:26} {len(timed):4}  {rho:5.3f}   {off:8.1%}       {near:6.1%}")


def _print_pairs(name: str, pairs: list[Pair]) -> None:
    if not pairs:
        return
    predicted, measured = [pair.predicted for pair in pairs], [pair.measured for pair in pairs]
    rho, off = figures.spearman(predicted, measured), figures.error(predicted, measured)
    verdicts = []
    for bar in BARS:
        found = figures.agreement(list(zip(predicted, measured, strict=True)), bar)
        verdicts.append(f"{bar}: {found.outside:4.2f}/{found.decided:4.2f}/{found.all:4.2f}")
    print(f"{name:26} {len(pairs):4}  {rho:5.3f}   {off:8.1%}      {'   '.join(verdicts)}")


def _print_rows(timed: list[Timed]) -> None:
    print("\nmeasured ms  predicted ms  ratio  GPU-bound  limit, trust")
    for each in timed:
        row, prediction = each.row, each.prediction
        ratio = prediction.seconds / row.seconds
        print(
            f"{1e3 * row.seconds:10.3f} {1e3 * prediction.seconds:12.3f} {ratio:7.2f}  {'yes' if each.gpu_bound else 'no ':3}  "
            f"{prediction.limit:12} {prediction.trust:10} {row.key}"
        )


if __name__ == "__main__":
    main("--rows" in sys.argv)
