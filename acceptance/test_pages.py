"""The tests that the pages of `docs` name exist: `python3 -m unittest test_pages`."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("plivo-compatibility.md", "recordings.md", "keeping-recordings.md", "sip-attacks.md")
PAGES = [ROOT / "docs" / page for page in NAMES]
ROWS = [line for page in PAGES for line in page.read_text().splitlines() if line.startswith("| ")]


def named(pattern):
    """Where each test is said to be, and its name."""
    return re.findall(rf"`({pattern})::(\w+)`", "\n".join(ROWS))


def missing(tests, head, files):
    """Those of `tests` that `files` of their place do not define with `head`."""

    def defined(place):
        return {name for file in files(place) for name in re.findall(rf"\b{head} (\w+)", file.read_text())}

    known = {place: defined(place) for place in {place for place, _ in tests}}
    return [f"{place}::{test}" for place, test in tests if test not in known[place]]


class Pages(unittest.TestCase):
    def test_every_test_of_a_crate_is_there(self):
        tests = named(r"\w+")
        self.assertGreater(len(tests), 300)
        gone = missing(tests, "fn", lambda crate: (ROOT / "crates" / crate).rglob("*.rs"))
        self.assertEqual([], gone)

    def test_every_step_of_the_acceptance_run_is_there(self):
        steps = named(r"\w+\.py")
        self.assertGreater(len(steps), 50)
        gone = missing(steps, "def", lambda part: [ROOT / "acceptance" / part])
        self.assertEqual([], gone)

    def test_every_row_has_three_cells(self):
        self.assertEqual([], [row for row in ROWS if row.count(" |") != 3])


if __name__ == "__main__":
    unittest.main()
