"""PESQ of what is recorded of phones, each alone, against what it said: prints a table for QUALITY.md.

python3 recorded.py PROGRAM FOLDER: PROGRAM is mixminus; FOLDER must not be there yet and keeps everything.
Needs what speech.py and the acceptance run need. Loopback only, and two minutes.
"""

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy
from speech import resampled, scores, sentences, sox

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "acceptance"))

import service
from checks import Checks
from conference import NAME, Desk
from recordings import RATE, ROLES, Tape, gather, leave, samples

# Silence before the speech, while the phones call and recordings start.
LEAD_SECONDS = 8
WIDEST = 48000


class Speech:
    """What a phone says."""

    def __init__(self, folder, samples):
        self.folder = folder
        self.samples = samples

    def at(self, rate):
        path = self.folder / f"speech-{rate}.wav"
        if not path.exists():
            raw = ("-t", "raw", "-r", WIDEST, "-e", "signed", "-b", 16, "-c", 1, "-")
            lasts = ("pad", LEAD_SECONDS, LEAD_SECONDS, "rate", rate)
            sox("-D", *raw, path, *lasts, given=self.samples.tobytes())
        return path


def begin(reference, heard):
    """Where in `heard` the reference begins, in samples."""
    size = 1 << (len(reference) + len(heard)).bit_length()
    product = numpy.fft.rfft(heard, size) * numpy.conj(numpy.fft.rfft(reference, size))
    return int(numpy.fft.irfft(product, size)[: len(heard)].argmax())


def judge(speech, tape, codec):
    judged = 8000 if codec == "PCMU" else RATE
    reference = resampled(speech, WIDEST, judged)
    heard = resampled(samples(tape.file)[:, 0].astype("<i2"), RATE, judged)
    start = begin(reference, heard)
    return list(scores(reference, heard[start : start + len(reference)], judged))


def main():
    program, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    folder.mkdir()
    speech = numpy.concatenate(list(sentences(folder)))
    voices = dict.fromkeys(ROLES, Speech(folder, speech))
    stage = SimpleNamespace(
        program=program, folder=folder, checks=Checks(), ports=service.Ports(), voices=voices
    )
    desk = Desk(stage, "service").start()
    try:
        for role, codec in ROLES.items():
            desk.offer(role, role.title(), stay_alone=True, enter_sound="none", exit_sound="none")
            desk.phone(role, codec)
        gather(desk)
        tapes = {role: record(desk, desk.member_id(role)) for role in ROLES}
        time.sleep(LEAD_SECONDS + len(speech) / WIDEST + 1)
        for tape, stop in tapes.values():
            tape.finished(stop)
        leave(desk)
    finally:
        desk.stop()
    print("| | " + " | ".join(ROLES.values()) + " |\n|---|" + "---:|" * len(ROLES))
    cells = [judge(speech, tapes[role][0], codec) for role, codec in ROLES.items()]
    print("| recorded | " + " | ".join(f"{numpy.mean(cell):.2f} ({min(cell):.2f})" for cell in cells) + " |")


def record(desk, member):
    """A recording of one party alone, and what stops it."""
    start = desk.calls.start_participant_recording
    terms = {"file_format": "wav", "record_track_type": "participant"}
    tape = Tape(desk, lambda **more: start(member, **terms, **more))
    return tape, lambda: desk.calls.stop_participant_recording(member, friendly_name=NAME)


if __name__ == "__main__":
    main()
