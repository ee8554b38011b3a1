"""Callees that are heard before they answer, and machines that answer."""

import subprocess
from pathlib import Path

import numpy as np
from plivo import plivoxml

import sound
from conference import NAME, Desk
from office import FROM, repeated
from phone import Phone

SCENARIO = Path(__file__).resolve().parent / "sipp" / "early.xml"
BEEP_HZ = 1000
MAILBOX_S = 20


def run(stage):
    desk = Desk(stage, "answering").start()
    desk.voice = stage.voices["customer"]
    desk.app.pages["/message.wav"] = (repeated(stage, desk.voice, 1), "audio/wav")
    try:
        desk.phone("agent")
        for step in (early, mailbox):
            with stage.checks.part(f"answering {step.__name__}"):
                step(desk)
    finally:
        desk.stop()


def early(desk):
    """Who is called is heard before it answers by those who wait for it."""
    agent, voice = desk.phones["agent"], desk.stage.voices["supervisor"]
    desk.offer("agent", "Agent", stay_alone=True, status_callback_url=desk.events_url)
    desk.checks("the agent is in", agent.call(desk.service.sip("agent")))
    port = desk.stage.ports.one()
    callee = talker(desk, voice, port)
    try:
        desk.calls.add_participant(
            "customer", friendly_name=NAME, from_=FROM, to_=f"sip:early@127.0.0.1:{port}", dial_music="real"
        )
        heard = agent.listen(1.5)
        loud = f"{voice.loudness_in(heard):.0f} dB"
        desk.checks("the callee is heard before it answers", voice.heard_in(heard), loud)
        desk.checks("it has not joined", list(desk.members()) == ["agent"], list(desk.members()))
        desk.told("ParticipantJoin", "customer")
        heard = agent.listen(1.5)
        desk.checks("it is heard after", voice.heard_in(heard), f"{voice.loudness_in(heard):.0f} dB")
        desk.calls.stop(friendly_name=NAME)
        status = callee.wait(5)
        desk.checks("SIPp ends without an error", status == 0, f"status {status}")
    finally:
        callee.kill()


def talker(desk, voice, port):
    """SIPp at `port`, which says `voice` before it answers one call."""
    folder = desk.service.folder
    subprocess.run(["sox", voice.wav, "-t", "ul", folder / "voice.ulaw"], check=True)
    command = [
        "sipp", "-sf", SCENARIO, "-i", "127.0.0.1", "-p", str(port), "-m", "1", "-timeout", "30",
        "-mp", str(desk.stage.ports.pair()), "-nostdin", "-trace_err",
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, cwd=folder)


def mailbox(desk):
    """A machine that answers is known by its greeting; what is left with it begins after its beep."""
    machine = Phone("machine", desk.service.folder, greeting(desk.stage), desk.stage.ports)
    desk.phones["machine"] = machine
    document = plivoxml.ResponseElement()
    document.add(plivoxml.WaitElement(length=MAILBOX_S, beep="true"))
    document.add(plivoxml.PlayElement(f"{desk.app.url}/message.wav"))
    desk.app.answer("machine", document)
    told = f"{desk.app.url}/machine"
    desk.client.calls.create(
        FROM, machine.uri, f"{desk.app.url}/answer",
        machine_detection="true", machine_detection_url=told,
    )  # fmt: skip
    desk.checks("the machine answers", machine.answers(5))
    ended = machine.closed(MAILBOX_S + 10)
    desk.checks("the call ends after the message", ended is not None)
    seen = [one.params.get("Machine") for one in desk.app.on("/machine")]
    desk.checks("it is told to be a machine", seen == ["true"], seen)
    heard = machine.heard()
    seconds = heard[: len(heard) // sound.RATE * sound.RATE].reshape(-1, sound.RATE)
    loud = [at for at, second in enumerate(seconds) if desk.voice.heard_in(second)]
    expected = desk.stage.greeting_s
    detail = f"from second {loud[:1]}, the beep ends in second {expected}"
    begins = loud and expected <= loud[0] <= expected + 2
    desk.checks("the message begins with the end of the beep", begins, detail)


def greeting(stage):
    """What a machine says: a greeting of some seconds, a beep, and then nothing."""
    said = stage.voices["supervisor"].samples[: sound.RATE * 4]
    beep = 8000 * np.sin(2 * np.pi * BEEP_HZ * np.arange(int(0.6 * sound.RATE)) / sound.RATE)
    pause = np.zeros(sound.RATE // 2)
    path = stage.folder / "greeting.wav"
    sound.write(path, np.concatenate([said, pause, beep, np.zeros(sound.RATE * 60)]))
    stage.greeting_s = int((len(said) + len(pause) + len(beep)) / sound.RATE)
    return sound.Voice((0, 0), "", "", wav=path)
