"""`python -m secure_torch …` is `secure-torch …`."""

from __future__ import annotations

import os
import subprocess
import sys

from ._binary import find_binary
from .errors import SecurityError


def main() -> int:
    """Run the binary in place of this process where the system can. 2 where it can't be found or started."""
    try:
        command = [find_binary(), *sys.argv[1:]]
        if os.name == "nt":
            return subprocess.run(command, check=False).returncode
        os.execv(command[0], command)  # noqa: S606
    except SecurityError as err:
        print(f"error: {err}", file=sys.stderr)
    except OSError as err:
        print(f"error: {command[0]} can't be run: {err.strerror}: reinstall secure-torch", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
