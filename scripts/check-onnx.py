"""Runs policies that tests/onnx exported by onnxruntime, and holds what it says against what they do, within 1e-6 of the scale.

    pip install onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
    mkdir /tmp/exported
    UPHILL_EXPORTED=/tmp/exported cargo test --test runs onnx
    python scripts/check-onnx.py /tmp/exported
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime


def furthest(name, found, expected):
    """The largest distance, where both are finite, in units of the scale."""
    # JSON has no infinity: the smallest number stands for it.
    expected = np.asarray(expected, np.float64).reshape(found.shape)
    found = np.where(np.isneginf(found), np.finfo(np.float32).min, found.astype(np.float64))
    apart = np.abs(found - expected) / np.maximum(np.abs(expected), 1.0)
    assert np.all(apart <= 1e-6), f"{name}: {found} for {expected}"
    return float(apart.max())


def check(path):
    of = json.loads(path.with_suffix(".json").read_text())
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    lanes, inputs = of["lanes"], {port.name: port.shape for port in session.get_inputs()}
    assert all(shape[0] == "batch" for shape in inputs.values())
    given = {}
    if "memory" in inputs:
        given["memory"] = np.zeros((lanes, inputs["memory"][1]), np.float32)
    if "mask" in inputs:
        given["mask"] = np.asarray(of["mask"], bool).reshape(lanes, -1)
    worst, names = 0.0, [port.name for port in session.get_outputs()]
    for step in of["steps"]:
        shape = [lanes, *inputs["observation"][1:]]
        given["observation"] = np.asarray(step["observation"], np.float32).reshape(shape)
        outputs = dict(zip(names, session.run(names, given)))
        for name, expected in step["outputs"].items():
            worst = max(worst, furthest(f"{of['name']}: {name}", outputs[name], expected))
        if "memory" in given:
            given["memory"] = outputs["next_memory"]
    # In the lane that sees a NaN numbers are NaN, and the first legal choice is taken.
    given["observation"].reshape(lanes, -1)[1, -1] = np.nan
    broken = dict(zip(names, session.run(names, given)))
    for name, found in broken.items():
        whole = [0, 2]
        assert not np.isnan(np.asarray(found, np.float64)[whole]).any(), f"{of['name']}: {name}"
        one = np.asarray(found, np.float64)[1]
        good = np.isnan(one) | np.isneginf(one) if found.dtype == np.float32 else one == 0
        assert np.all(good), f"{of['name']}: {name} of a NaN: {one}"
    return worst


def main():
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"), key=lambda path: int(path.stem))
    assert paths, "there is no policy here: see above"
    worst = max(check(path) for path in paths)
    print(f"{len(paths)} policies: within {worst:.1e} of the scale")


if __name__ == "__main__":
    main()
