"""Runs: training by settings, going on, and what a run's folder holds."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uphill import _uphill

Settings = Mapping[str, Any] | str | os.PathLike[str]


@dataclass(frozen=True)
class Run:
    """What a run came to."""

    folder: Path
    """Where its settings, its numbers, its policy and its reward curve are."""
    summary: dict[str, Any]
    """What `summary.json` holds: steps, seconds, the returns of 100 episodes with the last policy, ..."""

    def metrics(self):
        """Its numbers, as `uphill.metrics`."""
        return metrics(self.folder)


def _given(settings: Settings) -> tuple[str | None, str | None]:
    """Settings as JSON, or their file."""
    if isinstance(settings, Mapping):
        return json.dumps(dict(settings)), None
    return None, os.fspath(settings)


def _hearing(progress: Callable[[dict[str, Any]], object] | None) -> Callable[[str], None]:
    def hear(text: str) -> None:
        row = json.loads(text)
        if "note" in row:
            warnings.warn(row["note"], stacklevel=4)
        elif progress is not None:
            progress(row)

    return hear


def train(
    settings: Settings,
    out: str | os.PathLike[str] | None = None,
    *,
    force: bool = False,
    progress: Callable[[dict[str, Any]], object] | None = None,
) -> Run:
    """Trains by settings, a mapping or the path of a TOML file, and leaves a run in the folder `out`.

    Without `out` the folder is `runs/<env>-<algo>-<optimizer>-s<seed>`; one that holds a run is replaced only with `force`.
    `progress` is called after each update with its row of `metrics.csv`. Other Python threads run meanwhile. Ctrl-C, and an
    exception in `progress`, end the run after what is under way; it is saved, and `resume` goes on with it.
    """
    folder, summary = _uphill.train(*_given(settings), out, force, _hearing(progress))
    return Run(Path(folder), json.loads(summary))


def resume(
    folder: str | os.PathLike[str], *, progress: Callable[[dict[str, Any]], object] | None = None
) -> Run:
    """Goes on with the run in a folder, from its last checkpoint, to the bit as if it had never stopped where its environment
    can be saved. Of a run that has ended it says what it came to."""
    folder, summary = _uphill.resume(folder, _hearing(progress))
    return Run(Path(folder), json.loads(summary))


def settings(given: Settings) -> str:
    """All settings, in TOML, of a run that is given these: what `config.toml` would hold."""
    return _uphill.settings(*_given(given))


def environments() -> dict[str, str]:
    """The names of all environments, each with what it is."""
    return dict(_uphill.environments())


def metrics(folder: str | os.PathLike[str]):
    """A run's `metrics.csv` as a pandas data frame, a row an update; what an update does not have is NaN."""
    try:
        import pandas
    except ModuleNotFoundError:
        problem = "uphill.metrics makes a pandas data frame, and there is no pandas here: pip install 'uphill[metrics]'"
        raise ModuleNotFoundError(problem, name="pandas") from None
    return pandas.read_csv(Path(folder) / "metrics.csv")
