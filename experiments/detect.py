"""`mitigation detect`: stored battles in, results/<study>/detections/<detector>.jsonl out; only judges are asked anything."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence

from experiments import _wiring
from experiments._judging import judge
from mitigation import studies


def main(arguments: Sequence[str]) -> int:
    """Detect and print how many mentions of each kind there are by arm."""
    config = _wiring.composed("detect", arguments)
    if config.detector.name in studies.JUDGES:
        return judge(config, arguments)
    path = studies.detect(str(config.study), detector=config.detector.name, results=_wiring.RESULTS)
    loaded = studies.load(str(config.study), detector=config.detector.name, results=_wiring.RESULTS)
    counts: dict[str, Counter[str]] = {}
    for battle in loaded.transcripts:
        found = counts.setdefault(battle.identity, Counter())
        for seen in loaded.detections[battle.battle_id]:
            found["messages"] += 1
            found.update(mention.label for mention in seen.mentions or ())
            found["unjudged"] += seen.mentions is None
    for arm, found in sorted(counts.items()):
        kinds = ", ".join(f"{count} {kind}" for kind, count in found.most_common() if count and kind != "messages")
        print(f"{arm}: {found['messages']} messages: {kinds or 'no we'}")
    print(f"{loaded.detector}\nwritten: {path}")
    return 0


if __name__ == "__main__":
    from experiments.cli import run

    sys.exit(run("detect", sys.argv[1:]))
