"""Recordings while the disk is full and while the bucket is down, and what lies there in the clear."""

import contextlib
import json
import subprocess
import time
from pathlib import Path

import numpy as np
from plivo import plivoxml

import bucket
import sound
from conference import NAME, Desk
from recordings import EDGE_SECONDS, RATE, ROLES, Tape, download, gather, is_there, leave, samples, seconds
from service import AUTH_ID

DISK = "4m"
# On a full disk the last page of a file can still be filled; audio and journal are two files.
PAGE_BYTES = 4096
BUFFER_SECONDS = 5
# Listening takes most of the time for which the disk is full.
SHORT_SECONDS = 4.0
LONG_SECONDS = 9.0
CALLERS = 10
TALK_SECONDS = 9
# Samples of the audio that are looked for at once, and how many times.
PIECE = 16
PIECES = 8
UPLOADS = f"""\
store = "s3"
s3_bucket = "{bucket.NAME}"
s3_endpoint = "{{url}}"
s3_path_style = true
s3_allow_http = true
s3_access_key_id = "{bucket.KEY['aws_access_key_id']}"
s3_secret_access_key = "{bucket.KEY['aws_secret_access_key']}"
encryption_key = "{bytes(range(32)).hex()}"
multichannel_wav = true
sample_rate_hz = 48000
"""


def run(stage):
    mount = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", stage.folder]
    if subprocess.run(mount, capture_output=True).returncode == 0:
        full(stage)
    else:
        print("     the disk is not filled: this machine does not let its users mount one")
    uploads(stage)


class Disk:
    """A small disk that only the service sees, and that is filled from outside."""

    def __init__(self, folder):
        self.place = folder / "disk"

    def hold(self, desk):
        """Lets the service start with it."""
        self.place.mkdir()
        mount = f'mount -t tmpfs -o size={DISK} none "{self.place}" && exec "{desk.service.program}" "$@"'
        program = self.place / "serve"
        program.write_text(f"#!/bin/sh\nexec unshare --map-root-user --mount sh -c '{mount}' sh \"$@\"\n")
        program.chmod(0o700)
        desk.service.program = program
        self.desk = desk

    def seen(self):
        return Path(f"/proc/{self.desk.service.process.pid}/root{self.place}")

    def fill(self):
        with (self.seen() / "ballast").open("ab", buffering=0) as ballast:
            for size in (1 << 16, 1):
                try:
                    while ballast.write(bytes(size)):
                        pass
                except OSError:
                    pass

    def used(self):
        """Bytes of the recordings on it."""
        return sum(path.stat().st_size for path in self.seen().glob("??/*/*"))

    def free(self):
        (self.seen() / "ballast").unlink()


def full(stage):
    disk = Disk(stage.folder / "full")
    terms = f'directory = "{disk.place}"\nmax_buffer_s = {BUFFER_SECONDS}'
    desk = Desk(stage, "full", recordings=terms)
    disk.hold(desk)
    desk.start()
    try:
        for role, codec in ROLES.items():
            desk.offer(role, role.title(), stay_alone=True, coach_mode=False)
            desk.phone(role, codec)
        gather(desk)
        short, _ = filled(desk, disk, "a short while", SHORT_SECONDS)
        desk.checks("nothing is lost of a short while", short == [], short)
        long, length = filled(desk, disk, "a long while", LONG_SECONDS)
        lost = sum(span["samples"] for span in long) / RATE
        desk.checks("a long while leaves one gap", [span["why"] for span in long] == ["gap"], long)
        near = abs(lost - (LONG_SECONDS - BUFFER_SECONDS)) < 3 * EDGE_SECONDS
        desk.checks("of what the buffer did not hold", near, f"{lost:.2f} s of {length:.2f} s")
        leave(desk)
    finally:
        desk.stop()


def filled(desk, disk, why, how_long):
    """Records while the disk is full for so many seconds; what the sidecar calls silence, and the length."""
    tape = Tape(desk, desk.calls.start_recording, file_format="wav")
    tape.span(f"before {why}")
    before, skipped = late(desk), desk.service.metric("mixminus_media_ticks_skipped_total")
    disk.fill()
    begun, used = time.monotonic(), disk.used()
    everyone = {role: [other for other in ROLES if other != role] for role in ROLES}
    desk.expect(everyone, f"{why} without room")
    time.sleep(max(0, begun + how_long - time.monotonic()))
    more = disk.used() - used
    desk.checks(f"{why}: there was room for nothing", 0 <= more < 2 * PAGE_BYTES, f"{more} bytes")
    disk.free()
    now = desk.service.metric("mixminus_media_ticks_skipped_total")
    desk.checks(f"{why}: no tick is given up", now == skipped, now)
    counts = {bound: count - before[bound] for bound, count in late(desk).items()}
    desk.checks(f"{why}: no tick is a whole one late", counts["0.02"] == counts["+Inf"], counts)
    tape.span(f"after {why}")
    tape.finished(lambda: desk.calls.stop_recording(friendly_name=NAME))
    for name in tape.spans:
        tape.expect(name, ROLES)
    sidecar = sidecar_of(desk, tape.id)
    length = seconds(tape.file)
    near = abs(length - tape.ended) < EDGE_SECONDS
    desk.checks(f"{why}: it is as long as it took", near, f"{length:.2f} s")
    desk.checks(f"{why}: all else is heard", heard(tape.file, sidecar["spans"]))
    return sidecar["spans"], length


def late(desk):
    """How many ticks began no later than so many seconds, by the text of the bound."""
    lines = desk.service.get("/metrics")[1].splitlines()
    buckets = [line for line in lines if line.startswith("mixminus_media_tick_lateness_seconds_bucket")]
    return {line.split('"')[1]: int(line.split()[-1]) for line in buckets}


def sidecar_of(desk, recording):
    url = f"{desk.service.url}/v1/Account/{AUTH_ID}/Recording/{recording}/Sidecar/"
    return json.loads(download(desk, url, "sidecar.json").read_text())


def heard(file, spans):
    """Whether each half second has voices, but for the spans, which are silent."""
    audio = samples(file)[:, 0]
    voiced = np.ones(len(audio), bool)
    for span in spans:
        voiced[span["from_sample"] : span["from_sample"] + span["samples"]] = False
    if audio[~voiced].any():
        return False
    rest = audio[voiced]
    halves = rest[: len(rest) // (RATE // 2) * (RATE // 2)].reshape(-1, RATE // 2)
    return all(sound.level(half) > -40 for half in halves)


def uploads(stage):
    """A bucket that is up late, goes down within a file, and is up again after the service was killed."""
    far = bucket.Bucket(stage.ports.one())
    desk = Desk(stage, "uploads", recordings=UPLOADS.format(url=far.url)).start()
    try:
        told, seen = recorded(desk)
        url = told["RecordingURL"]
        whole = download(desk, url, "whole.wav").read_bytes()
        audio = channels(whole)
        desk.checks("each party has a channel", audio.shape[1] >= CALLERS, audio.shape)
        far.up(most_parts=1)
        desk.checks.eventually("it is sent once the bucket is up", lambda: len(far.parts) == 1, 20)
        far.down()
        same(desk, url, whole, "the bucket has a part of it")
        desk.service.kill()
        desk.service.start()
        same(desk, url, whole, "the service was killed")
        seen |= files(desk)
        far.up()
        arrived = lambda: not files(desk) and not far.uploads()  # noqa: E731
        desk.checks.eventually("it arrives, and leaves the directory", arrived, 20)
        desk.checks("each part was sent once", far.parts == sorted(set(far.parts)), far.parts)
        same(desk, url, whole, "the bucket has it")
        kept = far.objects()
        desk.checks("as the directory had it", set(kept.values()) <= set(seen.values()), list(kept))
        clear = [name for name, data in (seen | kept).items() if is_clear(audio, data)]
        desk.checks("nothing of the audio is in the clear", seen and kept and not clear, clear)
        desk.checks("what is in the clear would be found", is_clear(audio, whole))
        desk.client.recordings.delete(told["RecordingUUID"])
        desk.checks("it is gone at once", is_there(desk, url) is None)
        desk.checks.eventually("and from the bucket", lambda: not far.names() and not far.uploads())
    finally:
        desk.stop()
        far.down()


def recorded(desk):
    """A conference of many callers: the callback that told its recording's end, and the files that there
    were while they talked and then."""
    events = {"recording_callback_url": desk.events_url, "status_callback_url": desk.events_url}
    form = {"record": True, "record_file_format": "wav"}
    place = plivoxml.MultiPartyCallElement(NAME, role="Agent", **form, **events)
    desk.app.answer("callers", plivoxml.ResponseElement().add(place))
    command = [
        desk.service.program, "rehearse", "--target", f"127.0.0.1:{desk.service.sip_port}", "--rooms", "1",
        "--participants", str(CALLERS), "--seconds", str(TALK_SECONDS), "--user", "callers",
    ]  # fmt: skip
    with (desk.service.folder / "rehearsal").open("wb") as log:
        rehearsal = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=desk.service.folder)
    time.sleep(TALK_SECONDS)
    seen = {f"live {name}": data for name, data in files(desk).items()}
    status = rehearsal.wait(60)
    desk.checks("the callers hear each other while the bucket is down", status == 0, f"status {status}")
    told = desk.app.callback(20, EventName="MPCRecordingCompleted")
    desk.checks("its end is told while the bucket is down", told is not None)
    return told, seen | files(desk)


def files(desk):
    """The bytes of all that lies in the directory, by name."""
    place = desk.service.folder / "data" / "recordings"
    found = {}
    for path in place.glob("??/*/*"):
        # One that was just brought away is not there.
        with contextlib.suppress(FileNotFoundError):
            found[str(path.relative_to(place))] = path.read_bytes()
    return found


def same(desk, url, whole, when):
    """The recording can be fetched, byte for byte."""
    file = is_there(desk, url)
    desk.checks(f"{when}: it is fetched as it was", file and file.read_bytes() == whole)


def channels(wav):
    """The samples of a file, a column for each channel."""
    form, data = wav.index(b"fmt ") + 8, wav.index(b"data") + 8
    return np.frombuffer(wav[data:], "<i2").reshape(-1, int.from_bytes(wav[form + 2 : form + 4], "little"))


def is_clear(audio, data):
    """Whether the loudest of some stretch of the audio is in `data`, as one channel or as all of them."""
    stretches = np.array_split(audio, PIECES)
    loudest = [int(np.abs(stretch[:-PIECE].astype(int)).sum(axis=1).argmax()) for stretch in stretches]
    spans = [stretch[at : at + PIECE] for stretch, at in zip(stretches, loudest, strict=True)]
    # Silence is in any file.
    sounding = [channel for span in spans for channel in span.T if np.count_nonzero(channel) > PIECE // 2]
    return any(piece.tobytes() in data for piece in spans + sounding)
