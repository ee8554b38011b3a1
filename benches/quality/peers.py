"""What ffmpeg and baresip, as receivers in real time, make of the packets that our leg received.

python3 peers.py FOLDER [FORMAT.NETWORK...]: FOLDER is that of speech.py, after it has run. Each call takes as
long as its speech, all at once. Needs ffmpeg, baresip-core and what speech.py needs. Loopback only.
"""

import itertools
import re
import socket
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
from speech import PPM, RATES, REPEATED, scores

CALLS = [f"{form}.{network}" for form in ("pcmu", "g722", "opus") for network in ("clean", "loss", "jitter")]
CALLS += ["pcmu.fast", "pcmu.slow"]
ENCODINGS = {"pcmu": (0, "PCMU/8000"), "g722": (9, "G722/8000"), "opus": (96, "opus/48000/2")}
# As baresip names them.
CODECS = {"pcmu": "PCMU/8000/1", "g722": "G722/16000/1", "opus": "opus/48000/2"}
CONFIG = """\
poll_method epoll
net_interface 127.0.0.1
sip_listen 127.0.0.1:{port}
audio_source aufile,{voice}
rtp_ports {rtp}-{rtp_last}
module_path /usr/lib/baresip/modules
module g711.so
module g722.so
module opus.so
module aufile.so
module sndfile.so
module_tmp account.so
module_app menu.so
snd_path {folder}
"""
ACCOUNT = "<sip:peer@127.0.0.1>;regint=0;answermode=auto;audio_codecs={codec}\n"


PORTS = itertools.count(24000, 20)


def arrivals(file):
    data, at = file.read_bytes(), 0
    while at < len(data):
        micros, size = struct.unpack_from("<QH", data, at)
        yield micros / 1e6, data[at + 10 : at + 10 + size]
        at += 10 + size


def replay(file, sender, to):
    """Sends each packet at its instant."""
    start = time.monotonic()
    for instant, datagram in arrivals(file):
        time.sleep(max(0, start + instant - time.monotonic()))
        sender.sendto(datagram, to)


def free_ports():
    """The first of twenty: baresip takes the port after its SIP port for TLS."""
    return next(PORTS)


def sdp(port, form):
    number, name = ENCODINGS[form]
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"]
    return "\r\n".join([*lines, f"m=audio {port} RTP/AVP {number}", f"a=rtpmap:{number} {name}", ""])


def ffmpeg(folder, form, network):
    port, out = free_ports(), folder / f"{form}.{network}.ffmpeg.raw"
    (folder / f"{form}.{network}.sdp").write_text(sdp(port, form))
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-protocol_whitelist", "file,udp,rtp"]
    command += ["-i", folder / f"{form}.{network}.sdp", "-af", "aresample=async=1", "-ac", "1"]
    program = subprocess.Popen([*command, "-ar", str(RATES[form]), "-f", "s16le", out])
    time.sleep(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        replay(folder / f"{form}.{network}.arrivals", sender, ("127.0.0.1", port))
    time.sleep(1)
    program.send_signal(2)
    program.wait(10)
    return numpy.fromfile(out, "<i2")


def baresip(folder, form, network):
    home = folder / f"{form}.{network}.baresip"
    home.mkdir(exist_ok=True)
    for old in home.glob("dump-*.wav"):
        old.unlink()
    port, rtp = free_ports(), free_ports()
    voice = home / "voice.wav"
    raw = ["-t", "raw", "-e", "signed", "-b", "16", "-c", "1", "-r", str(RATES[form])]
    # It hangs up when its own side ends.
    channels = CODECS[form][-1]
    silence = ["-n", "-b", "16", "-r", str(RATES[form]), "-c", channels, voice, "trim", "0", "700"]
    subprocess.run(["sox", *silence], check=True)
    (home / "config").write_text(CONFIG.format(port=port, rtp=rtp, rtp_last=rtp + 19, voice=voice, folder=home))
    (home / "accounts").write_text(ACCOUNT.format(codec=CODECS[form]))
    (home / "contacts").write_text("")
    with (home / "log").open("wb") as log, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip:
        program = subprocess.Popen(["baresip", "-f", home], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        sender.bind(("127.0.0.1", 0))
        sip.bind(("127.0.0.1", 0))
        sip.settimeout(1)
        try:
            talk(sip, ("127.0.0.1", port), form, sender, folder / f"{form}.{network}.arrivals")
            time.sleep(1)
        finally:
            program.kill()
            program.wait()
    (recorded,) = home.glob("*-dec.wav")
    made = subprocess.run(["sox", recorded, *raw, "-"], check=True, capture_output=True).stdout
    return numpy.frombuffer(made, "<i2")


def talk(sip, server, form, sender, file):
    """Calls, sends the packets, and hangs up."""
    own = "{}:{}".format(*sip.getsockname())
    body = sdp(sender.getsockname()[1], form)

    def request(method, number, to_tag="", body=""):
        lines = [
            f"{method} sip:peer@127.0.0.1:{server[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {own};branch=z9hG4bK{number}{method};rport",
            f"From: <sip:quality@{own}>;tag=1", f"To: <sip:peer@127.0.0.1:{server[1]}>{to_tag}",
            f"Call-ID: {file.name}", f"CSeq: {number} {method}", f"Contact: <sip:quality@{own}>",
            "Max-Forwards: 70", f"Content-Length: {len(body)}", *(["Content-Type: application/sdp"] if body else []),
        ]
        sip.sendto("\r\n".join([*lines, "", body]).encode(), server)

    for _ in range(10):
        request("INVITE", 1, body=body)
        try:
            while not (answer := sip.recv(65536).decode()).startswith("SIP/2.0 200"):
                pass
            break
        except (TimeoutError, ConnectionError):
            time.sleep(0.5)
    tag = re.search(r"^To:.*?(;tag=\S+)", answer, re.M | re.I)[1]
    request("ACK", 1, tag)
    replay(file, sender, ("127.0.0.1", int(re.search(r"m=audio (\d+)", answer)[1])))
    request("BYE", 2, tag)


def main():
    folder, calls = Path(sys.argv[1]), sys.argv[2:] or CALLS
    receivers = {"ffmpeg": ffmpeg, "baresip": baresip}

    def judge(receiver, call):
        form, network = call.split(".")
        heard = receivers[receiver](folder, form, network)
        reference = numpy.fromfile(folder / f"{RATES[form]}.raw", "<i2")
        reference = numpy.tile(reference, REPEATED if network in PPM else 1)
        # Both keep the sender's time: neither has a clock of its own to play by.
        return list(scores(reference, heard, RATES[form]))

    with ThreadPoolExecutor(2 * len(calls)) as pool:
        tasks = {(r, c): pool.submit(judge, r, c) for c in calls for r in receivers}
        print("| call | " + " | ".join(receivers) + " |\n|---|---:|---:|")
        for call in calls:
            cells = [tasks[receiver, call].result() for receiver in receivers]
            print(f"| {call} | " + " | ".join(f"{numpy.mean(c):.2f} ({min(c):.2f})" for c in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
