"""SIPp's part in what happens inside a call: each of its scenarios is one check."""

import subprocess
from pathlib import Path

from plivo import plivoxml

import sdk
from application import Application
from office import FROM
from service import Service

SCENARIOS = Path(__file__).resolve().parent / "sipp"
# A session is refreshed after half of it and given up after two thirds.
SESSION_S = 15
LIMIT_S = 30
CALLS = {
    "delayed": "a call without an offer is answered with one",
    "hold": "a call is held and resumed",
    "prack": "a caller confirms what it is told before the answer",
    "short": "a session that is too short is refused",
    "expiry": "a session that nobody refreshes ends",
    "refresh": "a session is refreshed by UPDATE",
    "glare": "a refresh that crosses an offer gives way and comes again",
    "transfer": "a transfer to a stranger is refused",
}
# What a callee answers, and the hang-up cause that is kept.
OUTCOMES = [
    ("302 Moved Temporarily", 3020),
    ("404 Not Found", 3050),
    ("486 Busy Here", 3010),
    ("480 Temporarily Unavailable", 3000),
    ("500 Server Internal Error", 3080),
    ("503 Service Unavailable", 3090),
    ("600 Busy Everywhere", 3100),
    ("603 Decline", 3110),
]


def run(stage):
    app = Application(stage.ports.one())
    service = Service(
        stage.program, stage.folder / "scenarios", stage.ports, f"{app.url}/answer",
        sip=f"session_expires_s = {SESSION_S}\nmin_session_expires_s = 2",
    )  # fmt: skip
    try:
        service.start()
        calls(stage, service, app)
        outcomes(stage, service, f"{app.url}/answer")
        stage.checks.eventually("no call is left over", lambda: not service.metric("mixminus_calls"))
    finally:
        service.kill()
        app.stop()


def calls(stage, service, app):
    """All scenarios at once: most of what they do is to wait."""
    wait = plivoxml.WaitElement(length=60)
    early = plivoxml.PreAnswerElement().add(plivoxml.SpeakElement("Wait."))
    for name in CALLS:
        document = plivoxml.ResponseElement()
        app.answer(name, (document.add(early) if name == "prack" else document).add(wait))
    started = {
        name: sipp(stage, service, SCENARIOS / f"{name}.xml", f"127.0.0.1:{service.sip_port}", "-s", name)
        for name in CALLS
    }
    for name, what in CALLS.items():
        status = started[name].wait(LIMIT_S + 5)
        stage.checks(what, status == 0, f"status {status}, see {name}-errors")


def outcomes(stage, service, answer_url):
    client = sdk.client_of(service)
    for status, cause in OUTCOMES:
        port = stage.ports.one()
        scenario = service.folder / f"outcome-{status[:3]}.xml"
        # SIPp takes no variable for the status of a response.
        scenario.write_text((SCENARIOS / "outcome.xml").read_text().replace("[status]", status))
        callee = sipp(stage, service, scenario, port=port)
        call = client.calls.create(FROM, f"sip:callee@127.0.0.1:{port}", answer_url).request_uuid
        seen = lambda call=call: client.calls.get(call).hangup_cause_code  # noqa: E731
        stage.checks.eventually(f"{status} is hang-up cause {cause}", lambda: seen() == cause)
        ended = callee.wait(LIMIT_S)
        stage.checks(f"{status} is acknowledged", ended == 0, f"status {ended}")


def sipp(stage, service, scenario, *more, port=None):
    """SIPp with one call by a scenario. It binds media ports for video, too."""
    command = [
        "sipp", "-sf", scenario, "-i", "127.0.0.1", "-p", str(port or stage.ports.one()),
        "-mp", str(stage.ports.block(4)), "-m", "1", "-timeout", str(LIMIT_S), "-timeout_error", "-nostdin",
        "-trace_err", "-error_file", service.folder / f"{scenario.stem}-errors", *more,
    ]  # fmt: skip
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, cwd=service.folder
    )
