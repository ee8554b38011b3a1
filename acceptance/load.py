"""Many calls: SIPp's two hundred, and the rehearsal's own check of who hears whom."""

import json
import subprocess
from pathlib import Path

from plivo import plivoxml

import sdk
from application import Application
from phone import Phone
from service import Service

CALLS = 200
CALLS_PER_SECOND = 20
SCENARIO = Path(__file__).resolve().parent / "sipp" / "call.xml"


def run(stage):
    sipp(stage)
    rehearse(stage)
    overload(stage)


def sipp(stage):
    app = Application(stage.ports.one())
    service = Service(stage.program, stage.folder / "sipp", stage.ports, f"{app.url}/answer")
    for number in range(1, CALLS + 1):
        room = plivoxml.MultiPartyCallElement(f"load {number // 4}", role="Agent", stay_alone=True)
        app.answer(f"load-{number}", plivoxml.ResponseElement().add(room))
    try:
        service.start()
        command = [
            "sipp", f"127.0.0.1:{service.sip_port}", "-sf", SCENARIO, "-i", "127.0.0.1",
            "-p", str(stage.ports.one()), "-mp", str(stage.ports.pair()),
            "-m", str(CALLS), "-r", str(CALLS_PER_SECOND), "-l", str(CALLS), "-timeout", "60", "-nostdin",
            "-trace_err", "-error_file", service.folder / "sipp-errors", "-trace_stat", "-fd", "60",
            "-stf", service.folder / "sipp-statistics",
        ]  # fmt: skip
        with (service.folder / "sipp-log").open("wb") as log:
            status = subprocess.run(
                command, stdout=log, stderr=subprocess.STDOUT, cwd=service.folder
            ).returncode
        counts = statistics(service.folder / "sipp-statistics")
        stage.checks("SIPp ends without an error", status == 0, f"status {status}")
        placed, failed = counts["SuccessfulCall(C)"], counts["FailedCall(C)"]
        stage.checks(
            f"SIPp's {CALLS} calls are placed and torn down",
            (placed, failed) == (CALLS, 0),
            f"{failed} failed",
        )
        calls = sdk.client_of(service).multi_party_calls
        none_left = lambda: not calls.list(status="active").objects  # noqa: E731
        stage.checks.eventually("no conference is left over", none_left)
        ended = calls.list(status="ended", limit=1).meta["count"]
        stage.checks("each conference has ended", ended >= CALLS // 4, ended)
        stage.checks(
            "every call was answered by its document", len(app.on("/answer")) == CALLS, len(app.on("/answer"))
        )
    finally:
        service.kill()
        app.stop()


def statistics(path):
    """The last line of SIPp's statistics, by column, for the counts in it."""
    lines = path.read_text().splitlines()
    row = dict(zip(lines[0].split(";"), lines[-1].split(";"), strict=False))
    return {name: int(value) for name, value in row.items() if value.isdecimal()}


def rehearse(stage):
    service = Service(stage.program, stage.folder / "rehearsal", stage.ports)
    try:
        service.start()
        command = [
            stage.program, "rehearse", "--target", f"127.0.0.1:{service.sip_port}", "--rooms", "2",
            "--participants", "3", "--seconds", "8", "--json",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=service.folder)
        (service.folder / "rehearsal.json").write_text(done.stdout)
        stage.checks(
            "the rehearsal passes", done.returncode == 0, f"status {done.returncode} {done.stderr[-200:]}"
        )
        report = json.loads(done.stdout)
        heard = [(room["heard"], room["expected"]) for room in report["hearing"]]
        stage.checks("in each room all hear all but themselves", heard == [(6, 6), (6, 6)], heard)
        lost = report["packets"]["lost"]
        stage.checks("no packet is lost", lost == 0, lost)
        delay = report["added_delay"]["total"]
        print(f"     mouth to ear it adds {delay['p50_ms']:.1f} ms (p50), {delay['p99_ms']:.1f} ms (p99)")
    finally:
        service.kill()


def overload(stage):
    """While a worker is busier than it may be, calls are refused, and those inside stay."""
    service = Service(stage.program, stage.folder / "overload", stage.ports, limits="max_load_percent = 1")
    phone = Phone("late", service.folder, stage.voices["agent"], stage.ports)
    try:
        service.start()
        command = [
            stage.program, "rehearse", "--target", f"127.0.0.1:{service.sip_port}", "--rooms", "2",
            "--participants", "5", "--codec", "opus", "--seconds", "8",
        ]  # fmt: skip
        with (service.folder / "rehearsal").open("wb") as log:
            rehearsal = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=service.folder)
        full = lambda: service.get("/readyz")[0] == 503  # noqa: E731
        stage.checks.eventually("a service without room is not ready", full)
        mark = len(phone.events)
        stage.checks("a call is refused then", not phone.call(service.sip("demo")))
        reason = (phone.closed(1, mark) or {}).get("param", "")
        stage.checks("it is told 503", reason.startswith("503"), reason)
        shed = service.metric("mixminus_calls_shed_total")
        stage.checks("it is counted", shed == 1, shed)
        status = rehearsal.wait(30)
        stage.checks("those inside go on hearing each other", status == 0, f"status {status}")
        stage.checks.eventually("the service is ready again", lambda: service.get("/readyz")[0] == 200)
        stage.checks("the next call is taken", phone.call(service.sip("demo")))
    finally:
        phone.stop()
        service.kill()
