"""`mitigation annotate`: stored battles in, results/<study>/labels/<annotator>.jsonl out, by way of a page on this machine."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Sequence

from experiments import _wiring
from experiments.cli import say
from mitigation import studies
from mitigation.annotation.page import page
from mitigation.annotation.sample import sample, stored
from mitigation.annotation.server import AnnotationServer
from mitigation.annotation.session import Review, Session
from mitigation.checks import check_int, check_name
from mitigation.errors import AnalysisError, ConfigError
from mitigation.labels import Said, annotators, labels_file, read
from mitigation.locks import held
from mitigation.store import Study
from mitigation.types import Transcript


def main(arguments: Sequence[str]) -> int:
    """Serve the page until Ctrl-C, then say what is labelled and how to go on."""
    config = _wiring.composed("annotate", arguments)
    annotator = check_name(str(config.annotator), "annotator")
    if annotator in studies.NAMES:
        raise ConfigError(f"annotator={annotator} is the name of a detector: choose another")
    battles = check_int(config.battles, "battles", low=1, high=1_000_000)
    seed = check_int(config.seed, "seed", low=0, high=2**63 - 1)
    port = check_int(config.port, "port", low=0, high=65_535)
    study = studies.existing(str(config.study), _wiring.RESULTS)
    transcripts, _ = study.read()
    review = None if config.review is None else _review(study, transcripts, annotator, str(config.review))
    # Two programs that write one file would each think themselves alone.
    with held(labels_file(study.folder, annotator).with_suffix(".lock"), f"the file of {annotator} in study {study.name}"):
        chosen = stored(study.folder) if review else sample(study.folder, transcripts, battles, seed)
        session = Session(study, annotator, transcripts, chosen, review=review)
        _told(session, len(chosen), len(stored(study.folder)))
        if session.progress[1]:
            _serve(session, port)
            done, total = session.progress
            what = f"{done} of {total} messages are {'reviewed' if review else 'labelled'}"
            say(f"{what}: {session.path}\ncontinue with: mitigation annotate {shlex.join(arguments)}")
    return 0


def _review(study: Study, transcripts: Sequence[Transcript], annotator: str, rater: str) -> Review:
    """Return what a detector or another annotator says of the study."""
    if rater in studies.NAMES:
        judged = studies.load(study.name, detector=rater, results=_wiring.RESULTS).detections
        said = {
            (battle, seen.index): Said.of(seen) for battle, every in judged.items() for seen in every if seen.mentions is not None
        }
        return Review(rater=rater, said=said)
    others = [name for name in annotators(study.folder) if name != annotator]
    if rater not in others:
        raise ConfigError(
            f"review={rater!r} has no labels of study {study.name}; there are: {', '.join([*studies.NAMES, *others])}"
        )
    return Review(rater=rater, said=read(labels_file(study.folder, rater), transcripts).messages)


def _told(session: Session, chosen: int, drawn: int) -> None:
    """Say what there is to do; AnalysisError when there is nothing."""
    reading, (done, total) = session.reading, session.progress
    if reading.stale:
        say(f"labels of {reading.stale} messages are not used: these messages are not stored any more as they were read")
    if reading.damaged:
        say(f"{reading.damaged} lines of {session.path} are damaged and not used")
    if session.review:
        rater = session.review.rater
        say(
            f"{session.annotator} and {rater} differ in {total} of the messages that both labelled"
            + (f"; {done} are reviewed" if done else "")
        )
        return
    if not total:
        raise AnalysisError("there is no complete battle to label: fight or import some first")
    more = f" (of {drawn} that are drawn)" if drawn > chosen else ""
    say(f"{chosen} battles{more}, {total} messages, {done} labelled by {session.annotator}")


def _serve(session: Session, port: int) -> None:
    """Serve the page until Ctrl-C; what was saved by then is on the disk."""
    rater = session.review.rater if session.review else None
    # A shell that starts it in the background leaves Ctrl-C ignored; whoever sends it means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with AnnotationServer(session, page(session.annotator, rater), port=port) as server:
        try:
            say(f"open {server.address}\nCtrl-C ends; each message is stored when it is saved")
            server.serve_forever()
        except KeyboardInterrupt:
            say("")


if __name__ == "__main__":
    from experiments.cli import run

    sys.exit(run("annotate", sys.argv[1:]))
