"""`mitigation propose`: a model's drafts in, identities for review in conf/identity/proposed/ out."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from experiments import _wiring
from experiments.cli import visible
from mitigation.calls import Retry
from mitigation.checks import check_float, check_int
from mitigation.errors import ConfigError, StoreError
from mitigation.proposals import review
from mitigation.proposals.draft import Draft, draft
from mitigation.providers import Connections
from mitigation.types import Model


def main(arguments: Sequence[str]) -> int:
    """Draft, accept or reject."""
    config = _wiring.composed("propose", arguments)
    identities = _wiring.conf_dir() / "identity"
    if config.accept is not None and config.reject is not None:
        raise ConfigError("accept and reject cannot be given together: run the command once for each")
    if config.accept is not None:
        path = review.accept(identities, str(config.accept))
        print(f"accepted: {path}; use it as identity={path.stem}")
        return 0
    if config.reject is not None:
        review.reject(identities, str(config.reject))
        print(f"rejected: {config.reject} is deleted")
        return 0
    return _propose(config, identities)


def _propose(config: DictConfig, identities: Path) -> int:
    wanted = check_int(config.wordings, "wordings", low=2, high=200)
    calls = check_int(config.calls, "calls", low=1, high=10_000)
    limit = check_float(config.similarity, "similarity", low=0.0, high=1.0)
    seed = check_int(config.seed, "seed", low=0, high=2**63 - 1)
    model: Model = _wiring.build(config.model)
    name = review.free_name(identities) if config.name is None else str(config.name)
    review.check_free(identities, name)
    banks = _wiring.identities()
    others = {f"{arm.name} wording {i}": text for arm in banks for i, text in enumerate(arm.bank, 1)}
    examples = next((arm.bank for arm in banks if arm.name == "unique_disassociative"), ())
    print(f"asking {model.name} for {wanted} identities, at most {calls} calls; compared with {len(others)} that exist")
    drafts = asyncio.run(_draft(model, examples, others, wanted, calls, limit, seed))
    kept = [made for made in drafts if not made.faults]
    reasons = Counter(made.faults[0].split(" (")[0] for made in drafts if made.faults)
    print(f"kept {len(kept)} of {len(drafts)}")
    for reason, count in reasons.most_common():
        print(f"  turned down, {count} times: {visible(reason)}")
    source = {
        "model": model.name,
        "provider": model.provider,
        "temperature": model.temperature,
        "seed": seed,
        "similarity": limit,
    }
    path = review.write(identities, name, drafts, source)
    if len(kept) < 2:
        raise StoreError(
            f"fewer than two identities were kept, and two agents need two; the drafts are in {path.with_suffix('.json')}: "
            "raise calls or similarity, or ask another model"
        )
    for made in kept:
        print(f"\n{visible(made.text)}\n  nearest: {made.like}, similarity {made.similarity:.2f}")
    print(f"\nwritten: {path}; read and edit it, then try it:")
    print(f"  mitigation battle -m study=try-{name} identity=control,proposed/{name} pairing=embedded replicates=10")
    print(f"  mitigation propose accept={name}      (or reject={name})")
    return 0


async def _draft(
    model: Model, examples: Sequence[str], others: dict[str, str], wanted: int, calls: int, limit: float, seed: int
) -> list[Draft]:
    def notify(event: Retry | Draft) -> None:
        if isinstance(event, Retry):
            print(f"waiting {event.seconds:.0f} s: {visible(event.reason)}", file=sys.stderr)

    async with Connections([model]) as connections:
        return await draft(
            connections[model],
            examples=examples,
            others=others,
            wanted=wanted,
            calls=calls,
            limit=limit,
            seed=seed,
            notify=notify,
        )


if __name__ == "__main__":
    from experiments.cli import run

    sys.exit(run("propose", sys.argv[1:]))
