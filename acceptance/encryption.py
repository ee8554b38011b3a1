"""One conference of phones that encrypt their audio in each way, and one that does not."""

from conference import Desk

# What each phone does by baresip's names: keys beside plain RTP (RFC 8643), SRTP or nothing at all, plain RTP.
ENCRYPTION = {"agent": "srtp", "customer": "srtp-mand", "supervisor": None}


def run(stage):
    mixed(stage)
    required(stage)


def mixed(stage):
    desk = Desk(stage, "encryption").start()
    try:
        everybody(desk)
        for role, encryption in ENCRYPTION.items():
            phone = desk.phone(role, mediaenc=encryption)
            called = phone.call(desk.service.sip(role))
            desk.checks(f"the call with {encryption or 'plain RTP'} is answered", called)
            enabled = "SRTP is Enabled" in (phone.folder / "log").read_text(errors="replace")
            desk.checks(f"{encryption or 'plain RTP'} is what it says", enabled == bool(encryption))
        hears = {role: [other for other in ENCRYPTION if other != role] for role in ENCRYPTION}
        desk.expect(hears, "encrypted and not")
        agent = desk.phones["agent"]
        agent.command("hold")
        desk.expect({"customer": ["supervisor"]}, "encrypted on hold")
        agent.command("resume")
        desk.expect({"customer": ["agent", "supervisor"]}, "encrypted and resumed")
        forged = desk.service.metric("mixminus_media_packets_total", '"forged"')
        desk.checks("no packet was refused", forged == 0, forged)
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
            phone = desk.phone(role, mediaenc=ENCRYPTION[role])
            desk.checks(f"{ENCRYPTION[role]} is answered", phone.call(desk.service.sip(role)))
        desk.expect({"agent": ["customer"], "customer": ["agent"]}, "required")
    finally:
        desk.stop()


def everybody(desk):
    for role in ENCRYPTION:
        desk.offer(role, role.title(), stay_alone=True, coach_mode=False)
