"""The two computations behind the embedding views, on a stored run's codes: t-SNE and MMD with its permutation test.

    python -m benchmarks.maps_and_mmd [--repeats 3]

Trains the Lab's default first (some ten seconds). Peers, in turn: scikit-learn's t-SNE on the same points, perplexity,
start, angle and number of iterations, with the trustworthiness of the map beside it; the permutation test as Eq. 1 is
written, a new mean over three blocks of the kernel matrix each time.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.manifold import TSNE, trustworthiness
from sklearn.metrics.pairwise import polynomial_kernel

from benchmarks.sweep import train_all
from benchmarks.turns import ratio, seconds, spread
from ssad_core.data import load
from ssad_core.embedding import ANGLE, EXAGGERATED, tsne
from ssad_core.mmd import PERMUTATIONS, permutation_p
from ssad_core.question import Question

POINTS, M = 2000, 256


def textbook_p(X: np.ndarray, Y: np.ndarray, seed: int = 0) -> float:
    pooled = np.concatenate([X, Y])
    kernel = polynomial_kernel(pooled, degree=3, gamma=1 / X.shape[1], coef0=1)
    order, n = np.arange(len(pooled)), len(X)
    rng = np.random.default_rng(seed)

    def mmd() -> float:
        a, b = order[:n], order[n:]
        return kernel[np.ix_(a, a)].mean() + kernel[np.ix_(b, b)].mean() - 2 * kernel[np.ix_(a, b)].mean()

    observed, above = mmd(), 0
    for _ in range(PERMUTATIONS):
        rng.shuffle(order)
        above += mmd() >= observed
    return (1 + above) / (1 + PERMUTATIONS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    dataset = load("photos")
    spec = Question().run(dataset)
    codes = train_all([spec]).load(spec.id).codes
    everything = np.concatenate(list(codes.values()))
    # The groups of the views are smaller than 2,000 points on this data set: all that is stored, as often as it takes.
    few = everything[np.random.default_rng(0).choice(len(everything), POINTS, replace=len(everything) < POINTS)]
    sets = codes["train augmented"][:M].astype(np.float64), codes["gen:cutout"][:M].astype(np.float64)
    map_of = TSNE(perplexity=30, init="pca", random_state=0, n_jobs=-1, max_iter=EXAGGERATED + 500, angle=ANGLE)
    maps = {"ours": tsne(few), "scikit-learn's": map_of.fit_transform(few)}
    for whose, xy in maps.items():
        print(f"trustworthiness of the map, {whose}: {trustworthiness(few, xy, n_neighbors=12):.3f}")
    for name, ours, peer in (
        (f"t-SNE of {POINTS} points", lambda: tsne(few), lambda: map_of.fit_transform(few)),
        (f"{PERMUTATIONS} permutations, M = {M}", lambda: permutation_p(*sets), lambda: textbook_p(*sets)),
    ):
        turns = [(seconds(ours), seconds(peer)) for _ in range(repeats)]
        mine, theirs = ([turn[k] for turn in turns] for k in (0, 1))
        print(f"{name}: {spread(mine, 2)} s, the peer {spread(theirs, 2)} s, {ratio(theirs, mine)}", flush=True)
    print(f"p {permutation_p(*sets):.4f}, the peer's {textbook_p(*sets):.4f}")


if __name__ == "__main__":
    main()
