#!/usr/bin/env python3
"""Reads an event file back with the package tensorboard, and holds it against the tables of its run.

    cargo run --release --example train -- --sinks tensorboard --steps 20000 --eval-every 5000 --out RUN
    pip install tensorboard==2.21.0 && python scripts/read-tensorboard.py RUN
"""

import csv
import pathlib
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

TABLES = {
    "metrics.csv": {
        "update": "charts/update",
        "episodes": "charts/episodes",
        "episode_return_mean": "charts/episodic_return",
        "episode_length_mean": "charts/episodic_length",
        "policy_loss": "losses/policy_loss",
        "value_loss": "losses/value_loss",
        "entropy": "losses/entropy",
        "approx_kl": "losses/approx_kl",
        "clip_fraction": "losses/clipfrac",
        "explained_variance": "losses/explained_variance",
        "grad_norm": "losses/grad_norm",
        "update_norm": "losses/update_norm",
        "lr": "charts/learning_rate",
        "steps_per_second": "charts/SPS",
    },
    "evaluations.csv": {"return_mean": "eval/episodic_return", "length_mean": "eval/episodic_length"},
}


def as_f32(text):
    """The number as an event holds it."""
    return struct.unpack("f", struct.pack("f", float(text)))[0]


def main(run):
    events = EventAccumulator(str(run), size_guidance={"scalars": 0, "histograms": 0})
    events.Reload()
    read = 0
    for table, columns in TABLES.items():
        if not (run / table).exists():
            continue
        with open(run / table) as file:
            rows = list(csv.DictReader(file))
        for column, tag in columns.items():
            ours = [(int(row["env_steps"]), as_f32(row[column])) for row in rows if row.get(column)]
            theirs = [(event.step, event.value) for event in events.Scalars(tag)] if ours else []
            assert theirs == ours, f"{tag} is not {column} of {table}: {theirs[:3]} and {ours[:3]}"
            read += len(ours)
    tags = events.Tags()["histograms"]
    histograms = [event.histogram_value for tag in tags for event in events.Histograms(tag)]
    assert all(sum(h.bucket) == h.num and h.bucket_limit[-1] == h.max for h in histograms)
    print(f"{read} scalars as in the tables; {len(histograms)} histograms of {len(tags)} tags")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
