"""Phones of other makes than baresip, each a process that takes orders and tells what happens, line by line.

They are asked the same as `phone.Phone` is; what a make calls it, its class knows.
"""

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import phone
import service
import sound

HERE = Path(__file__).resolve().parent
ESTABLISHED, CLOSED, REGISTERED, TRANSFER = "established", "closed", "registered", "transfer"


class Softphone:
    """`account` is a user name, a password and the address of the service, `way` how it signals and what it
    speaks."""

    make = ""
    # Whether what it hears is recorded after a hold, too.
    records_after_hold = True
    # Whether it hangs up when its transfer is refused.
    hangs_up_when_refused = False

    def __init__(self, folder, voice, ports, account, way):
        self.folder = folder
        self.folder.mkdir()
        self.voice, self.account, self.way = voice, account, way
        self.sip_port, self.rtp_port = ports.block(4), ports.block(20)
        self.events = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            self.command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.folder / "log").open("wb"),
            cwd=self.folder,
            env={**os.environ, **self.environment()},
            text=True,
            errors="replace",
        )
        threading.Thread(target=self._read, daemon=True).start()
        self.prepare()

    def environment(self):
        return {}

    def prepare(self):
        """What it is told before anything else."""

    def _read(self):
        with (self.folder / "said").open("w") as said:
            for line in self.process.stdout:
                said.write(line)
                said.flush()
                if event := self.understand(line):
                    with self.changed:
                        self.events.append(event)
                        self.changed.notify_all()

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def event(self, kind, seconds, after=0):
        """The first event of the `kind`s after number `after`: its kind and a status; None if none comes in
        time."""
        with self.changed:
            found = lambda: next((e for e in self.events[after:] if e[0] in kind), None)  # noqa: E731
            return self.changed.wait_for(found, seconds)

    def registers(self, seconds=10):
        """The status that its registration is answered with; None when there is no answer in time."""
        event = self.event((REGISTERED,), seconds)
        return event and event[1]

    def call(self, uri, seconds=8):
        """Calls `uri`; true once the call is answered."""
        mark = len(self.events)
        self.order("call", uri)
        outcome = self.event((ESTABLISHED, CLOSED), seconds, mark)
        return outcome is not None and outcome[0] == ESTABLISHED

    def answers(self, seconds, after=0):
        return self.event((ESTABLISHED,), seconds, after) is not None

    def closed(self, seconds, after=0):
        return self.event((CLOSED,), seconds, after)

    def transfer(self, uri, seconds=5):
        """The status that its blind transfer is answered with; None if it is told of none."""
        mark = len(self.events)
        self.order("transfer", uri)
        event = self.event((TRANSFER,), seconds, mark)
        return event and event[1]

    def hold(self):
        self.order("hold")

    def resume(self):
        self.order("resume")

    def digit(self, digit, by="rtp"):
        """Presses a key, told `by` RTP (RFC 4733) or `info`."""
        self.order("digit", digit, by)

    def hang_up(self):
        mark = len(self.events)
        self.order("hangup")
        return self.closed(5, mark)

    def recording(self):
        return self.folder / "heard.wav"

    def heard(self, start=0):
        """All that was heard, from sample `start` on; nothing before the first of it is written."""
        path = self.recording()
        return sound.read(path, start) if path.exists() and path.stat().st_size else sound.SILENCE

    def listen(self, seconds=2.5, settle=phone.SETTLE_SECONDS):
        return phone.listen([self], seconds, settle)[0]

    def stop(self):
        try:
            self.order("quit")
            self.process.stdin.close()
            self.process.wait(6)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


class Scripted(Softphone):
    """A phone made of a library by a script of ours, which speaks JSON."""

    def settings(self):
        name, password, address = self.account
        return {
            "user": name, "password": password, "address": address, "voice": str(self.voice.wav),
            "heard": str(self.recording()), "sip_port": self.sip_port, "rtp_port": self.rtp_port, **self.way,
            "tls": [str(path) for path in self.way["tls"]],
        }  # fmt: skip

    def order(self, *order):
        self.say(json.dumps(order))

    def understand(self, line):
        return json.loads(line) if line.startswith("[") else None


class Pjsua(Scripted):
    make = "pjsua2"

    def command(self):
        return [sys.executable, HERE / "pjsua_phone.py", json.dumps(self.settings())]


class JsSip(Scripted):
    """In Node: the package as published, over a WebSocket; what a browser would have is `node/peer.js`."""

    make = "JsSIP"

    def command(self):
        return ["node", "--no-deprecation", HERE / "node" / "jssip.js", json.dumps(self.settings())]

    def environment(self):
        return {"NODE_PATH": str(service.target() / "node" / "acceptance" / "node_modules")}


# What `linphonec` is configured with; a port of 0 is one that it does not open.
LINPHONE = """\
[sip]
sip_port={udp}
sip_tcp_port={tcp}
sip_tls_port={tls}
use_ipv6=0
use_info=0
use_rfc2833=1
default_proxy=0
media_encryption={media_encryption}
media_encryption_mandatory={mandatory}
root_ca={authority}
[rtp]
audio_rtp_port={rtp_port}
nortp_silence=0
[sound]
echocancellation=0
agc=0
[net]
mtu=0
[proxy_0]
reg_proxy=<sip:{address};transport={transport}>
reg_route=<sip:{address};transport={transport};lr>
reg_identity=sip:{user}@phone.plivo.com
reg_expires=60
reg_sendregister=1
publish=0
[auth_info_0]
username={user}
passwd={password}
realm=phone.plivo.com
"""
LINPHONE_CODECS = {"opus": 48000, "speex": 8000, "G722": 8000, "GSM": 8000, "PCMU": 8000, "PCMA": 8000}
# The rates that it records at.
LINPHONE_RATES = {"opus": 48000, "G722": 16000, "PCMU": 8000, "PCMA": 8000}
LINPHONE_SAYS = [
    (REGISTERED, re.compile(r"^registered, (identity)=")),
    (ESTABLISHED, re.compile(r"Call \d+ with .* (connected)\.")),
    (CLOSED, re.compile(r"Call \d+ with .* (ended|error).*")),
]


class Linphone(Softphone):
    """`linphonec`, which plays and records files in place of a sound card."""

    make = "linphone"

    def command(self):
        (self.folder / ".local" / "share" / "linphone").mkdir(parents=True)
        (self.folder / "config").write_text(self.configuration())
        log, config = self.folder / "linphone.log", self.folder / "config"
        return ["linphonec", "-d", "6", "-l", log, "-c", config]

    def environment(self):
        return {"HOME": str(self.folder)}

    def configuration(self):
        user, password, address = self.account
        way, keys = self.way, self.way["srtp"]
        if way["transport"] == "tls":
            # It reads names in certificates, no addresses.
            address = address.replace("127.0.0.1", "localhost")
        ports = {one: self.sip_port if way["transport"] == one else 0 for one in ("udp", "tcp", "tls")}
        text = LINPHONE.format(
            user=user, password=password, address=address, transport=way["transport"], **ports,
            media_encryption={"sdes": "srtp", "dtls": "dtls", "": "none"}[keys],
            mandatory=int(bool(keys)), authority=way["tls"][0], rtp_port=self.rtp_port,
        )  # fmt: skip
        for number, (codec, rate) in enumerate(LINPHONE_CODECS.items()):
            channels = 2 if codec == "opus" else 1
            text += f"[audio_codec_{number}]\nmime={codec}\nrate={rate}\nchannels={channels}\n"
            text += f"enabled={int(codec == way['codec'])}\n"
        return text

    def prepare(self):
        self.say("soundcard use files")
        self.say(f"play {self.voice.wav}")
        self.say(f"record {self.recording()}")
        self.say("autoanswer enable")

    def order(self, order, *arguments):
        words = {"hold": "pause", "hangup": "terminate"}
        self.say(" ".join((words.get(order, order), *arguments)))

    def registers(self, seconds=10):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.say("status register")
            if self.event((REGISTERED,), 0.2):
                return 200
        return None

    def transfer(self, uri, seconds=5):
        # It says nothing of the answer.
        self.order("transfer", uri)
        answer = re.compile(r"^SIP/2\.0 ([2-6]\d\d) (?:.+\n)+?CSeq: \d+ REFER$", re.MULTILINE)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := answer.search((self.folder / "linphone.log").read_text(errors="replace")):
                return int(found[1])
            time.sleep(0.1)
        return None

    def heard(self, start=0):
        # It writes the header of the file when the call is over.
        data = self.recording().read_bytes() if self.recording().exists() else b""
        factor = LINPHONE_RATES[self.way["codec"]] // sound.RATE
        return sound.lowered(sound.samples(data[sound.HEADER_BYTES + 2 * start * factor :]), factor)

    def digit(self, digit, by="rtp"):
        self.say(f"param sip use_info {int(by == 'info')}")
        self.say(f"param sip use_rfc2833 {int(by == 'rtp')}")
        self.say(digit)
        time.sleep(1.5)  # it does nothing else in the meantime

    def understand(self, line):
        for kind, said in LINPHONE_SAYS:
            if found := said.search(line):
                return [kind, found[1]]
        return None
