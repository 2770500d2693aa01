"""Principal components of some points, by numpy's singular value decomposition: principal.json.

    pip install -r requirements.txt && python principal.py
"""

import json

import numpy as np

rng = np.random.default_rng(7)
# A bent way in 9 dimensions, as f32 as the parameters of a network.
t = np.linspace(0.0, 1.0, 12)[:, None]
points = t * rng.normal(size=9) * 3 + np.sin(3 * t) * rng.normal(size=9) + 0.1 * rng.normal(size=(12, 9))
points = points.astype(np.float32).astype(np.float64)
centred = points - points.mean(axis=0)
_, s, vt = np.linalg.svd(centred, full_matrices=False)
directions = [v * np.sign(v[np.argmax(np.abs(v))]) for v in vt[:2]]
reference = {
    "numpy": np.__version__,
    "points": points.tolist(),
    "directions": [d.tolist() for d in directions],
    "shares": (s[:2] ** 2 / (s**2).sum()).tolist(),
}
with open("principal.json", "w") as file:
    json.dump(reference, file)
    file.write("\n")
