"""Phones that call and are called, and what is asked about them."""

from datetime import UTC, datetime, timedelta

from plivo.exceptions import ResourceNotFoundError

import sdk
import shapes
import sound
from callee import BUSY, Callee
from conference import NAME, Desk

RESOURCES = (
    "multi_party_calls", "calls", "live_calls", "queued_calls", "applications", "endpoints", "recordings",
    "account", "subaccounts",
)  # fmt: skip
FROM = "14155550100"
DIALS_PER_S = 2


class Office(Desk):
    """A desk with phones that are called, too, and what they may hear."""

    def __init__(self, stage, folder, **settings):
        super().__init__(stage, folder, limits=f"max_dials_per_s = {DIALS_PER_S}", **settings)
        self.ringing = Callee("nobody", stage.ports.one())
        self.busy = Callee("busy", stage.ports.one(), BUSY)
        self.voice = stage.voices["supervisor"]
        self.sound_url = self.page("/sound.wav", repeated(stage, self.voice, 3), "audio/wav")
        self.answer_url = f"{self.app.url}/answer"

    def page(self, path, body, kind="application/xml"):
        """Serves `body` at `path`; its URL."""
        self.app.pages[path] = (body, kind)
        return self.app.url + path

    def start(self):
        super().start()
        self.asks = sdk.Replies(self.checks, self.client)
        self.resources = {name: sdk.Used(getattr(self.client, name)) for name in RESOURCES}
        for name, resource in self.resources.items():
            setattr(self.client, name, resource)
        self.calls = self.client.multi_party_calls
        return self

    def plays(self, listener, why, sounds):
        """Checks whether the file's voice is heard by `listener`."""
        recording = self.phones[listener].listen(1.5)
        seen = self.voice.loudness_in(recording)
        holds = self.voice.heard_in(recording) if sounds else self.voice.absent_from(recording)
        return self.checks(
            f"{why}: {listener} hears {'it' if sounds else 'nothing of it'}", holds, f"{seen:.0f} dB"
        )

    def fire(self, to):
        """Asks for calls to `to`."""
        return lambda: self.client.calls.create(FROM, to, self.answer_url)

    def roles(self):
        """Of those inside, sorted."""
        listed = self.calls.list_participants(uuid=self.calls.get(friendly_name=NAME).mpc_uuid).objects
        return sorted(one.role for one in listed if one.exit_time is None)

    def state(self, wanted, why):
        seen = self.calls.get(friendly_name=NAME).recording
        self.checks(why, seen == wanted, seen)

    def record(self, call_uuid):
        """The record of a call that is over."""
        self.checks.eventually("its record has an end", lambda: self.client.calls.get(call_uuid).end_time)
        return self.asks("a call's record", 200, shapes.CALL, lambda: self.client.calls.get(call_uuid))

    def stop(self):
        super().stop()
        self.ringing.stop()
        self.busy.stop()


def repeated(stage, voice, times):
    """A file of what `voice` says, so many times over."""
    path = stage.folder / f"{voice.wav.stem}-{times}-times.wav"
    if not path.exists():
        sound.write(path, [*voice.samples] * times)
    return path.read_bytes()


def paged(office, what, ask, **filters):
    """Of two or more, pages of one follow each other."""
    first = ask(limit=1, offset=0, **filters)
    second = ask(limit=1, offset=1, **filters)
    meta = first.meta
    office.checks(f"a page of {what} holds one of them", len(first.objects) == 1 and meta.total_count >= 2)
    office.checks(
        f"its next page of {what} is named", "limit=1" in meta.next and "offset=1" in meta.next, meta.next
    )
    office.checks(
        f"the page of {what} before is named", second.meta.previous is not None and meta.previous is None
    )


def gone(office, what, ask):
    try:
        ask()
        office.checks(f"{what} is gone", False)
    except ResourceNotFoundError:
        office.checks(f"{what} is gone", True)


def date(**ahead):
    return f"{datetime.now(UTC) + timedelta(**ahead):%Y-%m-%d %H:%M:%S}"
