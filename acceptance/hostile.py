"""Bad input of every kind, beside a conference that must not notice."""

import contextlib
import os
import random
import socket
import sqlite3
import struct
import time

import requests
from plivo.exceptions import AuthenticationError, ResourceNotFoundError, ValidationError

import conference
import sdk
import sound
from conference import NAME
from service import AUTH_ID, AUTH_TOKEN

# How long a document may take, and what the service needs on top.
DOCUMENT_SECONDS = 15
STRANGER_HZ = 1000
INVITE = b"INVITE sip:a@127.0.0.1 SIP/2.0\r\n"
MALFORMED_SIP = [
    b"",
    b"\0" * 500,
    b"\r\n\r\n",
    b"INVITE\r\n\r\n",
    INVITE + b"\r\n",
    b"INVITE sip:a@127.0.0.1 SIP/9.9\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK1\r\n\r\n",
    INVITE + b"Via: nonsense\r\nCSeq: 99999999999999999999 INVITE\r\n\r\n",
    INVITE + b"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK2\r\nContent-Length: -5\r\n\r\n",
    INVITE + b"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK3\r\nContent-Length: 4000000000\r\n\r\nv=0",
    b"BYE sip:a@127.0.0.1 SIP/2.0\r\nFrom: <<<>>>;;;tag\r\nTo: \xff\xfe\r\nCall-ID:\r\nCSeq: x\r\n\r\n",
    b"SIP/2.0 200 OK\r\n\r\n",
    b"SIP/2.0 999999 " + b"A" * 2000 + b"\r\n\r\n",
    b"OPTIONS sip:" + b"a" * 60000 + b" SIP/2.0\r\n\r\n",
    b"A: b\r\n" * 5000,
]
# The called user, what is served for it, and the hang-up cause that is kept.
BAD_DOCUMENTS = [
    ("loop", None, "unreachable-answer"),
    ("huge", None, "unreachable-answer"),
    ("error", None, "unreachable-answer"),
    ("empty", "", "invalid-answer"),
    ("html", "<!DOCTYPE html><html><p>Sorry<br></html>", "invalid-answer"),
    ("unclosed", "<Response><Speak>Hello", "invalid-answer"),
    (
        "entities",
        '<!DOCTYPE r [<!ENTITY a "aaaaaaaa">]><Response><Speak>&a;</Speak></Response>',
        "invalid-answer",
    ),
    ("deep", "<Response>" + "<Speak>" * 5000 + "</Speak>" * 5000 + "</Response>", "invalid-answer"),
    ("norole", "<Response><MultiPartyCall>desk</MultiPartyCall></Response>", "invalid-answer"),
    ("badrole", '<Response><MultiPartyCall role="king">desk</MultiPartyCall></Response>', "invalid-answer"),
    (
        "toolong",
        '<Response><MultiPartyCall role="agent" maxDuration="1">d</MultiPartyCall></Response>',
        "invalid-answer",
    ),
    ("nothing", "<Response/>", "end-of-instructions"),
]


def run(stage):
    desk = conference.Desk(stage, "hostile").start()
    try:
        for role in ("agent", "customer"):
            desk.offer(role, role.title(), stay_alone=True)
            desk.checks(f"the {role} is in", desk.phone(role).call(desk.service.sip(role)))
        undisturbed(desk, "before")
        visitor = desk.phone("supervisor")
        visitor.call(desk.service.sip("slow"), seconds=1)
        slow_until = time.monotonic() + DOCUMENT_SECONDS + 8
        documents(desk)
        sip(desk)
        undisturbed(desk, "after malformed SIP")
        rtp(desk)
        api(desk)
        undisturbed(desk, "after bad requests")
        ended = lambda: hangup_cause(desk, "slow") == "unreachable-answer"  # noqa: E731
        desk.checks.eventually(
            "an answer URL that times out ends its call", ended, max(slow_until - time.monotonic(), 1)
        )
        desk.checks("the service is well", desk.service.get("/healthz")[0] == 200)
        left = [one.friendly_name for one in desk.calls.list(status="active").objects]
        desk.checks("only the conference that was there is there", left == [NAME], left)
    finally:
        desk.stop()


def undisturbed(desk, when):
    desk.expect({"agent": ["customer"], "customer": ["agent"]}, when)


def hangup_cause(desk, user):
    """Why the latest call to `user` ended, as the service keeps it."""
    database = f"file:{desk.service.folder / 'data' / 'mixminus.db'}?mode=ro"
    with sqlite3.connect(database, uri=True) as rows:
        query = "SELECT hangup_cause FROM calls WHERE to_address LIKE ? ORDER BY created_at DESC"
        row = rows.execute(query, (f"%{user}@%",)).fetchone()
    return row and row[0]


def documents(desk):
    for user, document, cause in BAD_DOCUMENTS:
        if document is not None:
            desk.app.answer(user, document)
        bad_document(desk, user, cause)


def bad_document(desk, user, cause):
    visitor = desk.phones["supervisor"]
    mark = len(visitor.events)
    visitor.command("dial", desk.service.sip(user))

    def closed(event):
        return event.get("type") == "CALL_CLOSED" and f"sip:{user}@" in event.get("peeruri", "")

    desk.checks(f"document {user}: the call ends", visitor.event(closed, 10, mark) is not None)
    kept = desk.checks.eventually(
        f"document {user}: the cause kept is {cause}", lambda: hangup_cause(desk, user) == cause, 3
    )
    if not kept:
        print(f"     kept: {hangup_cause(desk, user)}")


def sip(desk):
    address = ("127.0.0.1", desk.service.sip_port)
    noise = random.Random(2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        for message in MALFORMED_SIP + [noise.randbytes(noise.randrange(1, 1400)) for _ in range(300)]:
            far.sendto(message, address)
            time.sleep(0.002)
    for message in MALFORMED_SIP:
        # It may hang up on us.
        with socket.create_connection(address) as far, contextlib.suppress(OSError):
            far.sendall(message)
    answer = options(desk)
    desk.checks("it answers OPTIONS after malformed SIP", answer.startswith(b"SIP/2.0 200"), answer[:30])


def options(desk):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        far.settimeout(2)
        port = far.getsockname()[1]
        branch = os.urandom(8).hex()
        far.sendto(
            f"OPTIONS sip:127.0.0.1:{desk.service.sip_port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{branch};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:probe@127.0.0.1>;tag={branch}\r\nTo: <sip:127.0.0.1>\r\nCall-ID: {branch}\r\n"
            f"CSeq: 1 OPTIONS\r\nContact: <sip:probe@127.0.0.1:{port}>\r\nContent-Length: 0\r\n\r\n".encode(),
            ("127.0.0.1", desk.service.sip_port),
        )
        try:
            return far.recv(4096)
        except OSError:
            return b""


def rtp(desk):
    """Noise, and a stranger's well-formed tone, to every audio port."""
    noise = random.Random(3)
    tone = loud_tone()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        for port in desk.service.media_ports:
            for datagram in (
                b"",
                b"\x80",
                noise.randbytes(12),
                noise.randbytes(1400),
                b"\xbf\x80" + b"\xff" * 20,
            ):
                far.sendto(datagram, ("127.0.0.1", port))
        agent = desk.phones["agent"]
        start = len(agent.heard())
        for tick in range(100):
            header = struct.pack("!BBHII", 0x80, 0, tick, tick * 160, 0x5EED)
            for port in desk.service.media_ports[::2]:
                far.sendto(header + tone, ("127.0.0.1", port))
            time.sleep(0.02)
    recording = sound.read(agent.recording(), start)
    band = (STRANGER_HZ - 40, STRANGER_HZ + 40)
    level = sound.band_level(recording, band)
    desk.checks(
        "a stranger's RTP is heard by nobody",
        len(recording) > sound.RATE and level < -50,
        f"{level:.0f} dBFS",
    )


def loud_tone():
    """20 ms of a full-scale tone in mu-law: 0x80 and 0x00 are its extremes."""
    half = sound.RATE // STRANGER_HZ // 2
    return (b"\x80" * half + b"\x00" * half) * (160 // (2 * half))


def api(desk):
    base = f"{desk.service.url}/v1/Account/{AUTH_ID}/MultiPartyCall"
    mine = (AUTH_ID, AUTH_TOKEN)
    here = f"{base}/name_{NAME}/"
    member = desk.member_id("agent")
    attempts = [
        ("no credentials", "GET", f"{base}/", None, None, {401}),
        ("wrong token", "GET", f"{base}/", (AUTH_ID, "wrong"), None, {401}),
        (
            "another account's path",
            "GET",
            base.replace(AUTH_ID, "MA" + "X" * 18) + "/",
            mine,
            None,
            {401, 403, 404},
        ),
        ("an unknown path", "GET", f"{desk.service.url}/v1/Account/{AUTH_ID}/Nonsense/", mine, None, {404}),
        ("an unknown name", "GET", f"{base}/name_nobody/", mine, None, {404}),
        ("an unknown uuid", "GET", f"{base}/uuid_00000000-0000-4000-8000-000000000000/", mine, None, {404}),
        ("a uuid that is none", "GET", f"{base}/uuid_nonsense/", mine, None, {400, 404}),
        ("an unknown participant", "GET", f"{here}Participant/999999/", mine, None, {404}),
        (
            "a participant that is no number",
            "POST",
            f"{here}Participant/abc/",
            mine,
            b'{"mute":true}',
            {400, 404},
        ),
        (
            "one unknown participant of two",
            "POST",
            f"{here}Participant/{member},999999/",
            mine,
            b'{"mute":true}',
            {404},
        ),
        ("malformed JSON", "POST", f"{here}Participant/{member}/", mine, b'{"mute":', {400}),
        ("JSON of the wrong shape", "POST", f"{here}Participant/{member}/", mine, b"[1,2,3]", {400}),
        ("a flag that is none", "POST", f"{here}Participant/{member}/", mine, b'{"mute":"loud"}', {400}),
        ("nothing to change", "POST", f"{here}Participant/{member}/", mine, b"{}", {400}),
        ("a status that cannot be set", "POST", here, mine, b'{"status":"ended"}', {400}),
        ("a limit out of range", "GET", f"{base}/?limit=1000", mine, None, {400}),
        ("a method that is not there", "PUT", here, mine, b"{}", {405}),
        ("a body of a megabyte", "POST", f"{here}Participant/{member}/", mine, b" " * 1_000_000, {400, 413}),
    ]
    for what, method, url, auth, body, expected in attempts:
        reply = requests.request(
            method, url, auth=auth, data=body, timeout=5, headers={"Content-Type": "application/json"}
        )
        clear = reply.headers.get("Content-Type", "").startswith("application/json") and reply.json().get(
            "error"
        )
        detail = f"{reply.status_code} {reply.text[:80]}"
        desk.checks(f"API: {what} is a clear error", reply.status_code in expected and clear, detail)
    member = desk.members()["agent"]
    desk.checks("API: nothing was changed by what was refused", member.mute is False)
    typed_errors(desk)


def typed_errors(desk):
    wrong = sdk.client_of(desk.service, auth_token="wrong").multi_party_calls
    for what, ask, error in (
        ("wrong credentials", lambda: wrong.get(friendly_name=NAME), AuthenticationError),
        ("an unknown name", lambda: desk.calls.get(friendly_name="nobody"), ResourceNotFoundError),
        (
            "a bad filter",
            lambda: desk.calls.client.request(
                "GET", ("MultiPartyCall",), {"limit": "x"}, is_voice_request=True
            ),
            ValidationError,
        ),
    ):
        try:
            ask()
            desk.checks(f"SDK: {what} raises {error.__name__}", False, "nothing raised")
        except Exception as raised:  # noqa: BLE001 - which one is the question
            desk.checks(f"SDK: {what} raises {error.__name__}", isinstance(raised, error), repr(raised)[:80])
