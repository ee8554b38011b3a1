"""baresip phones, asked as those of other makes are."""

import re

from phone import Phone

# What it calls who makes the keys.
SRTP = {"sdes": "srtp-mand", "dtls": "dtls_srtp"}


class Baresip(Phone):
    """`account` is a user name, a password and the address of the service, `way` how it signals and what it
    speaks."""

    make = "baresip"
    records_after_hold = False
    hangs_up_when_refused = True

    def __init__(self, folder, voice, ports, account, way):
        user, password, address = account
        outbound = f'outbound="sip:{address};transport={way["transport"]}"'
        super().__init__(
            user,
            folder,
            voice,
            ports,
            way["codec"],
            mediaenc=SRTP.get(way["srtp"]),
            tls=way["tls"],
            account=f"<sip:{user}@phone.plivo.com>;{outbound};auth_pass={password};regint=60",
        )

    def hold(self):
        self.command("hold")

    def resume(self):
        self.command("resume")

    def transfer(self, uri, seconds=5):
        """The status that its blind transfer is answered with; None if it is told of none."""
        mark = len(self.events)
        self.command("transfer", uri)
        failed = self.event(lambda event: event.get("type") == "TRANSFER_FAILED", seconds, mark)
        found = failed and re.search(r"\d{3}", failed["param"])
        return found and int(found[0])

    def digit(self, digit, by="rtp"):
        super().digit(digit)
