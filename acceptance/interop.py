"""Phones of several makes: each does all that a phone does, in one line of a table for each way it is set."""

import time

import signalling
from baresip import SRTP, Baresip
from conference import NAME, Desk
from endpoints import STRANGERS
from phone import SETTLE_SECONDS, listen
from softphone import JsSip, Linphone, Pjsua

PASSWORD = "a-password-of-a-phone"
# The make of a phone, how it signals, what it speaks, and what its keys are agreed by.
LINES = [
    (Baresip, "udp", "PCMU", ""),
    (Baresip, "tcp", "G722", ""),
    (Baresip, "tls", "opus", "sdes"),
    (Baresip, "udp", "PCMA", "dtls"),
    (Pjsua, "udp", "PCMU", ""),
    (Pjsua, "tcp", "G722", ""),
    (Pjsua, "tls", "PCMA", "sdes"),
    (Linphone, "udp", "PCMU", ""),
    (Linphone, "tcp", "opus", ""),
    (Linphone, "tls", "G722", "sdes"),
    (Linphone, "udp", "opus", "dtls"),
    (JsSip, "ws", "PCMU", ""),
]
COLUMNS = (
    "registers", "calls in", "hears", "is heard", "digits", "INFO", "holds", "transfer 603", "hangs up",
    "is called", "is hung up",
)  # fmt: skip
# What baresip 1.0 cannot do.
CANNOT = {"baresip": {"INFO"}}
LISTEN_SECONDS = 1.5
# Where the service calls, the first part of a handshake may come before the answer, and then a second later
# again.
HANDSHAKE_SECONDS = 2.0


class Line:
    """One phone, what it is to do, and what was seen of it by column."""

    def __init__(self, desk, number, line, addresses, tls):
        make, transport, codec, srtp = line
        self.desk, self.checks, self.app = desk, desk.checks, desk.app
        self.name = " ".join(word for word in (make.make, transport.upper(), codec, srtp.upper()) if word)
        self.codec = codec
        self.settle = HANDSHAKE_SECONDS if srtp == "dtls" else SETTLE_SECONDS
        self.seen = {}
        self.cannot = CANNOT.get(make.make, set())
        self.endpoint = desk.client.endpoints.create(f"line{number}", PASSWORD, self.name)
        account = (self.endpoint.username, PASSWORD, addresses[transport])
        way = {"transport": transport, "codec": codec, "srtp": srtp, "tls": tls}
        folder = desk.service.folder / f"line-{number}"
        self.phone = make(folder, desk.stage.voices["agent"], desk.stage.ports, account, way)

    def __call__(self, column, what, holds, detail=""):
        """Reports whether `what` holds; a column holds if all of it does."""
        self.seen[column] = self.checks(f"{self.name}: {what}", holds, detail) and self.seen.get(column, True)
        return holds

    def eventually(self, column, what, look):
        held = self.seen.get(column, True)
        self.seen[column] = self.checks.eventually(f"{self.name}: {what}", look) and held

    def run(self):
        try:
            self.registering()
            self.calling_in()
            self.digits()
            self.holding()
            self.transferring()
            self.hanging_up()
            self.being_called()
            self.hung_up()
        finally:
            self.phone.stop()
        self.eventually("registers", "it unregisters", lambda: self.shown().sip_registered == "false")

    def shown(self):
        return self.desk.client.endpoints.get(self.endpoint.endpoint_id)

    def registering(self):
        status = self.phone.registers()
        self("registers", "it registers", status == 200, status)
        self.eventually("registers", "the API shows it", lambda: self.shown().sip_registered == "true")
        agent = getattr(self.shown(), "sip_user_agent", "")
        self("registers", "and what it is", self.phone.make.lower() in agent.lower(), agent)

    def calling_in(self):
        customer = self.desk.phones["customer"]
        mark = len(customer.events)
        self.desk.calls.add_participant(
            "Customer", friendly_name=NAME, from_="15550100", to_=customer.uri, stay_alone=True
        )
        customer.answers(5, mark)
        self("calls in", "it calls in", self.phone.call("sip:agent@phone.plivo.com"))
        self.speaking("calls in")
        self.hearing("called in")

    def speaking(self, column):
        """The customer speaks PCMU."""
        wanted = 1 + (self.codec == "PCMU")
        legs = lambda: self.desk.service.metric("mixminus_media_format_legs", f'"{self.codec}"')  # noqa: E731
        self.eventually(column, f"{self.codec} is what it speaks", lambda: legs() == wanted)

    def hearing(self, when, hears=True, heard=True):
        """Who hears whom; `hears` of None is not looked at."""
        customer = self.desk.phones["customer"]
        phones = [customer] if hears is None else [customer, self.phone]
        recordings = listen(phones, LISTEN_SECONDS, self.settle)
        self.sounds("is heard" if heard else "holds", f"{when}: it is heard", "agent", recordings[0], heard)
        if hears is not None:
            self.sounds("hears", f"{when}: it hears the customer", "customer", recordings[1], hears)
            self.sounds("hears", f"{when}: it is given back", "agent", recordings[1], False)

    def sounds(self, column, what, speaker, recording, wanted):
        voice = self.desk.stage.voices[speaker]
        holds = voice.heard_in(recording) if wanted else voice.absent_from(recording)
        detail = f"{voice.loudness_in(recording):.0f} dB" if len(recording) else "nothing recorded"
        self(column, what if wanted else f"not so: {what}", holds, detail)

    def digits(self):
        for column, digit, by in (("digits", "5", "rtp"), ("INFO", "7", "info")):
            if column in self.cannot:
                continue
            told, came = len(self.pressed(digit)), self.info()
            self.phone.digit(digit, by)
            self.eventually(column, f"a digit by {by}", lambda: len(self.pressed(digit)) > told)
            self(column, "which came that way", (self.info() > came) == (by == "info"))
            time.sleep(0.5)  # linphone begins nothing new before its INFO is answered

    def info(self):
        return self.desk.service.metric("mixminus_sip_messages_total", 'method="INFO"') or 0

    def pressed(self, digit):
        return [told for told in self.app.callbacks(NAME) if told.get("DigitInput") == digit]

    def holding(self):
        self.phone.hold()
        self.hearing("on hold", hears=None, heard=False)
        self.phone.resume()
        self.hearing("resumed", hears=True if self.phone.records_after_hold else None)

    def transferring(self):
        status = self.phone.transfer("sip:elsewhere@phone.plivo.com")
        self("transfer 603", "a transfer is refused", status == 603, status)
        if self.phone.hangs_up_when_refused:
            self.phone.closed(5)
            self.phone.call("sip:agent@phone.plivo.com")
        else:
            self.hearing("after that", hears=True if self.phone.records_after_hold else None)

    def hanging_up(self):
        self("hangs up", "it hangs up", self.phone.hang_up() is not None)
        self.eventually("hangs up", "its call is over", lambda: "agent" not in self.desk.members())

    def being_called(self):
        mark = len(self.phone.events)
        self.desk.calls.add_participant(
            "Agent", friendly_name=NAME, from_="15550100", to_=self.shown().sip_uri, stay_alone=True
        )
        self("is called", "it is called", self.phone.answers(8, mark))
        self.speaking("is called")
        self.hearing("called")

    def hung_up(self):
        mark = len(self.phone.events)
        self.desk.calls.stop(friendly_name=NAME)
        self("is hung up", "it is hung up", self.phone.closed(5, mark) is not None)

    def cells(self):
        said = {True: "yes", False: "NO", None: "-"}
        return [self.name, *(said[self.seen.get(column)] for column in COLUMNS)]


def run(stage, lines=LINES):
    sip, tls = signalling.certified(stage, "interop-certificates")
    table = []
    try:
        for srtp in ("", "sdes", "dtls"):
            if some := [line for line in lines if line[-1] == srtp]:
                one_service(stage, srtp, some, (sip, tls), table)
    finally:
        show(table)


def one_service(stage, srtp, lines, certificate, table):
    """All of `lines`, one after the other, at a service that insists on `srtp`."""
    sip, tls = certificate
    tls_port = stage.ports.one()
    media = f'srtp = "required"\nsrtp_keys = "{srtp}"' if srtp else 'srtp = "off"'
    listeners = [f"tls:127.0.0.1:{tls_port}"]
    desk = Desk(stage, f"interop-{srtp or 'rtp'}", listeners=listeners, sip=STRANGERS + sip, media=media)
    try:
        desk.start()
        desk.offer(
            "agent", "Agent", stay_alone=True, status_callback_url=desk.events_url,
            status_callback_events="participant-digit-input-events",
        )  # fmt: skip
        desk.phone("customer", mediaenc=SRTP.get(srtp))
        addresses = {
            **dict.fromkeys(("udp", "tcp"), f"127.0.0.1:{desk.service.sip_port}"),
            "tls": f"127.0.0.1:{tls_port}",
            "ws": f"127.0.0.1:{desk.service.http_port}",
        }
        for number, line in enumerate(lines):
            table.append(one := Line(desk, number, line, addresses, tls))
            with stage.checks.part("interop"):
                one.run()
    finally:
        desk.stop()


def show(table):
    rows = [["", *COLUMNS], *(line.cells() for line in table)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("     " + "  ".join(cells).rstrip())
