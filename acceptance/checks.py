"""Counts what holds and what does not, one line each."""

import contextlib
import time
import traceback


class Checks:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.where = ""

    def __call__(self, name, holds, detail=""):
        """Reports whether `name` holds, and returns it."""
        if holds:
            self.passed += 1
        else:
            self.failed += 1
        seen = f"  ({detail})" if detail != "" else ""
        print(f"{'ok  ' if holds else 'FAIL'} {self.where}: {name}{seen}", flush=True)
        return bool(holds)

    def eventually(self, name, look, seconds=5.0):
        """Reports whether `look()` becomes true in time."""
        deadline = time.monotonic() + seconds
        while not (seen := look()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return self(name, seen)

    @contextlib.contextmanager
    def part(self, title):
        """A part of the run; what it raises is one failed check."""
        self.where = title
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the run goes on with its other parts
            traceback.print_exc()
            self("ran to its end", False, f"{type(error).__name__}: {error}")

    def summary(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 0 if self.failed == 0 and self.passed > 0 else 1
