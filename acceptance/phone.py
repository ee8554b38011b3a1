"""A baresip softphone: plays one voice, records what it hears."""

import json
import re
import socket
import subprocess
import threading
import time

import sound

CONFIG = """\
poll_method epoll
net_interface 127.0.0.1
sip_listen 127.0.0.1:{sip_port}
audio_source aufile,{voice}
audio_path {folder}
call_max_calls 4
rtp_ports {rtp_port}-{rtp_last}
jitter_buffer_delay 2-10
module_path /usr/lib/baresip/modules
module g711.so
module g722.so
module opus.so
module aufile.so
module sndfile.so
module srtp.so
module dtls_srtp.so
module ctrl_tcp.so
module_tmp account.so
module_app menu.so
opus_stereo no
opus_sprop_stereo no
ctrl_tcp_listen 127.0.0.1:{control_port}
snd_path {folder}
"""
# The names that baresip has for formats.
CODECS = {
    "PCMU": "PCMU/8000/1",
    "PCMA": "PCMA/8000/1",
    "G722": "G722/16000/1",
    "opus": "opus/48000/1",
}
# The rates of those whose audio is wider than that of telephones.
RATES = {"G722": 16000, "opus": 48000}
# What was on its way when something changed has arrived after this long.
SETTLE_SECONDS = 0.8


class Phone:
    def __init__(
        self, name, folder, voice, ports, codec="PCMU", ptime=20, mediaenc=None, tls=None, account=None
    ):
        """`tls` is whom it believes, and a file of its certificate and key; `account` the address and the
        parameters of an endpoint that it registers as."""
        self.name = name
        self.folder = folder / f"phone-{name}"
        self.events = []
        self.changed = threading.Condition()
        self._serial = 0
        self.folder.mkdir(parents=True)
        # The port after the SIP port is baresip's for TLS.
        self.sip_port, self.control_port, rtp_port = ports.pair(), ports.one(), ports.block(20)
        config = CONFIG.format(
            sip_port=self.sip_port,
            control_port=self.control_port,
            rtp_port=rtp_port,
            rtp_last=rtp_port + 19,
            voice=voice.at(RATES.get(codec, sound.RATE)),
            folder=self.folder,
        )
        media = f"ptime={ptime};audio_codecs={CODECS[codec]}"
        if mediaenc:
            media += f";mediaenc={mediaenc}"
        account = account or f"<sip:{name}@127.0.0.1>;regint=0"
        account = f"{account};answermode=auto;{media}\n"
        if tls:
            authority, pair = tls
            config += f"sip_cafile {authority}\nsip_certificate {pair}\n"
        (self.folder / "config").write_text(config)
        (self.folder / "accounts").write_text(account)
        (self.folder / "contacts").write_text("")
        log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(
            ["baresip", "-f", self.folder], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        self.control = self._connect()
        threading.Thread(target=self._read, daemon=True).start()

    def _connect(self):
        deadline = time.monotonic() + 10
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.control_port))
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError(f"baresip {self.name} did not start, see {self.folder}/log") from None
                time.sleep(0.05)

    def _read(self):
        """Collects events and replies, which come as netstrings of JSON."""
        data = b""
        while piece := self._receive():
            data += piece
            while (colon := data.find(b":")) > 0 and len(data) >= (end := colon + int(data[:colon]) + 2):
                with self.changed:
                    self.events.append(json.loads(data[colon + 1 : end - 1]))
                    self.changed.notify_all()
                data = data[end:]

    def _receive(self):
        try:
            return self.control.recv(65536)
        except OSError:
            return b""

    def command(self, command, params=""):
        self._serial += 1
        token = str(self._serial)
        message = json.dumps({"command": command, "params": params, "token": token}).encode()
        self.control.sendall(b"%d:%s," % (len(message), message))
        return self.event(lambda event: event.get("token") == token, 5)

    def event(self, wanted, seconds, after=0):
        """The first event from number `after` on for which `wanted` holds."""
        with self.changed:
            found = lambda: next((event for event in self.events[after:] if wanted(event)), None)  # noqa: E731
            return self.changed.wait_for(found, seconds)

    def registers(self, seconds=10):
        """The status that its first registration is answered with; None when there is no answer in time. It
        may come before anybody can listen to events."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            log = (self.folder / "log").read_text(errors="replace")
            if answer := re.search(r"reg: sip:\S+: (\d{3}) |: \{0/\w+/v4\} (\d{3}) ", log):
                return int(answer[1] or answer[2])
            time.sleep(0.05)
        return None

    @property
    def uri(self):
        """Where it answers calls."""
        return f"sip:{self.name}@127.0.0.1:{self.sip_port}"

    def answers(self, seconds, after=0):
        """Whether it has taken a call since event `after`, or does so in time."""
        taken = lambda event: event.get("type") == "CALL_ESTABLISHED"  # noqa: E731
        return self.event(taken, seconds, after) is not None

    def call(self, uri, seconds=5):
        """Calls `uri`; true once the call is answered."""
        mark = len(self.events)
        self.command("dial", uri)
        outcome = self.event(
            lambda event: event.get("type") in ("CALL_ESTABLISHED", "CALL_CLOSED"), seconds, mark
        )
        return outcome is not None and outcome["type"] == "CALL_ESTABLISHED"

    def closed(self, seconds, after=0):
        """The event that says the call is over, or None."""
        return self.event(lambda event: event.get("type") == "CALL_CLOSED", seconds, after)

    def hang_up(self):
        mark = len(self.events)
        self.command("hangup")
        return self.closed(5, mark)

    def digit(self, digit):
        self.command("sndcode", digit)
        time.sleep(0.2)
        self.command("sndcode", "\x04")

    def pressed(self, digit, seconds):
        """Whether the far end pressed `digit`, or does so in time."""
        start = {"type": "CALL_DTMF_START", "param": digit}
        return self.event(lambda event: start.items() <= event.items(), seconds) is not None

    def packets(self):
        """How many RTP packets the call has received."""
        return int(re.search(r"rcvd=(\d+)", self.command("audio_debug")["data"])[1])

    def recording(self):
        dumps = self.folder.glob("dump-*-dec.wav")
        return max(dumps, key=lambda path: path.stat().st_mtime, default=None)

    def heard(self, start=0):
        """All that the latest call has heard, from sample `start` on; nothing before its keys are there."""
        return sound.read(self.recording(), start) if self.recording() else sound.SILENCE

    def listen(self, seconds=2.5, settle=SETTLE_SECONDS):
        """What is heard from `settle` seconds after now."""
        return listen([self], seconds, settle)[0]

    def stop(self):
        self.control.close()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def listen(phones, seconds=2.5, settle=SETTLE_SECONDS):
    """What each of `phones` hears at the same time."""
    time.sleep(settle)
    starts = [len(phone.heard()) for phone in phones]
    time.sleep(seconds)
    return [phone.heard(start) for phone, start in zip(phones, starts, strict=True)]
