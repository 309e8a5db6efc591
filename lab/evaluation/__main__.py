"""``python -m lab.evaluation``: the tables of ``docs/recommendations.md``."""

from __future__ import annotations

from collections.abc import Callable

from batch.recommending.hybrid import Weights
from lab.evaluation.compare import METHODS, compare, variety
from lab.evaluation.held_out import held_out

SEEDS, WEIGHED_ON, USERS = (1, 2, 3, 4, 5), (101, 102, 103, 104), 500


def main() -> None:
    """Print each method's NDCG@10 and different artists for each seed, and how the weights do on listening held out."""
    for title, measure in (("NDCG@10", compare), ("artists among ten", variety)):
        _print(title, METHODS, SEEDS, measure)
    _print("AUC held out", None, WEIGHED_ON, lambda seed, users: {_told(w): auc for w, auc in held_out(seed, users).items()})


def _print(
    title: str, names: tuple[str, ...] | None, seeds: tuple[int, ...], measure: Callable[[int, int], dict[str, float]]
) -> None:
    found = [measure(seed, USERS) for seed in seeds]
    print(f"| {title} |" + "".join(f" seed {seed} |" for seed in seeds) + " mean |\n|---|" + "---|" * (len(seeds) + 1))
    for name in names or sorted(found[0], key=lambda name: -sum(one[name] for one in found)):
        values = [one[name] for one in found]
        print(f"| {name} |" + "".join(f" {value:.3f} |" for value in [*values, sum(values) / len(values)]))
    print()


def _told(weights: Weights) -> str:
    return f"discount {weights.discount}, content {weights.content}, quality {weights.quality}"


if __name__ == "__main__":
    main()
