"""Audio streams of calls to a WebSocket server: what it is sent, what it lets callers hear, how streams end."""

import base64
import json
import socket
import threading
import time
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

import numpy as np
import plivo.utils
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

import sound
from conference import NAME, Desk
from phone import SETTLE_SECONDS
from service import AUTH_ID, AUTH_TOKEN

FORMATS = {
    "audio/x-l16;rate=8000": 8000,
    "audio/x-l16;rate=16000": 16000,
    "audio/x-l16;rate=24000": 24000,
    "audio/x-mulaw;rate=8000": 8000,
}
FRAME_S = 0.02


class Talk:
    """One WebSocket: what came by it, and what to say."""

    def __init__(self, connection, echoes):
        self.connection = connection
        self.headers = dict(connection.request.headers)
        self.messages = []
        self.times = []
        self.changed = threading.Condition()
        self.echoes = echoes

    def note(self, message):
        with self.changed:
            self.messages.append(message)
            self.times.append(time.monotonic())
            self.changed.notify_all()
        if self.echoes and message["event"] == "media":
            form = self.messages[0]["start"]["mediaFormat"]
            self.play(form["encoding"], form["sampleRate"], message["media"]["payload"])

    def wait(self, event, seconds=5, **wanted):
        """The first message of `event` that has what is wanted, or None."""

        def found():
            fits = (one for one in self.messages if one["event"] == event and wanted.items() <= one.items())
            return next(fits, None)

        with self.changed:
            return self.changed.wait_for(found, seconds)

    def when(self, message):
        return self.times[self.messages.index(message)]

    def media(self, track, after=0):
        return [
            one for one in self.messages[after:] if one["event"] == "media" and one["media"]["track"] == track
        ]

    def heard(self, track, seconds=2.0):
        """What comes on `track` from now on, at the rate of telephones."""
        time.sleep(SETTLE_SECONDS)
        mark = len(self.messages)
        time.sleep(seconds)
        form = self.messages[0]["start"]["mediaFormat"]
        payload = b"".join(base64.b64decode(one["media"]["payload"]) for one in self.media(track, mark))
        samples = expanded(payload) if "mulaw" in form["encoding"] else np.frombuffer(payload, "<i2")
        return sound.lowered(samples.astype(float), form["sampleRate"] // sound.RATE)

    def say(self, event, **rest):
        self.connection.send(json.dumps({"event": event, **rest}))

    def play(self, encoding, rate, payload):
        media = {"contentType": encoding, "sampleRate": rate, "payload": payload}
        self.say("playAudio", media=media)

    def speak(self, samples):
        payload = base64.b64encode(np.clip(samples, -32768, 32767).astype("<i2").tobytes()).decode()
        self.play("audio/x-l16", sound.RATE, payload)

    def cut(self):
        """As when the server dies."""
        self.connection.socket.shutdown(socket.SHUT_RDWR)


def expanded(codes):
    """G.711 µ-law as linear samples."""
    codes = ~np.frombuffer(codes, np.uint8)
    magnitude = (((codes & 0x0F).astype(int) << 3) + 0x84 << ((codes & 0x70) >> 4)) - 0x84
    return np.where(codes & 0x80, -magnitude, magnitude)


class Listener:
    """A WebSocket server that keeps its talks."""

    def __init__(self, port):
        self.url = f"ws://127.0.0.1:{port}/stream?of=calls"
        self.talks = []
        self.echoes = False
        self.server = serve(self.handle, "127.0.0.1", port, max_size=None)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handle(self, connection):
        talk = Talk(connection, self.echoes)
        self.talks.append(talk)
        try:
            for text in connection:
                talk.note(json.loads(text))
        except ConnectionClosed:
            pass

    def next(self, known, seconds=5):
        """The first talk after so many `known`, once it has started."""
        deadline = time.monotonic() + seconds
        while len(self.talks) <= known and time.monotonic() < deadline:
            time.sleep(0.02)
        talk = self.talks[known]
        talk.wait("start")
        return talk

    def stop(self):
        self.server.shutdown()


class Booth(Desk):
    """A desk whose callers are streamed."""

    def __init__(self, stage):
        super().__init__(stage, "streams")
        self.listener = Listener(stage.ports.one())
        self.voice = stage.voices["supervisor"]
        sound.write(stage.folder / "streams.wav", self.voice.samples)
        self.app.pages["/sound.wav"] = ((stage.folder / "streams.wav").read_bytes(), "audio/wav")
        self.then = f"<Play loop='0'>{self.app.url}/sound.wav</Play>"

    def call(self, user, then, role="agent", **attributes):
        """Calls in and is streamed; the talk."""
        known = len(self.listener.talks)
        told = {"statusCallbackUrl": f"{self.app.url}/{user}", **attributes}
        words = " ".join(f"{name}={quoteattr(value)}" for name, value in told.items())
        self.app.answer(user, f"<Response><Stream {words}>{self.listener.url}</Stream>{then}</Response>")
        answered = self.phones[role].call(self.service.sip(user))
        self.checks(f"{user}: the call is answered", answered)
        return self.listener.next(known)

    def events(self, user):
        return [request.params["Event"] for request in self.app.on(f"/{user}")]

    def ends(self, user, *events):
        seen = self.checks.eventually(
            f"{user}: {' and '.join(events)} are told", lambda: self.events(user) == list(events)
        )
        if not seen:
            print(f"     {self.events(user)}")

    def hears(self, what, voice, recording, heard=True):
        holds = voice.heard_in(recording) if heard else voice.absent_from(recording)
        detail = f"{voice.loudness_in(recording):.0f} dB" if len(recording) else "nothing"
        self.checks(what, holds, detail)

    def stop(self):
        super().stop()
        self.listener.stop()


def run(stage):
    booth = Booth(stage).start()
    try:
        for role in ("agent", "customer"):
            booth.phone(role)
        for step in (listening, formats, echoing, playing, dropping, timing, conferring, taking_part):
            with stage.checks.part(f"streams {step.__name__}"):
                step(booth)
    finally:
        booth.stop()


def listening(booth):
    """What the caller says, numbered and signed."""
    talk = booth.call("inbound", booth.then, extraHeaders="team=blue")
    start = talk.messages[0]
    call = booth.app.on("/answer")[-1].params["CallUUID"]
    about = start["start"]
    seen = (start["sequenceNumber"], about["callId"], about["accountId"], about["tracks"], start["extra_headers"])
    expected = (1, call, AUTH_ID, ["inbound"], "team=blue")
    booth.checks("the first message says what it is of", seen == expected, seen)
    agent = booth.stage.voices["agent"]
    heard = talk.heard("inbound")
    booth.hears("the caller is heard", agent, heard)
    booth.hears("what the caller hears is not", booth.voice, heard, heard=False)
    media = talk.media("inbound")
    numbers = [one["media"]["chunk"] for one in media]
    booth.checks("no chunk is left out", numbers == list(range(1, len(media) + 1)))
    times = {int(b["media"]["timestamp"]) - int(a["media"]["timestamp"]) for a, b in zip(media, media[1:])}
    booth.checks("each is 20 ms after the other", times == {20}, times)
    sequence = [one["sequenceNumber"] for one in talk.messages]
    booth.checks("messages are numbered", sequence == list(range(1, len(sequence) + 1)))
    signed(booth, talk)
    booth.phones["agent"].digit("7")
    digit = talk.wait("dtmf")
    booth.checks("a digit is told", digit and digit["dtmf"]["digit"] == "7", digit)
    booth.phones["agent"].hang_up()
    booth.ends("inbound", "StartStream", "StopStream")
    told = booth.app.on("/inbound")[0]
    wanted = {"CallUUID": call, "StreamID": about["streamId"], "Direction": "inbound"}
    booth.checks("they say of what", wanted.items() <= told.params.items(), told.params)
    booth.checks("and are signed", told.valid_v3 and told.valid_v2)


def signed(booth, talk):
    url = "http" + booth.listener.url.removeprefix("ws")
    header = {name.lower().removeprefix("x-plivo-signature-"): one for name, one in talk.headers.items()}
    v3 = plivo.utils.validate_v3_signature("GET", url, header["v3-nonce"], AUTH_TOKEN, header["v3"], {})
    v2 = plivo.utils.validate_signature(url, header["v2-nonce"], header["v2"], AUTH_TOKEN)
    booth.checks(f"the upgrade of {urlsplit(url).path} is signed", v3 and v2, (v3, v2))


def formats(booth):
    """Both tracks in every format."""
    for content_type, rate in FORMATS.items():
        user = f"both{list(FORMATS).index(content_type)}"
        talk = booth.call(user, booth.then, audioTrack="both", contentType=content_type)
        form = talk.messages[0]["start"]["mediaFormat"]
        told = f"{form['encoding']};rate={form['sampleRate']}"
        booth.checks(f"{content_type} is told", told == content_type, told)
        width = 1 if "mulaw" in content_type else 2
        talk.wait("media")
        sizes = {len(base64.b64decode(one["media"]["payload"])) for one in talk.media("inbound")}
        booth.checks(f"{content_type}: a frame is 20 ms", sizes == {round(rate * FRAME_S) * width}, sizes)
        agent = booth.stage.voices["agent"]
        for track, voice in (("inbound", agent), ("outbound", booth.voice)):
            other = booth.voice if voice is agent else agent
            heard = talk.heard(track)
            booth.hears(f"{content_type}: {track} has its voice", voice, heard)
            booth.hears(f"{content_type}: {track} has no other", other, heard, heard=False)
        booth.phones["agent"].hang_up()


def echoing(booth):
    """The caller hears itself by way of the server."""
    booth.listener.echoes = True
    for content_type in ("audio/x-mulaw;rate=8000", "audio/x-l16;rate=24000"):
        booth.call("echo", "", bidirectional="true", keepCallAlive="true", contentType=content_type)
        heard = booth.phones["agent"].listen()
        booth.hears(f"{content_type}: what comes back is heard", booth.stage.voices["agent"], heard)
        booth.phones["agent"].hang_up()
    booth.listener.echoes = False


def playing(booth):
    """Audio, checkpoints, clearing, digits; then the document goes on."""
    agent = booth.phones["agent"]
    talk = booth.call("play", booth.then, bidirectional="true", keepCallAlive="true")
    begun = time.monotonic()
    second = booth.voice.samples[: sound.RATE]
    talk.speak(second)
    talk.say("checkpoint", name="one")
    played = talk.wait("playedStream", name="one")
    took = played and talk.when(played) - begun
    booth.checks("a checkpoint is reached when it was heard", played and 0.95 < took < 1.6, took)
    talk.speak(np.concatenate([booth.voice.samples] * 2)[: sound.RATE * 8])
    talk.say("checkpoint", name="never")
    booth.hears("audio is heard", booth.voice, agent.listen(1.5))
    talk.say("clearAudio", streamId=talk.messages[0]["start"]["streamId"])
    booth.checks("clearing is told", talk.wait("clearedAudio"))
    level = sound.level(agent.listen(1.5))
    booth.checks("what was cleared is not heard", level < -60, f"{level:.0f} dBFS")
    booth.checks("nor told", talk.wait("playedStream", 0, name="never") is None)
    talk.say("sendDTMF", dtmf="42")
    booth.checks("digits are sent to the caller", agent.pressed("4", 3) and agent.pressed("2", 3))
    talk.connection.close()
    booth.ends("play", "StartStream", "StopStream")
    booth.hears("the document goes on", booth.voice, agent.listen(1.5))
    agent.hang_up()


def dropping(booth):
    """A server that dies, and one that is not there."""
    talk = booth.call("cut", booth.then, keepCallAlive="true")
    talk.cut()
    booth.ends("cut", "StartStream", "DroppedStream")
    booth.hears("the document goes on", booth.voice, booth.phones["agent"].listen(1.5))
    booth.phones["agent"].hang_up()
    nobody = f"ws://127.0.0.1:{booth.stage.ports.one()}/"
    told = f"statusCallbackUrl='{booth.app.url}/gone'"
    booth.app.answer("gone", f"<Response><Stream {told}>{nobody}</Stream>{booth.then}</Response>")
    booth.phones["agent"].call(booth.service.sip("gone"))
    booth.ends("gone", "DroppedStream")
    booth.phones["agent"].hang_up()


def timing(booth):
    """A stream no longer than it may be."""
    talk = booth.call("short", booth.then, streamTimeout="2", keepCallAlive="true")
    booth.ends("short", "StartStream", "StopStream")
    lasted = len(talk.media("inbound")) * FRAME_S
    booth.checks("it lasts two seconds", 1.8 < lasted < 2.3, lasted)
    booth.phones["agent"].hang_up()


def conferring(booth):
    """A stream goes with its call into a conference, and only its own call hears it."""
    booth.offer("customer", "Customer", stay_alone=True)
    booth.phones["customer"].call(booth.service.sip("customer"))
    place = f"<MultiPartyCall role='Agent' enterSound='none'>{NAME}</MultiPartyCall>"
    talk = booth.call("room", place, bidirectional="true")
    agent, customer = booth.stage.voices["agent"], booth.stage.voices["customer"]
    booth.hears("in the conference the caller is heard", agent, talk.heard("inbound"))
    for _ in range(3):
        talk.speak(booth.voice.samples)
    recording = booth.phones["agent"].listen(1.5, 0.3)
    booth.hears("the caller hears the stream", booth.voice, recording)
    booth.hears("and the others", customer, recording)
    booth.hears("the others do not", booth.voice, booth.phones["customer"].listen(1.5, 0.3), heard=False)
    for role in ("agent", "customer"):
        booth.phones[role].hang_up()


def taking_part(booth):
    """An AI agent hears what its call hears, and is heard by whoever hears that."""
    booth.offer("customer", "Customer", stay_alone=True, enter_sound="none")
    booth.phones["customer"].call(booth.service.sip("customer"))
    told = f"aiAgentStreamStatusCallbackUrl='{booth.app.url}/ai' aiAgentStreamSamplingRate='16000'"
    service = f"aiAgentStreamServiceUrl={quoteattr(booth.listener.url)} {told} aiAgentStreamExtraHeaders='k=v'"
    place = f"<MultiPartyCall role='ai-agent' enterSound='none' {service}>{NAME}</MultiPartyCall>"
    booth.app.answer("ai", f"<Response>{place}</Response>")
    known = len(booth.listener.talks)
    booth.checks("ai: the call is answered", booth.phones["agent"].call(booth.service.sip("ai")))
    talk = booth.listener.next(known)
    start = talk.messages[0]
    seen = (start["start"]["mediaFormat"]["sampleRate"], start["start"]["tracks"], start["extra_headers"])
    booth.checks("its stream is as the document says", seen == (16000, ["inbound"], "k=v"), seen)
    agent, customer = booth.stage.voices["agent"], booth.stage.voices["customer"]
    heard = talk.heard("inbound")
    booth.hears("the AI agent hears the customer", customer, heard)
    booth.hears("and not its own call", agent, heard, heard=False)
    for _ in range(3):
        talk.speak(booth.voice.samples)
    recording = booth.phones["customer"].listen(1.5, 0.3)
    booth.hears("the customer hears the AI agent", booth.voice, recording)
    recording = booth.phones["agent"].listen(1.5, 0)
    booth.hears("its own call does not", booth.voice, recording, heard=False)
    members = [one.role for one in booth.calls.list_participants(friendly_name=NAME).objects]
    booth.checks("it is listed by its role", "ai-agent" in members, members)
    booth.phones["agent"].hang_up()
    booth.ends("ai", "StartStream", "StopStream")
    booth.phones["customer"].hang_up()
