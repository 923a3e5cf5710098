"""What the processes of one run of pytest share: a directory, and work that one of them does for all.

With -n, pytest runs in several processes, each with fixtures of its own."""

import fcntl
import os
import shutil
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
# The first process of a run gives it its name.
RUN = os.environ.setdefault("OTR_TEST_RUN", f"{os.getpid()}-{time.time_ns()}")
SHARED = TARGET / "pytest" / RUN


class Failed(Exception):
    """Work for all of them that failed; the text says how."""


def once(name, work):
    """Calls `work` in the first process that asks for it; the others wait for that, and get the text that it returned. If it
    failed, all of them fail."""
    SHARED.mkdir(parents=True, exist_ok=True)
    done, failed = SHARED / f"{name}.done", SHARED / f"{name}.failed"
    with open(SHARED / f"{name}.lock", "a+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if failed.exists():
            raise Failed(failed.read_text(encoding="utf-8"))
        if not done.exists():
            try:
                result = str(work() or "")
            except BaseException as error:
                failed.write_text(str(error) or repr(error), encoding="utf-8")
                raise
            done.write_text(result, encoding="utf-8")
        return done.read_text(encoding="utf-8")


def forget():
    """Takes the directory away, when the run is over."""
    shutil.rmtree(SHARED, ignore_errors=True)
