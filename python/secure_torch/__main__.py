"""`python -m secure_torch …` is `secure-torch …`."""

from __future__ import annotations

import os
import subprocess
import sys

from ._binary import find_binary


def main() -> int:
    """Run the binary in place of this process where the system can."""
    command = [find_binary(), *sys.argv[1:]]
    if os.name == "nt":
        return subprocess.run(command, check=False).returncode
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    sys.exit(main())
