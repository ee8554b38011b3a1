"""One conference of phones that each speak another format."""

import subprocess
import time

from conference import Desk

FORMATS = {"agent": "opus", "customer": "G722", "supervisor": "PCMA"}
LONG, LONG_PTIME_MS = "PCMA", 40
REPLAY_LOG = "replay.log"
# How far a count of packets over some seconds may be off.
COUNT_SLACK = 0.2


def run(stage):
    desk = Desk(stage, "formats", media=f'opus_rate_hz = 48000\nreplay_log = "{REPLAY_LOG}"').start()
    try:
        desk.offer("agent", "Agent", stay_alone=True)
        desk.offer("customer", "Customer", stay_alone=True, relay_dtmf_inputs=True)
        desk.offer("supervisor", "Supervisor", coach_mode=False, stay_alone=True)
        mixing(desk)
        packets(desk)
        relaying(desk)
        holding(desk)
        narrowing(desk)
    finally:
        desk.stop()
    replay(desk)


def mixing(desk):
    for role, codec in FORMATS.items():
        phone = desk.phone(role, codec, LONG_PTIME_MS if codec == LONG else 20)
        desk.checks(f"the call in {codec} is answered", phone.call(desk.service.sip(role)))
        legs = desk.service.metric("mixminus_media_format_legs", f'"{codec}"')
        desk.checks(f"{codec} is what both speak", legs == 1, legs)
    everybody = {role: [other for other in FORMATS if other != role] for role in FORMATS}
    desk.expect(everybody, "opus, G722 and PCMA")


def packets(desk):
    """Packets to a phone are as long as it asked for, except in Opus."""
    counted = {role: desk.phones[role].packets() for role in FORMATS}
    begun = time.monotonic()
    time.sleep(2)
    for role, codec in FORMATS.items():
        came = (desk.phones[role].packets() - counted[role]) / (time.monotonic() - begun)
        wanted = 1000 / (LONG_PTIME_MS if codec == LONG else 20)
        near = abs(came / wanted - 1) < COUNT_SLACK
        desk.checks(f"{codec} comes in {wanted:.0f} packets a second", near, f"{came:.1f}")


def relaying(desk):
    """The customer's digits reach the others as digits, the agent's do not."""
    desk.phones["agent"].digit("1")
    desk.phones["customer"].digit("5")
    for role in ("agent", "supervisor"):
        seen = desk.phones[role].pressed("5", 3)
        desk.checks(f"a digit of the customer reaches the {role}", seen)
    for role in ("customer", "supervisor"):
        seen = desk.phones[role].pressed("1", 0)
        desk.checks(f"a digit of the agent does not reach the {role}", not seen)


def holding(desk):
    """baresip does not record after a hold, so others tell who is back."""
    agent = desk.phones["agent"]
    agent.command("hold")
    desk.expect({"customer": ["supervisor"], "supervisor": ["customer"]}, "opus on hold")
    agent.command("resume")
    before = agent.packets()
    desk.expect({"customer": ["agent", "supervisor"], "supervisor": ["agent", "customer"]}, "opus resumed")
    came = agent.packets() - before
    desk.checks("the resumed phone is sent audio again", came > 100, f"{came} packets")


def narrowing(desk):
    """Without Opus the bridge runs at a lower rate; the others go on."""
    desk.phones["agent"].hang_up()
    desk.expect({"customer": ["supervisor"], "supervisor": ["customer"]}, "opus gone")
    desk.checks("no call was dropped", len(desk.members()) == 2)


def replay(desk):
    """All that the phones were sent is made again, bit for bit."""
    log = desk.service.folder / REPLAY_LOG
    again = subprocess.run([desk.service.program, "replay", log, "--assert"], capture_output=True, text=True)
    told = again.stdout + again.stderr
    desk.checks("the log of it all plays again to the same bytes", again.returncode == 0, told[-200:])
    sent = int(told.split(" payloads")[0].split()[-1])
    desk.checks("every tick of all phones is in it", sent > 1000, sent)
