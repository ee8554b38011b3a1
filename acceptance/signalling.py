"""Phones that signal by TCP and by TLS."""

import subprocess
import time

from conference import Desk

TRANSPORTS = {"agent": "tls", "customer": "tcp", "supervisor": "udp"}


def run(stage):
    sip, tls = certified(stage, "certificates")
    tls_port = stage.ports.one()
    desk = Desk(stage, "signalling", listeners=[f"tls:127.0.0.1:{tls_port}"], sip=sip).start()
    try:
        for role in TRANSPORTS:
            desk.offer(role, role.title(), stay_alone=True, coach_mode=False)
            desk.phone(role, tls=tls)
        calling_in(desk, tls_port)
        hanging_up(desk)
        being_called(desk)
    finally:
        desk.stop()


def certified(stage, folder):
    """What a service is configured with to have a certificate, and what phones are told: whom they believe,
    and a file of a certificate and its key."""
    folder = stage.folder / folder
    command = [stage.program, "cert", "--dir", folder, "--name", "127.0.0.1", "--name", "localhost"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    stage.checks("a certificate for an address is made", made.returncode == 0, made.stderr)
    authority, pair = folder / "ca.pem", folder / "pair.pem"
    pair.write_text((folder / "server.pem").read_text() + (folder / "server-key.pem").read_text())
    settings = f"""\
tls_certificate = "{folder / "server.pem"}"
tls_key = "{folder / "server-key.pem"}"
tls_ca = "{authority}"
"""
    return settings, (authority, pair)


def calling_in(desk, tls_port):
    for role, transport in TRANSPORTS.items():
        port = tls_port if transport == "tls" else desk.service.sip_port
        answered = desk.phones[role].call(f"sip:{role}@127.0.0.1:{port};transport={transport}")
        desk.checks(f"the {role} calls by {transport}", answered)
    hear_each_other(desk, "called in")


def hanging_up(desk):
    """Either side ends a call on its stream."""
    desk.checks("the agent hangs up by tls", desk.phones["agent"].hang_up() is not None)
    desk.phones["customer"].hang_up()
    desk.phones["supervisor"].hang_up()
    deadline = time.monotonic() + 5
    while desk.service.metric("mixminus_calls") and time.monotonic() < deadline:
        time.sleep(0.1)
    desk.checks("the service knows that all hung up", not desk.service.metric("mixminus_calls"))


def being_called(desk):
    for role, transport in TRANSPORTS.items():
        phone = desk.phones[role]
        # The port after the SIP port is baresip's for TLS.
        port = phone.sip_port + (transport == "tls")
        mark = len(phone.events)
        desk.calls.add_participant(
            role.title(),
            friendly_name="called",
            from_="1000",
            to_=f"sip:{role}@127.0.0.1:{port};transport={transport}",
            stay_alone=True,
            coach_mode=False,
        )
        desk.checks(f"the {role} is called by {transport}", phone.answers(5, mark))
    hear_each_other(desk, "called")


def hear_each_other(desk, why):
    desk.expect({role: [other for other in TRANSPORTS if other != role] for role in TRANSPORTS}, why)
