"""`make train`: labelled messages in, mitigation/detectors/weights.json out; and how well it does on authors left out.

Both models are linear (multinomial, and one logistic regression a label) with a quadratic penalty. What the rules say of the
messages that they were written on is left out of their features: there it is right by construction.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.sparse as sp
from scipy.optimize import minimize

from mitigation.detectors import behaviours, lexical
from mitigation.detectors.features import Feature
from mitigation.detectors.model import FILE, Linear
from mitigation.types import LABELS as KINDS
from tests.messages import FIRST, LABELS, Message, first, written

PENALTY = 2.0
RAREST = 2
"""Signs that fewer messages or mentions hold are not weighed."""
SMALLEST = 2
"""Weights nearer to 0, in hundredths, are left out."""
_OF_RULES = ("rule", "reason", "earlier")


@dataclass(frozen=True)
class Example:
    """A mention or a message with its features; `truth` is a label, or the labels that hold."""

    author: str
    message: str
    features: list[Feature]
    truth: str | frozenset[str]
    known: tuple[str, ...] = ()


def examples_of_mentions(messages: Sequence[Message]) -> Iterator[Example]:
    """Yield every labelled mention that is found."""
    for message in messages:
        if message.mentions is None:
            continue
        signs: list[list[Feature]] = []

        def collect(said: lexical.Verdict, _: str, found: list[Feature], signs: list[list[Feature]] = signs) -> lexical.Verdict:
            signs.append(found)
            return said._replace(reason=str(len(signs) - 1))  # leads from the mention back to its signs

        for mention in lexical.find(message.text, message.context, collect):
            label, _ = message.mentions.get((mention.start, mention.end), ("none", None))
            if label != "none":
                yield Example(message.author, message.id, _kept(signs[int(mention.reason)], message.author), label)


def examples_of_messages(messages: Sequence[Message]) -> Iterator[Example]:
    """Yield every message that has labels of its own."""
    for message in messages:
        if message.labels is not None:
            signs = _kept(behaviours.signs(message.text, message.context), message.author)
            yield Example(message.author, message.id, signs, message.labels, message.known)


def _kept(features: list[Feature], author: str) -> list[Feature]:
    return [sign for sign in features if sign[0] not in _OF_RULES] if author == FIRST else features


def train_mentions(examples: Sequence[Example]) -> dict:  # type: ignore[type-arg]
    """Return the stored form of the model of mentions."""
    signs, matrix = _matrix(examples)
    truth = np.array([KINDS.index(example.truth) for example in examples])  # type: ignore[arg-type]
    classes, transposed = np.eye(len(KINDS))[truth], matrix.T.tocsr()

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(len(signs) + 1, len(KINDS))
        scores = matrix @ weights[:-1] + weights[-1]
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        chance = odds / odds.sum(axis=1, keepdims=True)
        wrong = chance - classes
        slope = np.vstack([transposed @ wrong + PENALTY * weights[:-1], wrong.sum(axis=0)])
        worth = -np.log(chance[np.arange(len(truth)), truth] + 1e-300).sum() + PENALTY / 2 * (weights[:-1] ** 2).sum()
        return float(worth), slope.ravel()

    start = np.zeros((len(signs) + 1) * len(KINDS))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x.reshape(-1, len(KINDS))
    return _stored(KINDS, signs, found)


def train_messages(examples: Sequence[Example]) -> dict:  # type: ignore[type-arg]
    """Return the stored form of the model of messages, without thresholds."""
    signs, matrix = _matrix(examples)
    weights = np.zeros((len(signs) + 1, len(LABELS)))
    for column, label in enumerate(LABELS):
        rows = np.array([place for place, example in enumerate(examples) if label in example.known])
        truth = np.array([label in examples[place].truth for place in rows])
        own, transposed = matrix[rows], matrix[rows].T.tocsr()

        def loss(flat: np.ndarray, own=own, transposed=transposed, truth=truth) -> tuple[float, np.ndarray]:  # type: ignore[no-untyped-def]
            scores = own @ flat[:-1] + flat[-1]
            worth = np.logaddexp(0, np.where(truth, -scores, scores)).sum() + PENALTY / 2 * (flat[:-1] ** 2).sum()
            wrong = 1 / (1 + np.exp(-scores)) - truth
            return float(worth), np.r_[transposed @ wrong + PENALTY * flat[:-1], wrong.sum()]

        start = np.zeros(len(signs) + 1)
        weights[:, column] = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    return _stored(LABELS, signs, weights)


def _matrix(examples: Sequence[Example]) -> tuple[list[tuple[str, str]], sp.csr_matrix]:
    """Return the signs that are not too rare, and how much of each an example holds."""
    counts = Counter(
        sign for example in examples for sign in {(kind, value) for kind, _, values in example.features for value in values}
    )
    signs = sorted(sign for sign, count in counts.items() if count >= RAREST)
    places = {sign: place for place, sign in enumerate(signs)}
    cells = [
        (row, places[kind, value], amount / 10)
        for row, example in enumerate(examples)
        for kind, amount, values in example.features
        for value in values
        if (kind, value) in places
    ]
    rows, columns, amounts = zip(*cells, strict=True)
    return signs, sp.csr_matrix((amounts, (rows, columns)), shape=(len(examples), len(signs)))


def _stored(labels: Sequence[str], signs: Sequence[tuple[str, str]], weights: np.ndarray) -> dict:  # type: ignore[type-arg]
    """Return labels, bias in thousandths and weights in hundredths as plain numbers; signs without weight are left out."""
    whole = np.rint(weights[:-1] * 100).astype(int)
    table: dict[str, dict[str, list[int]]] = {}
    for (kind, value), row in zip(signs, whole.tolist(), strict=True):
        if max(map(abs, row)) >= SMALLEST:
            table.setdefault(kind, {})[value] = row
    return {"labels": list(labels), "bias": np.rint(weights[-1] * 1000).astype(int).tolist(), "weights": table}


@cache
def left_out() -> tuple[list[Example], np.ndarray, list[Example], np.ndarray]:
    """Return all examples of both kinds, each with the sums of a model that was trained without its author."""
    messages = [*written(), *first()]
    mentions, wholes = list(examples_of_mentions(messages)), list(examples_of_messages(messages))
    return mentions, _left_out(mentions, train_mentions), wholes, _left_out(wholes, train_messages)


def said_of(example: Example, sums: np.ndarray) -> str:
    """Return what the detector says of a mention: what the rules call quoted or other stands."""
    ruled = next((values[0] for kind, _, values in example.features if kind == "rule"), "")
    return ruled if ruled in ("quoted", "other") else KINDS[int(sums.argmax())]


def _left_out(examples: Sequence[Example], train) -> np.ndarray:  # type: ignore[no-untyped-def]
    sums: dict[int, np.ndarray] = {}
    for author in sorted({example.author for example in examples}):
        model = Linear(train([example for example in examples if example.author != author]))
        sums |= {place: model.sums(example.features) for place, example in enumerate(examples) if example.author == author}
    return np.array([sums[place] for place in range(len(examples))])


def thresholds(examples: Sequence[Example], sums: np.ndarray) -> list[int]:
    """Return, by label, the sum from which it holds that gives the best F1 on authors left out, between odds of 1:4 and 1:1."""
    best = []
    for column, label in enumerate(LABELS):
        rows = [place for place, example in enumerate(examples) if label in example.known and example.author != FIRST]
        truth = np.array([label in examples[place].truth for place in rows])
        scores = sums[rows, column]

        def f1(cut: int, truth=truth, scores=scores) -> float:  # type: ignore[no-untyped-def]
            said = scores >= cut
            return 2 * float((truth & said).sum()) / max(1, int(truth.sum() + said.sum()))

        best.append(max(range(-1400, 1, 100), key=f1))
    return best


def main() -> None:
    """Train on everything and write the file."""
    mentions, _, wholes, sums = left_out()
    stored = {"mentions": train_mentions(mentions), "messages": train_messages(wholes) | {"thresholds": thresholds(wholes, sums)}}
    FILE.write_text(_text(stored), "utf-8")
    print(f"{len(mentions)} mentions, {len(wholes)} messages; written: {FILE} ({FILE.stat().st_size:,} bytes)")


def _text(stored: dict) -> str:  # type: ignore[type-arg]
    """Return JSON with a line a sign, so that a change of the file can be read."""
    parts = []
    for name, model in stored.items():
        head = {key: value for key, value in model.items() if key != "weights"}
        kinds = []
        for kind, values in model["weights"].items():
            lines = [json.dumps({value: row}, ensure_ascii=False, separators=(",", ":"))[1:-1] for value, row in values.items()]
            kinds.append(f"{json.dumps(kind)}:{{\n" + ",\n".join(lines) + "\n}")
        body = json.dumps(head)[1:-1] + ', "weights":{\n' + ",\n".join(kinds) + "\n}"
        parts.append(f"{json.dumps(name)}:{{{body}}}")
    return "{" + ",\n".join(parts) + "}\n"


if __name__ == "__main__":
    main()
