"""One conference of phones that encrypt their audio in each way, and one that does not."""

from conference import Desk

# What each phone does by baresip's names: keys beside plain RTP (RFC 8643), SRTP by keys or nothing, plain RTP.
KEYS = {"agent": "srtp", "customer": "srtp-mand", "supervisor": None}
# Keys by a handshake (RFC 5763), keys in the description, and plain RTP.
HANDSHAKE = {"agent": "dtls_srtp", "customer": "srtp-mand", "supervisor": None}


def run(stage):
    mixed(stage, "encryption", KEYS)
    mixed(stage, "handshake", HANDSHAKE)
    required(stage)


def mixed(stage, name, encryption):
    desk = Desk(stage, name).start()
    try:
        everybody(desk)
        for role, way in encryption.items():
            phone = desk.phone(role, mediaenc=way)
            called = phone.call(desk.service.sip(role))
            desk.checks(f"the call with {way or 'plain RTP'} is answered", called)
        hears = {role: [other for other in encryption if other != role] for role in encryption}
        desk.expect(hears, name)
        for role, way in encryption.items():
            told = (desk.phones[role].folder / "log").read_text(errors="replace")
            # What baresip says of keys in descriptions, and of a handshake.
            says = "SRTP is Enabled" in told or "DTLS-SRTP complete" in told
            desk.checks(f"{way or 'plain RTP'} is what it says", says == bool(way))
        agent = desk.phones["agent"]
        agent.command("hold")
        desk.expect({"customer": ["supervisor"]}, f"{name} on hold")
        agent.command("resume")
        desk.expect({"customer": ["agent", "supervisor"]}, f"{name} resumed")
        forged = desk.service.metric("mixminus_media_packets_total", '"forged"')
        # What a phone sends before the keys are there on our side is not taken.
        few = 50 if "dtls_srtp" in encryption.values() else 0
        desk.checks("no packet was refused once there were keys", forged <= few, forged)
        desk.checks("the phone hangs up", desk.phones["customer"].hang_up() is not None)
    finally:
        desk.stop()


def required(stage):
    desk = Desk(stage, "encryption-required", media='srtp = "required"').start()
    try:
        everybody(desk)
        plain = desk.phone("supervisor")
        desk.checks("plain RTP is refused", not plain.call(desk.service.sip("supervisor")))
        closed = plain.closed(0) or {}
        desk.checks("with 488", "488" in closed.get("param", ""), closed)
        for role in ("agent", "customer"):
            phone = desk.phone(role, mediaenc=HANDSHAKE[role])
            desk.checks(f"{HANDSHAKE[role]} is answered", phone.call(desk.service.sip(role)))
        desk.expect({"agent": ["customer"], "customer": ["agent"]}, "required")
    finally:
        desk.stop()


def everybody(desk):
    for role in KEYS:
        desk.offer(role, role.title(), stay_alone=True, coach_mode=False)
