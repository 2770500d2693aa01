"""Events as the package tensorboard writes them, in hexadecimal, a frame a line: tests/reference/events.txt.

python tests/reference/events.py
"""

import io
import pathlib

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary
from tensorboard.summary.writer.record_writer import RecordWriter

Value = Summary.Value
HISTOGRAM = HistogramProto(
    min=-1.0, max=3.0, num=4.0, sum=2.5, sum_squares=10.25, bucket_limit=[0.0, 3.0], bucket=[1.0, 3.0]
)
EVENTS = [
    Event(wall_time=1.5, file_version="brain.Event:2"),
    Event(
        wall_time=2.5,
        step=4096,
        summary=Summary(
            value=[Value(tag="charts/SPS", simple_value=12.5), Value(tag="losses/entropy", simple_value=-0.1)]
        ),
    ),
    Event(
        wall_time=3.5, step=1 << 40, summary=Summary(value=[Value(tag="weights/actor.0.weight", histo=HISTOGRAM)])
    ),
    Event(wall_time=4.5, summary=Summary()),
]


def frame(event):
    """The event's frame."""
    file = io.BytesIO()
    RecordWriter(file).write(event.SerializeToString())
    return file.getvalue().hex()


if __name__ == "__main__":
    lines = "".join(frame(event) + "\n" for event in EVENTS)
    pathlib.Path(__file__).with_suffix(".txt").write_text(lines)
