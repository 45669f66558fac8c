"""Files of each kind that `train` writes, and what is in them without the id of their run."""

import io

import numpy as np

from autograd_lite.commands.folder import run_of

RUN, OTHER = "2026-11-28T23-41-07-3f2a9c", "2026-11-29T08-00-00-00ff00"


def _npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def files(k):
    """A file of each kind, with the number k in it."""
    texts = {
        "mlp.svg": f'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="{k}"/>',
        "mlp-derivation.md": f"# A title\n\n$$\nL = {k}\n$$\n",
        "mlp_gradients.py": f'"""What it does."""\n\nx = {k}\n',
        "mlp.dot": f"digraph {{ a -> b{k} }}",
        "loss-curves.txt": f"ŷ was not drawn {k} times\n",
        "data.csv": f'column,min\na,1\n"""b\n",{k}\n',
        "mlp.json": f'{{"model": "mlp", "settings": {{"tol": {k}}}}}\n',
        "report.html": f"<!DOCTYPE html>\n<html><body>{k}</body></html>\n",
    }
    weights = {"mlp.npz": _npz(w=np.array([0.0, 1.0, k]))}
    return weights | {name: text.encode() for name, text in texts.items()}


FILES = files(2)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def content(path):
    """What is in a file, without the id of its run."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name].tobytes() for name in arrays if name != "run"}
    return path.read_bytes().replace(run_of(path).encode(), b"")
