"""`mitigation import`: transcripts of other tools in, a study of ours in results/<study>/ out; no model is called."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from experiments import _wiring
from mitigation.checks import check_choice, check_name
from mitigation.imports import FORMATS, read
from mitigation.imports.writing import write
from mitigation.store import Study


def main(arguments: Sequence[str]) -> int:
    """Read everything, then write it, and print what there is."""
    config = _wiring.composed("import", arguments)
    check_choice(config.format, "format", ("auto", *FORMATS))
    arm = check_name(config.arm, "arm")
    found, passed = read(Path(str(config.path)), form=config.format, arm=arm)
    study = Study(_wiring.RESULTS, str(config.study))
    added = write(study, found)
    for name in passed:
        print(f"passed over: {name}")
    counts, conceded = Counter(battle.identity for battle in found), sum(battle.ending == "conceded" for battle in found)
    messages = sum(len(battle.replies) for battle in found)
    print(f"{len(found)} battles, {messages:,} messages after the openers; {conceded} end in a concession")
    print(f"arms: {', '.join(f'{name} {count}' for name, count in sorted(counts.items()))}")
    there = len(found) - added
    print(f"study {study.name}: {added} added" + (f", {there} were there already" if there else ""))
    print(f"next: mitigation report study={study.name}")
    return 0


if __name__ == "__main__":
    from experiments.cli import run

    sys.exit(run("import", sys.argv[1:]))
