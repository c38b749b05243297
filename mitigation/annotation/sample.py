"""A study's battles in; those that are labelled out, drawn once for all annotators.

results/<study>/labels/sample.json  seed and battles, in the order to label them
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import orjson

from mitigation.errors import ConfigError, StoreError
from mitigation.files import write_atomically
from mitigation.labels import FOLDER, draw
from mitigation.locks import held
from mitigation.types import Transcript

SAMPLE: Final = "sample.json"


def sample(folder: Path, transcripts: Sequence[Transcript], per_arm: int, seed: int) -> list[str]:
    """Return the battles to label, and store which they are; `folder` is the study's.

    Asking for more adds to the stored ones; asking for fewer returns their beginning, and forgets none.

    Raises:
        ConfigError: they were drawn with another seed, or somebody else is drawing at this moment.
        StoreError: the stored sample cannot be read, or the new one not be written.
    """
    path = folder / FOLDER / SAMPLE
    with held(path.with_name(".lock"), f"{path}"):
        kept = stored(folder, seed)
        chosen = draw(transcripts, per_arm, seed, kept=kept)
        new = [battle for battle in chosen if battle not in kept]
        if new:
            content = orjson.dumps({"seed": seed, "battles": [*kept, *new]}, option=orjson.OPT_INDENT_2)
            write_atomically(path, content + b"\n")
    return chosen


def stored(folder: Path, seed: int | None = None) -> list[str]:
    """Return the battles that were drawn so far; `seed` has to be that of the draw where it is given.

    Raises:
        ConfigError: they were drawn with another seed.
        StoreError: the file is damaged.
    """
    path = folder / FOLDER / SAMPLE
    if not path.exists():
        return []
    try:
        record = orjson.loads(path.read_bytes())
        drawn, battles = int(record["seed"]), [str(battle) for battle in record["battles"]]
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{path} is damaged: put it back, or delete it to draw again; no label is lost") from None
    if seed not in (None, drawn):
        raise ConfigError(f"seed={seed}: the battles in {path} were drawn with seed={drawn}; give that one")
    return battles
