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

# A column, its tags as CleanRL and Stable-Baselines3 have them, and what the number is multiplied by under the latter.
TABLES = {
    "metrics.csv": {
        "update": ("charts/update", "time/iterations", 1),
        "episodes": ("charts/episodes", "time/episodes", 1),
        "episode_return_mean": ("charts/episodic_return", "rollout/ep_rew_mean", 1),
        "episode_length_mean": ("charts/episodic_length", "rollout/ep_len_mean", 1),
        "policy_loss": ("losses/policy_loss", "train/policy_gradient_loss", 1),
        "value_loss": ("losses/value_loss", "train/value_loss", 2),
        "entropy": ("losses/entropy", "train/entropy_loss", -1),
        "approx_kl": ("losses/approx_kl", "train/approx_kl", 1),
        "clip_fraction": ("losses/clipfrac", "train/clip_fraction", 1),
        "explained_variance": ("losses/explained_variance", "train/explained_variance", 1),
        "grad_norm": ("losses/grad_norm", "train/grad_norm", 1),
        "update_norm": ("losses/update_norm", "train/update_norm", 1),
        "lr": ("charts/learning_rate", "train/learning_rate", 1),
        "steps_per_second": ("charts/SPS", "time/fps", 1),
    },
    "evaluations.csv": {
        "return_mean": ("eval/episodic_return", "eval/mean_reward", 1),
        "length_mean": ("eval/episodic_length", "eval/mean_ep_length", 1),
    },
}


def as_f32(number):
    """The number as an event holds it."""
    return struct.unpack("f", struct.pack("f", number))[0]


def main(run):
    events = EventAccumulator(str(run), size_guidance={"scalars": 0, "histograms": 0})
    events.Reload()
    library = int("time/iterations" in events.Tags()["scalars"])
    read = 0
    for table, columns in TABLES.items():
        if not (run / table).exists():
            continue
        with open(run / table) as file:
            rows = list(csv.DictReader(file))
        for column, (*tags, scale) in columns.items():
            tag, scale = tags[library], scale if library else 1
            ours = [(int(row["env_steps"]), as_f32(scale * float(row[column]))) for row in rows if row.get(column)]
            theirs = [(event.step, event.value) for event in events.Scalars(tag)] if ours else []
            assert theirs == ours, f"{tag} is not {column} of {table}: {theirs[:3]} and {ours[:3]}"
            read += len(ours)
    tags = events.Tags()["histograms"]
    histograms = [event.histogram_value for tag in tags for event in events.Histograms(tag)]
    assert all(sum(h.bucket) == h.num and h.bucket_limit[-1] == h.max for h in histograms)
    print(f"{read} scalars as in the tables; {len(histograms)} histograms of {len(tags)} tags")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
