"""`mitigation lint`: identities, or the arguments of battle, in; a profile of every arm's texts and every fault out."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments import _sweeps, _wiring
from experiments._tables import drawn
from mitigation.design import interleave
from mitigation.lint import ArmTexts, arm_texts, remarks
from mitigation.lint_sweeps import arms_of, refuse_faults
from mitigation.types import Battle, Identity

NUMBERS = ("arm", "seats", "wordings", "words", "range", "tokens", "you", "we")
LIKENESS = ("arm", "alike", "nearest", "to", "groups named")
LEGEND = (
    "Means of a wording: words, about how many tokens, how often “you” or “your”; “we” is counted over all wordings.",
    "alike: highest share of content words that two wordings of the arm have in common; nearest: the same with another arm's.",
)


def main(arguments: Sequence[str]) -> int:
    """Print a profile of every arm; exit 2 with every fault."""
    if arguments:
        named = any(a.startswith(("study=", "experiment=")) for a in arguments)
        cells = _sweeps.sweep(arguments if named else [*arguments, "study=lint"]).cells
        arms = arms_of(cells)
    else:
        cells, arms = (), _wiring.identities()
    texts = [arm_texts(arm, arms) for arm in arms]
    print(drawn("length and address", NUMBERS, [_numbers(arm, found) for arm, found in zip(arms, texts, strict=True)], names=2))
    print(drawn("likeness", LIKENESS, map(_likeness, texts), left=("to", "groups named")))
    print("\n".join(LEGEND))
    for remark in remarks(arms):
        print(f"note: {remark}")
    check_texts(arms, interleave(cells))
    dealt = f", {sum(cell.replicates for cell in cells):,} battles" if cells else ""
    print(f"{len(arms)} arm{'s' if len(arms) > 1 else ''}{dealt}: no fault")
    return 0


def check_texts(arms: Sequence[Identity], battles: Sequence[Battle]) -> None:
    """Raise ConfigError with everything that is wrong with the texts of the arms and with how battles deal them."""
    named = {name for arm in arms for name in (arm.rules.like, arm.rules.same_words_as, arm.rules.same_texts_as) if name}
    library = _wiring.identities() if named - {arm.name for arm in arms} else ()
    refuse_faults(arms, battles, library=library)


def _numbers(arm: Identity, texts: ArmTexts) -> tuple[str, ...]:
    words, tokens, you = (f"{mean:.1f}" for mean in (texts.words, texts.tokens, texts.second_person))
    span = f"{texts.shortest}-{texts.longest}"
    return texts.arm, arm.seats, str(texts.wordings), words, span, tokens, you, str(texts.plurals)


def _likeness(texts: ArmTexts) -> tuple[str, ...]:
    groups = ", ".join(f"{kind} {count}" for kind, count in sorted(texts.groups.items())) or "none"
    return texts.arm, f"{texts.alike:.2f}", f"{texts.nearest:.2f}", texts.neighbour or "none", groups


if __name__ == "__main__":
    from experiments.cli import run

    sys.exit(run("lint", sys.argv[1:]))
