"""Exit with 1 if a file given as argument holds a private key or is larger than 2 MB; used by pre-commit."""

from __future__ import annotations

import re
import sys
from pathlib import Path

LARGEST = 2_000_000
KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY|\bsk-(?:proj|ant)-[\w-]{20,}")


def main() -> int:
    """Name what cannot be committed."""
    bad = []
    for path in map(Path, sys.argv[1:]):
        if path.is_file():
            data = path.read_bytes()
            bad += [f"{path}: {len(data):,} bytes, more than {LARGEST:,}"] if len(data) > LARGEST else []
            bad += [f"{path}: looks like a key"] if KEY.search(data) else []
    print("\n".join(bad), end="\n" if bad else "")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
