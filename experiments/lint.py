"""`mitigation lint`: identities, or the arguments of battle, in; a profile of every arm's texts and every fault out."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments import _sweeps, _wiring
from experiments._tables import drawn
from mitigation.design import interleave
from mitigation.lint import arm_texts, arms_of, refuse_faults
from mitigation.types import Cell, Identity

HEADINGS = (
    "arm", "seats", "nearest other arm", "groups named", "wordings", "words", "range", "tokens", "you", "we", "alike", "nearest",
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Print a profile of every arm; exit 2 with every fault."""
    if arguments:
        named = any(a.startswith(("study=", "experiment=")) for a in arguments)
        cells = _sweeps.sweep(arguments if named else [*arguments, "study=lint"]).cells
        arms = arms_of(cells)
    else:
        cells, arms = (), _wiring.identities()
    print(drawn("texts of the arms, means of a wording", HEADINGS, [_row(arm, arms) for arm in arms], names=4))
    check_texts(cells, arms)
    dealt = f", {sum(cell.replicates for cell in cells):,} battles" if cells else ""
    print(f"{len(arms)} arms{dealt}: no fault")
    return 0


def check_texts(cells: Sequence[Cell], arms: Sequence[Identity]) -> None:
    """Raise ConfigError with everything that is wrong with the texts of the arms and with how the cells' battles deal them."""
    named = {name for arm in arms for name in (arm.profile.like, arm.profile.same_words_as, arm.profile.same_texts_as) if name}
    library = _wiring.identities() if named - {arm.name for arm in arms} else ()
    refuse_faults(arms, interleave(cells), library=library)


def _row(arm: Identity, arms: Sequence[Identity]) -> tuple[str, ...]:
    texts = arm_texts(arm, arms)
    groups = ", ".join(f"{count} {kind}" for kind, count in texts.groups.items()) or "none"
    return (
        texts.arm,
        arm.seats,
        texts.neighbour or "none",
        groups,
        str(texts.wordings),
        f"{texts.words:.1f}",
        f"{texts.shortest}-{texts.longest}",
        f"{texts.tokens:.1f}",
        f"{texts.second_person:.1f}",
        str(texts.plurals),
        f"{texts.alike:.2f}",
        f"{texts.nearest:.2f}",
    )


if __name__ == "__main__":
    from experiments.cli import run

    sys.exit(run("lint", sys.argv[1:]))
