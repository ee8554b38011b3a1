"""A flood by SIP of requests that nobody asked for, beside calls that must not notice."""

import os
import socket
import threading
import time

from application import Application
from callers import ACK, ANSWERED, BYE, INVITE, STAY, Callers, Vitals, share, timed
from service import Service

FLOOD_S = int(os.environ.get("FLOOD_SECONDS", "20"))
REQUESTS_PER_S = 3000
METHODS = ("REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE", "MESSAGE")
# Strangers are all but callers from here; the flood comes from another address.
KNOWN, FLOODING = "127.0.0.1", "127.0.0.66"
MOST_GROWN_KB = 4000


def run(stage):
    app = Application(stage.ports.one())
    app.answer("caller", "<Response><Wait length='60' silence='true'/></Response>")
    sip = f'allow = ["{KNOWN}/32"]'
    service = Service(stage.program, stage.folder / "attacks", stage.ports, f"{app.url}/answer", sip=sip)
    try:
        service.start()
        flood(stage, service)
    finally:
        service.kill()
        app.stop()


def flood(stage, service):
    for transport, send in (("UDP", datagrams), ("TCP", stream)):
        calm = answered(stage, service, f"before-{transport}")
        over, counted = threading.Event(), []
        thread = threading.Thread(target=send, args=(service.sip_port, over, counted))
        thread.start()
        time.sleep(FLOOD_S / 4)
        before = Vitals(service.process)
        beside = answered(stage, service, f"beside-{transport}")
        time.sleep(FLOOD_S / 2)
        after = Vitals(service.process)
        over.set()
        thread.join()
        grown = after.memory_kb - before.memory_kb
        stage.checks(f"{transport}: memory stays as it is", grown < MOST_GROWN_KB, f"{grown} kB")
        print(
            f"     {transport}: callers are answered in {share(calm, 0.95):.0f} ms, "
            f"and beside the flood in {share(beside, 0.95):.0f} ms (p95)"
        )
        stage.checks(
            f"{transport}: it was a flood", sum(counted) > 1000 * FLOOD_S, f"{sum(counted)} requests"
        )
    stage.checks("no call was offered by it", service.metric("mixminus_calls") == 0)


def answered(stage, service, name):
    """How long callers wait for their answer, in ms, sorted."""
    steps = timed(INVITE + ANSWERED + ACK + STAY + BYE)
    callers = Callers(stage, service, name, steps, "caller", count=40, rate=10, stay_ms=500)
    failed = callers.wait()["FailedCall(C)"]
    stage.checks(f"{name}: all calls are answered", failed == 0, f"{failed} failed")
    return callers.answers_ms()


def request(number, transport, address):
    method, sender = METHODS[number % len(METHODS)], ":".join(map(str, address))
    return (
        f"{method} sip:{number}@{KNOWN} SIP/2.0\r\n"
        f"Via: SIP/2.0/{transport} {sender};rport;branch=z9hG4bK{number:x}\r\nMax-Forwards: 70\r\n"
        f"From: <sip:{number}@{sender}>;tag={number:x}\r\nTo: <sip:{number}@{KNOWN}>\r\n"
        f"Call-ID: {number:x}@flood\r\nCSeq: 1 {method}\r\nContact: <sip:{number}@{sender}>\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()


def paced(over):
    """Numbers, as many a second as the flood has requests."""
    number, begun = 0, time.monotonic()
    while not over.is_set():
        while number < (time.monotonic() - begun) * REQUESTS_PER_S:
            yield number
            number += 1
        time.sleep(0.002)


def datagrams(port, over, counted):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind((FLOODING, 0))
        address = far.getsockname()
        for number in paced(over):
            far.sendto(request(number, "UDP", address), (KNOWN, port))
            counted.append(1)


def stream(port, over, counted):
    """On connections that are opened anew when the service has enough of them."""
    far = None
    for number in paced(over):
        try:
            if far is None:
                far = socket.create_connection((KNOWN, port), 1, (FLOODING, 0))
                far.setblocking(False)
            far.send(request(number, "TCP", far.getsockname()))
            far.recv(1 << 16)
        except BlockingIOError:
            pass
        except OSError:
            far.close() if far else None
            far = None
        counted.append(1)
    far.close() if far else None
