"""What is recorded: who is heard in it, how long it is, and what is left of it
when the process dies or the disk has no room.
"""

import json
import random
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path

import numpy as np
from plivo import plivoxml
from plivo.exceptions import ResourceNotFoundError

import sound
from conference import NAME, Desk
from service import AUTH_ID, AUTH_TOKEN

SEED = 5
KILLS = 10
RATE = 16000
# From a request to what it changes, and back: on loopback far less.
EDGE_SECONDS = 0.5
SPAN_SECONDS = 2.0
# The limiter changes nothing below this.
LIMITED = 29000
TAG_HZ = 3400
ROLES = {"agent": "PCMU", "customer": "opus", "supervisor": "G722"}


def run(stage):
    transcriber = [sys.executable, str(Path(__file__).with_name("transcriber.py")), "{format}"]
    speech = f"transcriber = {json.dumps(transcriber)}"
    desk = Desk(stage, "recordings", recordings="keep_tracks = true", speech=speech).start()
    try:
        for role, codec in ROLES.items():
            desk.offer(role, role.title(), stay_alone=True, coach_mode=role == "supervisor")
            desk.phone(role, codec)
        conference(desk)
        participants(desk)
        calls(desk)
        transcribed(desk)
        formats(desk)
        paused(desk)
        killed(desk)
    finally:
        desk.stop()


class Tape:
    """A recording of the conference, and when what happened in it."""

    def __init__(self, desk, start, **terms):
        self.desk = desk
        self.spans = {}
        told = {"recording_callback_url": desk.events_url, "recording_callback_method": "POST"}
        self.id = start(friendly_name=NAME, **told, **terms).recording_id
        self.begun = time.monotonic()

    def span(self, name):
        """A stretch in which nothing changes."""
        time.sleep(EDGE_SECONDS)
        begin = time.monotonic() - self.begun
        time.sleep(SPAN_SECONDS)
        self.spans[name] = (begin, time.monotonic() - self.begun)

    def finished(self, stop):
        """The callback that says it is whole, and its audio."""
        stop()
        self.ended = time.monotonic() - self.begun
        wanted = {"EventName": "MPCRecordingCompleted", "RecordingUUID": self.id}
        told = self.desk.app.callback(10, **wanted)
        self.desk.checks("its end is told", told is not None)
        self.file = download(self.desk, told["RecordingURL"], f"{self.id}.{told['RecordingFormat']}")
        return told

    def expect(self, name, voices, channel=None):
        """Who is heard in a span."""
        audio = samples(self.file)
        audio = audio.mean(axis=1) if channel is None else audio[:, channel]
        begin, end = (int(at * RATE) for at in self.spans[name])
        cut = sound.lowered(audio[begin : end // 2 * 2], RATE // sound.RATE)
        for role, voice in self.desk.stage.voices.items():
            heard = voice.heard_in(cut) if role in voices else voice.absent_from(cut)
            is_heard = "is heard" if role in voices else "is not heard"
            self.desk.checks(f"{name}: the {role} {is_heard}", heard, f"{voice.loudness_in(cut):.0f} dB")


def download(desk, url, name):
    request = urllib.request.Request(url)
    credentials = b64encode(f"{AUTH_ID}:{AUTH_TOKEN}".encode()).decode()
    request.add_header("Authorization", f"Basic {credentials}")
    with urllib.request.urlopen(request, timeout=10) as reply:
        file = desk.service.folder / name
        file.write_bytes(reply.read())
    return file


def is_there(desk, url):
    try:
        return download(desk, url, "probe")
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return None


def samples(file):
    """All samples, a column for each channel, at the rate that is recorded."""
    probe = ["ffprobe", "-v", "error", "-show_entries", "stream=channels", "-of", "csv=p=0", file]
    channels = int(subprocess.run(probe, capture_output=True, text=True, check=True).stdout)
    decode = ["ffmpeg", "-v", "error", "-i", file, "-f", "s16le", "-ar", str(RATE), "-"]
    data = subprocess.run(decode, capture_output=True, check=True).stdout
    return np.frombuffer(data, "<i2").astype(float).reshape(-1, channels)


def seconds(file):
    probe = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", file]
    return float(subprocess.run(probe, capture_output=True, text=True, check=True).stdout)


def gather(desk):
    for role, phone in desk.phones.items():
        desk.checks(f"the {role} is in", phone.call(desk.service.sip(role)))
    desk.checks.eventually("all are listed", lambda: len(desk.members()) == len(desk.phones))


def leave(desk):
    marks = {phone: len(phone.events) for phone in desk.phones.values()}
    desk.calls.stop(friendly_name=NAME)
    for phone, mark in marks.items():
        phone.closed(3, mark)


def conference(desk):
    """All of it, as one mix, and each track alone."""
    gather(desk)
    tape = Tape(desk, desk.calls.start_recording, file_format="wav")
    tape.span("all talk")
    desk.update("agent", mute=True)
    tape.span("the agent muted")
    desk.update("agent", mute=False)
    desk.update("customer", hold=True)
    tape.span("the customer held")
    desk.update("customer", hold=False)
    tape.span("all talk again")
    told = tape.finished(lambda: desk.calls.stop_recording(friendly_name=NAME))
    tape.expect("all talk", ["agent", "customer", "supervisor"])
    tape.expect("the agent muted", ["customer", "supervisor"])
    tape.expect("the customer held", ["agent", "supervisor"])
    tape.expect("all talk again", ["agent", "customer", "supervisor"])
    length = seconds(tape.file)
    desk.checks("it is as long as it took", abs(length - tape.ended) < EDGE_SECONDS, f"{length:.2f} s")
    count = len(samples(tape.file))
    desk.checks("it is of whole ticks", count % (RATE // 50) == 0, count)
    row = desk.client.recordings.get(tape.id)
    same = float(row.recording_duration_ms) == count * 1000 / RATE
    desk.checks("the API says how long it is", same, row.recording_duration_ms)
    desk.checks("so does the callback", int(told["RecordingDuration"]) == round(length), told["RecordingDuration"])
    sums_up(desk, tape)
    leave(desk)


def sums_up(desk, tape):
    """The tracks are equally long, and their sum is the mix."""
    base = f"{desk.service.url}/v1/Account/{AUTH_ID}/Recording/{tape.id}"
    listed = json.loads(download(desk, f"{base}/Track/", "tracks.json").read_text())["objects"]
    numbers = [one["number"] for one in listed]
    tracks = [samples(download(desk, f"{base}/Track/{number}.wav", f"{number}.wav"))[:, 0] for number in numbers]
    mix = samples(tape.file)[:, 0]
    desk.checks("all tracks are as long as the mix", {len(track) for track in tracks} == {len(mix)})
    total = np.sum(tracks, axis=0)
    quiet = np.abs(total) < LIMITED
    # The limiter gives way for some time after what was too loud.
    share = float(np.mean(total[quiet] == mix[quiet]))
    desk.checks("their sum is the mix, sample for sample", share > 0.99 or np.max(np.abs(total)) > LIMITED, share)
    sidecar = json.loads(download(desk, f"{base}/Sidecar/", "sidecar.json").read_text())
    parties = [entry["track"] for entry in sidecar["entries"] if entry["event"] == "participant"]
    desk.checks("there is a track for each party", len(set(parties) & set(numbers)) == len(ROLES), parties)
    events = {entry["event"] for entry in sidecar["entries"]}
    wanted = {"participant", "joined", "muted", "unmuted", "held", "unheld", "talking"}
    desk.checks("and what happened to them", wanted <= events, sorted(events))
    picture = download(desk, f"{base}/Waveform/", "waveform.png").read_bytes()
    desk.checks("there is a picture of it", picture.startswith(b"\x89PNG"))


def participants(desk):
    """One party alone, and one party with what it hears."""
    gather(desk)
    agent = desk.member_id("agent")
    start = desk.calls.start_participant_recording
    alone = Tape(
        desk, lambda **terms: start(agent, **terms), file_format="wav", record_track_type="participant"
    )
    alone.span("alone")
    alone.finished(lambda: desk.calls.stop_participant_recording(agent, friendly_name=NAME))
    alone.expect("alone", ["agent"])
    both = Tape(desk, lambda **terms: start(agent, **terms), file_format="wav", record_track_type="all")
    both.span("left")
    both.spans["right"] = both.spans["left"]
    both.finished(lambda: desk.calls.stop_participant_recording(agent, friendly_name=NAME))
    both.expect("left", ["agent"], channel=0)
    both.expect("right", ["customer", "supervisor"], channel=1)
    leave(desk)


def calls(desk):
    """A caller who leaves a message, and a call that is recorded from its document into the conference."""
    record = plivoxml.RecordElement(
        action=f"{desk.app.url}/recorded", file_format="wav", max_length=3, play_beep=False, redirect=False
    )
    desk.app.answer("message", plivoxml.ResponseElement().add(record))
    phone = desk.phones["customer"]
    desk.checks("the caller with a message is answered", phone.call(desk.service.sip("message")))
    phone.closed(8)
    desk.checks.eventually("the message's end is told", lambda: desk.app.on("/recorded"))
    told = desk.app.on("/recorded")[0].params
    desk.checks.eventually("the message is there", lambda: is_there(desk, told["RecordUrl"]))
    file = download(desk, told["RecordUrl"], "message.wav")
    length = seconds(file)
    desk.checks("the message is as long as it may be", abs(length - 3) < 0.1, f"{length:.2f} s")
    heard = sound.lowered(samples(file)[: int(length * RATE) // 2 * 2].mean(axis=1), RATE // sound.RATE)
    desk.checks("and has the caller's voice", desk.stage.voices["customer"].heard_in(heard))


def transcribed(desk):
    """What a program hears in a message and in a meeting whose service is killed before it is done."""
    record = plivoxml.RecordElement(
        max_length=3, play_beep=False, file_format="wav", transcription_type="auto",
        transcription_url=f"{desk.app.url}/message-said",
    )
    desk.app.answer("said", plivoxml.ResponseElement().add(record))
    phone = desk.phones["customer"]
    desk.checks("the caller with another message is answered", phone.call(desk.service.sip("said")))
    phone.closed(8)
    message = heard(desk, "message", "wav 3 customer")
    gather(desk)
    said = f"{desk.app.url}/meeting-said"
    tape = Tape(desk, desk.calls.start_recording, file_format="mp3", transcript=True, transcription_url=said)
    tape.span("all talk")
    # The text rounds its length, which should be no half.
    time.sleep(EDGE_SECONDS)
    tape.finished(lambda: desk.calls.stop_recording(friendly_name=NAME))
    state = desk.client.transcriptions.get_transcription(tape.id)
    desk.checks("it is transcribed while calls go on", state.status == "in-progress", state)
    desk.service.kill()
    for one in desk.phones.values():
        one.hang_up()
    desk.service.start()
    heard(desk, "meeting", f"mp3 {round(seconds(tape.file))} agent customer supervisor")
    again(desk, message)


def heard(desk, what, text):
    """Checks what was told of a transcript, and what the API says of it; the recording's id."""
    desk.checks.eventually(f"the {what}'s transcript is told", lambda: desk.app.on(f"/{what}-said"), 15)
    request = desk.app.on(f"/{what}-said")[-1]
    told = request.params
    desk.checks(f"signed and with what the {what} says", request.valid_v3 and told["transcription"] == text, told)
    wanted = {"transcription_charge", "transcription_rate", "duration", "call_uuid", "recording_id", "error"}
    desk.checks("every key is there", told.keys() == {"transcription", *wanted}, sorted(told))
    kept = desk.client.transcriptions.get_transcription(told["recording_id"])
    desk.checks("the API says the same", (kept.status, kept.transcription) == ("completed", text), kept)
    return told["recording_id"]


def again(desk, recording):
    """Deletes a transcript, asks for another, and deletes the recording with it."""
    transcriptions = desk.client.transcriptions
    transcriptions.delete_transcription(recording)
    desk.checks("a deleted transcript is not there", not is_transcribed(desk, recording))
    before = len(desk.app.on("/message-said"))
    transcriptions.create_transcription(recording, f"{desk.app.url}/message-said")
    desk.checks.eventually("it is made again", lambda: len(desk.app.on("/message-said")) > before, 15)
    desk.client.recordings.delete(recording)
    desk.checks("it goes with its recording", not is_transcribed(desk, recording))


def is_transcribed(desk, recording):
    try:
        return desk.client.transcriptions.get_transcription(recording)
    except ResourceNotFoundError:
        return None


def starting(desk):
    """What starts a recording in any format; the SDK knows two of the four."""

    def start(friendly_name, **terms):
        path = ("MultiPartyCall", f"name_{friendly_name}", "Record")
        return desk.client.request("POST", path, terms, is_voice_request=True)

    return start


def formats(desk):
    gather(desk)
    for extension in ("mp3", "wav", "flac", "ogg"):
        tape = Tape(desk, starting(desk), file_format=extension)
        tape.span(extension)
        told = tape.finished(lambda: desk.calls.stop_recording(friendly_name=NAME))
        tape.expect(extension, ["agent", "customer", "supervisor"])
        length = len(samples(tape.file)) / RATE
        near = abs(length - float(desk.client.recordings.get(tape.id).recording_duration_ms) / 1000) < 0.001
        desk.checks(f"{extension} is as long as the API says", near, f"{length:.3f} s {told['RecordingDuration']}")
    leave(desk)


def paused(desk):
    """Nothing that was said meanwhile is anywhere; a tone stands for a card number."""
    tone = 12000 * np.sin(2 * np.pi * TAG_HZ * np.arange(sound.RATE * 60) / sound.RATE)
    file = desk.service.folder / "tag.wav"
    sound.write(file, tone)
    gather(desk)
    tape = Tape(desk, desk.calls.start_recording, file_format="wav")
    tape.span("before")
    desk.calls.pause_recording(friendly_name=NAME)
    time.sleep(EDGE_SECONDS)
    members = [desk.member_id("customer")]
    url = f"{desk.app.url}/tag"
    desk.app.pages["/tag"] = (file.read_bytes(), "audio/wav")
    desk.calls.start_play_audio(members[0], friendly_name=NAME, url=url)
    tape.span("paused")
    desk.calls.stop_play_audio(members[0], friendly_name=NAME)
    time.sleep(EDGE_SECONDS)
    desk.calls.resume_recording(friendly_name=NAME)
    tape.span("after")
    tape.finished(lambda: desk.calls.stop_recording(friendly_name=NAME))
    tape.expect("before", ["agent", "customer", "supervisor"])
    tape.expect("after", ["agent", "customer", "supervisor"])
    begin, end = (int(at * RATE) for at in tape.spans["paused"])
    desk.checks("the pause is all silence", not samples(tape.file)[begin:end].any())
    length = seconds(tape.file)
    desk.checks("the time line keeps its length", abs(length - tape.ended) < EDGE_SECONDS, f"{length:.2f} s")
    found = [path.name for path in (desk.service.folder / "data").rglob("*") if path.is_file() and tagged(path)]
    desk.checks("nothing of it is in any file", not found, found)
    leave(desk)


def tagged(path):
    """Whether samples with the tone are in a file, at whatever rate and alignment."""
    data = path.read_bytes()
    for offset in (0, 1):
        audio = np.frombuffer(data[offset : offset + (len(data) - offset) // 2 * 2], "<i2").astype(float)
        for rate in (8000, 16000, 48000):
            block = rate // 10
            blocks = audio[: len(audio) // block * block].reshape(-1, block)
            if not len(blocks):
                continue
            spectrum = np.abs(np.fft.rfft(blocks, axis=1))
            place = round(TAG_HZ * block / rate)
            share = spectrum[:, place] ** 2 / (np.sum(spectrum**2, axis=1) + 1)
            if np.max(share) > 0.9:
                return True
    return False


def killed(desk):
    """At most a second is lost, and the API knows it."""
    chance = random.Random(SEED)
    print(f"     seed {SEED}")
    phone = desk.phones["agent"]
    for number in range(KILLS):
        extension = ("wav", "mp3", "flac", "ogg")[number % 4]
        desk.checks(f"round {number}: the phone is in", phone.call(desk.service.sip("agent")))
        desk.checks.eventually("it is listed", desk.members)
        tape = Tape(desk, starting(desk), file_format=extension)
        time.sleep(chance.uniform(1.0, 4.0))
        lasted = time.monotonic() - tape.begun
        desk.service.kill()
        phone.hang_up()
        desk.service.start()
        row = desk.client.recordings.get(tape.id)
        file = download(desk, row.recording_url, f"killed.{extension}")
        length = len(samples(file)) / RATE
        kept = lasted - 1 <= length <= lasted + EDGE_SECONDS
        desk.checks(f"round {number}: of {lasted:.2f} s in {extension} at most one is lost", kept, f"{length:.2f} s")
        same = abs(float(row.recording_duration_ms) / 1000 - length) < 0.001
        desk.checks(f"round {number}: the API says what there is", same, row.recording_duration_ms)
        told = desk.app.callback(10, EventName="MPCRecordingCompleted", RecordingUUID=tape.id)
        desk.checks(f"round {number}: its end is told", told is not None)
