"""Calls that come and end in every way, thousands of them; then nothing is left of any."""

import os
import time

import callers
from application import Application
from callers import ACK, ANSWERED, BYE, HUNG_UP, INVITE, STAY, TALK, Callers, Vitals
from service import Service

# How long calls come, in each of the six ways.
SECONDS = int(os.environ.get("CHURN_SECONDS", "60"))
CALLS_PER_S = 4
ROUNDS = 3
# Silence after which a call is taken for dead, and what a request that nobody answers is kept for.
SILENCE_S, TRANSACTION_S = 2, 35
CANCEL = callers.of_invite("CANCEL", 4, tag="", again=' retrans="500"')
CANCELLED = '\n  <recv response="200"/>\n  <recv response="487"/>' + callers.of_invite("ACK", 7)
REFUSED = callers.MAY_RING + '\n  <recv response="486"/>' + callers.of_invite("ACK", 4)
# How calls end, by whom they call: what callers do after their INVITE, for how long they stay or wait.
ENDS = {
    "caller": (ANSWERED + ACK + TALK + STAY + BYE, 1500),
    "callee": (ANSWERED + ACK + TALK + HUNG_UP, 0),
    "cancelled": (callers.RINGS + STAY + CANCEL + CANCELLED, 300),
    "busy": (REFUSED, 0),
    "vanished": (ANSWERED + ACK, 0),
    "unacknowledged": (ANSWERED, 0),
}
# What the last third of the calls may add to caches that fill, when the traces of calls are not counted.
MOST_GROWN_KB = 6000


def run(stage):
    app = Application(stage.ports.one())
    folder, media = stage.folder / "churn", f"timeout_s = {SILENCE_S}"
    service = Service(stage.program, folder, stage.ports, f"{app.url}/answer", media=media)
    documents(app)
    try:
        service.start()
        held = [held_after(stage, service, number) for number in range(ROUNDS)]
        for name in ("mixminus_calls", "mixminus_media_worker_legs"):
            stage.checks(f"{name} is 0 again", service.metric(name) == 0, service.metric(name))
        ports = [ports for _, ports in held]
        stage.checks("one UDP port is open, for SIP", ports == [1] * ROUNDS, ports)
        memory = [memory_kb for memory_kb, _ in held]
        grown = memory[-1] - memory[-2]
        stage.checks(f"memory grows by less than {MOST_GROWN_KB} kB", grown < MOST_GROWN_KB, memory)
        again = service.metric("mixminus_sip_retransmissions_received_total")
        stage.checks("no request came twice for want of an answer", again == 0, again)
    finally:
        service.kill()
        app.stop()


def documents(app):
    def alone(params):
        place = f"<MultiPartyCall role='Agent' stayAlone='true'>{params['CallUUID']}</MultiPartyCall>"
        return f"<Response>{place}</Response>"

    def late(_):
        time.sleep(1)
        return "<Response><Hangup/></Response>"

    for user in ("caller", "vanished", "unacknowledged"):
        app.answer(user, alone)
    app.answer("callee", "<Response><Wait length='1' silence='true'/></Response>")
    app.answer("cancelled", late)
    app.answer("busy", "<Response><Hangup reason='busy'/></Response>")


def held_after(stage, service, number):
    """What the service holds after a round of calls: memory in kB but for traces, and ports."""
    count = SECONDS * CALLS_PER_S // ROUNDS
    rounds = {
        user: Callers(
            stage,
            service,
            f"{user}-{number}",
            INVITE + steps,
            user,
            count=count,
            rate=CALLS_PER_S,
            stay_ms=stay_ms,
        )  # fmt: skip
        for user, (steps, stay_ms) in ENDS.items()
    }
    for user, one in rounds.items():
        counts = one.wait()
        ended = counts["SuccessfulCall(C)"], counts["FailedCall(C)"]
        what = f"round {number + 1}: {count} calls end: {user}"
        stage.checks(what, ended == (count, 0), f"{ended[1]} did not")
    time.sleep(TRANSACTION_S)
    vitals = Vitals(service.process)
    traces_kb = service.metric("mixminus_sip_trace_bytes") / 1024
    print(f"     {vitals.memory_kb} kB, {traces_kb:.0f} kB of it traces; {vitals.ports} ports")
    return int(vitals.memory_kb - traces_kb), vitals.ports
