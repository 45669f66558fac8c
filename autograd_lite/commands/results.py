"""What `train` prints about its models, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.commands.training import Model
from autograd_lite.data.selection import Decision
from autograd_lite.models.metrics import Figures, below_baseline

__all__ = ["HEADINGS", "as_json", "as_text", "folds_as_text", "of_folds"]

HEADINGS = {
    "accuracy": "accuracy",
    "baseline": "baseline",
    "log_loss": "log-loss",
    "auc": "AUC",
    "r2": "R²",
    "rmse": "RMSE",
    "baseline_rmse": "baseline",
}
"""The figures that are printed, in this order, and their headings."""


def as_text(models: Mapping[str, Model], found: Mapping[str, Figures]) -> list[str]:
    """The figures of the held-out rows, a line for each model, then those of each class."""
    chosen = [name for name in HEADINGS if name in next(iter(found.values()))]
    head = "".join(f"{HEADINGS[name]:>12}" for name in chosen)
    lines = [f"{'held-out rows':<24}{head}{'training loss':>16}"]
    for name, figures in found.items():
        cells = "".join(f"{_shown(figures[key]):>12}" for key in chosen)
        lines.append(f"{models[name].title:<24}{cells}{models[name].loss_:>16.4f}")
    for name, figures in found.items():
        if "classes" in figures:
            width = max(24, 2 + max(map(len, figures["classes"])))
            lines += [
                "",
                f"{models[name].title:<{width}}{'precision':>12}{'recall':>12}{'rows':>12}",
            ]
            for label, of in [*figures["classes"].items()][:20]:
                ratios = f"{_shown(of['precision']):>12}{_shown(of['recall']):>12}"
                lines.append(f"{' '.join(label.split()):<{width}}{ratios}{of['rows']:>12}")
            if len(figures["classes"]) > 20:
                lines.append(f"and {len(figures['classes']) - 20} more classes: see --json")
    within = [of["auc_within"] or 0.0 for of in found.values() if "auc_within" in of]
    if within:
        most = f"within {max(within):.1g}" if max(within) else "exact here"
        lines += ["", f"AUC comes from a histogram of the scores, {most}"]
    said = [below_baseline(models[name].title, figures) for name, figures in found.items()]
    return lines + [""] * any(said) + [sentence for sentence in said if sentence]


def of_folds(folds: Mapping[str, Sequence[Figures]]) -> dict[str, dict[str, Any]]:
    """The mean of each figure of each model over the folds, and its standard deviation."""
    found: dict[str, dict[str, Any]] = {}
    for name, parts in folds.items():
        found[name] = {"folds": len(parts)}
        for key in HEADINGS:
            values = [part[key] for part in parts if part.get(key) is not None]
            if len(values) == len(parts):
                found[name][key] = {
                    "mean": float(np.mean(values)),
                    "std": float(np.std(values, ddof=1)),
                }
    return found


def folds_as_text(models: Mapping[str, Model], found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The means over the folds with their standard deviations, a line for each model."""
    first = next(iter(found.values()))
    chosen = [key for key in HEADINGS if all(key in figures for figures in found.values())]
    head = "".join(f"{HEADINGS[name]:>18}" for name in chosen)
    lines = ["", f"{first['folds']} folds{'':<17}{head}"]
    for name, figures in found.items():
        cells = (
            f"{_shown(figures[key]['mean'])} ± {_shown(figures[key]['std'])}" for key in chosen
        )
        lines.append(f"{models[name].title:<24}" + "".join(f"{cell:>18}" for cell in cells))
    return lines


def as_json(found: Mapping[str, Figures], decisions: Sequence[Decision], **more: Any) -> str:
    """The figures of every model and what was done with every column as one object."""
    columns = [decision._asdict() for decision in decisions]
    return json.dumps({"models": found, "columns": columns, **more}, indent=2, ensure_ascii=False)


def _shown(figure: float | None) -> str:
    return "none" if figure is None else f"{figure:.4f}" if abs(figure) < 1e4 else f"{figure:.4g}"
