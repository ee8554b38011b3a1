"""Five hundred calls in ten seconds that stay a minute, and ten thousand registrations in another."""

import os
import threading
import time

from plivo import plivoxml

import sdk
from application import Application
from callers import ACK, ANSWERED, BYE, INVITE, STAY, TALK, Callers, Vitals, share, timed
from service import Service
from sipclient import Client, status

CALLS, CALLS_PER_S, STAY_S = 500, 50, 60
OF_ONE_CONFERENCE = 4
ENDPOINTS, PHONES_OF_ONE = 1000, 10
PASSWORD = "a-password-of-many"
MINUTE_S = 60
# What a call may hold: its share of the bridge, codecs, jitter buffer, dialog and trace.
MOST_KB_OF_A_CALL = 400


def run(stage):
    calls(stage)
    registrations(stage)


def calls(stage):
    app = Application(stage.ports.one())
    folder = stage.folder / "crowd"
    service = Service(stage.program, folder, stage.ports, f"{app.url}/answer", media_ports=1200)
    comers = iter(range(10 * CALLS))
    lock = threading.Lock()

    def place(_):
        with lock:
            number = next(comers) // OF_ONE_CONFERENCE
        return plivoxml.ResponseElement().add(
            plivoxml.MultiPartyCallElement(f"crowd {number}", role="Agent", stay_alone=True)
        )

    app.answer("crowd", place)
    steps = timed(INVITE + ANSWERED + ACK + TALK + STAY + BYE)
    try:
        service.start()
        few = Callers(stage, service, "few", steps, "crowd", count=20, rate=10, stay_ms=1000)
        stage.checks("twenty calls go before", few.wait()["FailedCall(C)"] == 0)
        before = settled(service)
        load = {"count": CALLS, "rate": CALLS_PER_S, "stay_ms": STAY_S * 1000}
        crowd = Callers(stage, service, "many", steps, "crowd", **load)
        time.sleep(CALLS / CALLS_PER_S + STAY_S / 2)
        during = Vitals(service.process)
        there = service.metric("mixminus_calls")
        stage.checks(f"{CALLS} calls are there at once", there == CALLS, there)
        report(stage, service, crowd)
        held = (during.memory_kb - before.memory_kb) / CALLS
        little = f"a call holds less than {MOST_KB_OF_A_CALL} kB"
        stage.checks(little, held < MOST_KB_OF_A_CALL, f"{held:.0f} kB")
        gone(stage, service, before)
    finally:
        service.kill()
        app.stop()


def settled(service):
    """What the service holds once nobody is there."""
    deadline = time.monotonic() + 10
    while service.metric("mixminus_media_worker_legs") and time.monotonic() < deadline:
        time.sleep(0.1)
    return Vitals(service.process)


def report(stage, service, crowd):
    counts, answers = crowd.wait(), crowd.answers_ms()
    placed, failed = counts["SuccessfulCall(C)"], counts["FailedCall(C)"]
    stage.checks("all are answered, and hang up", (placed, failed) == (CALLS, 0), f"{failed} did not")
    again = counts["Retransmissions(C)"]
    stage.checks("nothing was sent twice for want of an answer", again == 0, again)
    received = service.metric("mixminus_sip_retransmissions_received_total")
    stage.checks("and nothing came twice", received == 0, received)
    skipped = service.metric("mixminus_media_ticks_skipped_total")
    load = os.getloadavg()[0]
    print(
        f"     answered after {share(answers, 0.5):.0f} ms (p50), {share(answers, 0.99):.0f} ms (p99), "
        f"at the most {answers[-1]:.0f} ms; ticks given up: {skipped:.0f}; load of the machine {load:.1f}"
    )


def gone(stage, service, before):
    for name in ("mixminus_calls", "mixminus_media_worker_legs"):
        stage.checks.eventually(f"{name} is 0 again", lambda name=name: service.metric(name) == 0, 10)
    after = Vitals(service.process)
    stage.checks("one UDP port is open, for SIP", after.ports == 1, after.ports)
    print(f"     memory: {before.memory_kb} kB before, {after.memory_kb} kB after; {after.threads} threads")


def registrations(stage):
    service = Service(
        stage.program, stage.folder / "registrations", stage.ports,
        limits="requests_per_5s = 1000000", sip='allow = ["192.0.2.0/24"]',
    )  # fmt: skip
    try:
        service.start()
        users = endpoints(service)
        before = Vitals(service.process)
        phones = [Client(service.sip_port, "", PASSWORD) for _ in range(PHONES_OF_ONE)]
        refreshed(stage, "registered", phones, users)
        refreshed(stage, "refreshed", phones, users)
        grown = Vitals(service.process).memory_kb - before.memory_kb
        print(f"     {grown / ENDPOINTS / PHONES_OF_ONE:.1f} kB of memory for each registration")
        repeated = service.metric("mixminus_sip_retransmissions_received_total")
        stage.checks("nothing was sent twice", not repeated, repeated)
        calls = sdk.client_of(service).endpoints
        shown = [one.sip_registered for one in calls.list(limit=20, offset=ENDPOINTS // 2).objects]
        stage.checks("the API shows them", shown == ["true"] * 20, shown)
    finally:
        service.kill()


def endpoints(service):
    """The user names of new endpoints."""
    made = sdk.client_of(service).endpoints
    return [made.create(f"many{number}", PASSWORD, "Many").username for number in range(ENDPOINTS)]


def refreshed(stage, what, phones, users):
    """Every phone of every user registers, each with a challenge of its own."""
    begun, refused = time.monotonic(), 0
    waited = []
    for user in users:
        for phone in phones:
            phone.username = user
            asked = time.monotonic()
            responses, _ = phone.ask("REGISTER", "", headers="Expires: 3600\r\n")
            waited.append(1000 * (time.monotonic() - asked))
            refused += status(responses[-1]) != 200
    seconds, waited = time.monotonic() - begun, sorted(waited)
    count = len(waited)
    stage.checks(f"{count} phones are {what}", refused == 0, f"{refused} refused")
    stage.checks("within a minute", seconds < MINUTE_S, f"{seconds:.0f} s")
    print(
        f"     {what}: {count / seconds:.0f} a second, {share(waited, 0.5):.1f} ms (p50), "
        f"{share(waited, 0.99):.1f} ms (p99)"
    )
