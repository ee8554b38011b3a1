"""Documents as the vendor's builders print them, run by calling in."""

import json
import re
import sys
import time
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from plivo import plivoxml

import sound
from callee import BUSY, Callee
from conference import Desk
from node_client import Node
from office import repeated

NAME = "documents"


class Python:
    def document(self, *steps):
        """What the builder prints after `steps`: an element, its text or None,
        attributes by their names in XML, and steps inside."""
        return self.nest(plivoxml.ResponseElement(), steps).to_string()

    def nest(self, parent, steps):
        for element, body, attributes, *inside in steps:
            content = [] if body is None else [body]
            made = getattr(plivoxml, f"{element}Element")(
                *content, **{snake(k): v for k, v in attributes.items()}
            )
            parent.add(self.nest(made, inside))
        return parent


def snake(name):
    return re.sub("(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class Ruby(Python):
    """Prints as the Ruby builder does: with a declaration, single quotes, and attributes by their names."""

    def document(self, *steps):
        return '<?xml version="1.0" encoding="utf-8" ?>' + quoted(
            ElementTree.fromstring(super().document(*steps))
        )


def quoted(element):
    attributes = "".join(f" {name}='{value}'" for name, value in sorted(element.items()))
    inside = escape((element.text or "").strip()) + "".join(map(quoted, element))
    return f"<{element.tag}{attributes}>{inside}</{element.tag}>"


class Reader(Desk):
    """Answers calls to a user with what a builder prints."""

    def __init__(self, stage):
        recogniser = [sys.executable, str(Path(__file__).with_name("recogniser.py")), "{language}"]
        super().__init__(stage, NAME, speech=f"recogniser = {json.dumps(recogniser)}")
        self.busy = Callee("busy", stage.ports.one(), BUSY)
        self.voice = stage.voices["supervisor"]
        self.app.pages["/sound.wav"] = (repeated(stage, self.voice, 1), "audio/wav")
        self.sound_url = f"{self.app.url}/sound.wav"

    def serve(self, user, *steps):
        """Serves the document to calls to `user`, or for their exit URL if it is `exit-…`."""
        self.app.answer(f"{user}-{self.builder}", self.writer.document(*steps))

    def call(self, user, role="agent", seconds=8):
        """Calls `user`; whether the call is answered, and where its events begin."""
        phone = self.phones[role]
        mark = len(phone.events)
        return phone.call(self.service.sip(f"{user}-{self.builder}"), seconds), mark

    def check(self, what, holds, detail=""):
        return self.checks(f"{self.builder}: {what}", holds, detail)

    def over(self, what, mark, role="agent", seconds=10):
        closed = self.phones[role].closed(seconds, mark)
        self.check(f"{what}: the call ends", closed is not None)
        return closed

    def asked(self, what, user, **wanted):
        """Checks that the exit URL was asked for `user` with what is `wanted`."""
        to = f"sip:{user}-{self.builder}@"

        def seen():
            return [one.params for one in self.app.on("/exit") if one.params.get("To", "").startswith(to)]

        deadline = time.monotonic() + 5
        while not seen() and time.monotonic() < deadline:
            time.sleep(0.05)
        found = seen()
        self.check(
            f"{what} is told {wanted}", bool(found) and wanted.items() <= found[-1].items(), found[-1:]
        )

    def stop(self):
        super().stop()
        self.busy.stop()


def run(stage):
    desk = Reader(stage).start()
    node = Node(stage.folder)
    everything = (speaking, pressing, entering, saying, dialling, early, refusing, holding, meeting)
    parts = {
        "python": (Python(), everything),
        "node": (node, everything),
        "ruby": (Ruby(), [speaking, meeting]),
    }
    try:
        for role in ("agent", "customer"):
            desk.phone(role)
        for desk.builder, (desk.writer, steps) in parts.items():
            for step in steps:
                with stage.checks.part(f"documents {step.__name__}"):
                    step(desk)
    finally:
        node.stop()
        desk.stop()


def speaking(desk):
    """Speak, Wait, Play, DTMF, Redirect, Hangup: what is heard, in its order."""
    desk.serve(
        "speak",
        ("Speak", "Thank you for calling, one two three four.", {"voice": "WOMAN", "language": "en-US"}),
        ("Wait", None, {"length": 2, "silence": True}),
        ("DTMF", "5", {}),
        ("Redirect", f"{desk.app.url}/exit", {"method": "POST"}),
        ("Speak", "This is never spoken.", {}),
    )
    desk.serve("exit-speak", ("Play", desk.sound_url, {"loop": 1}), ("Hangup", None, {}))
    answered, mark = desk.call("speak")
    desk.check("a document is taken", answered)
    desk.over("when its last element has run", mark, seconds=30)
    phone = desk.phones["agent"]
    heard = phone.heard()
    speech, rest = heard[: sound.RATE], heard[-2 * sound.RATE :]
    desk.check("Speak is heard first", sound.level(speech) > -45, f"{sound.level(speech):.0f} dBFS")
    gap = min(
        sound.level(heard[at : at + sound.RATE])
        for at in range(sound.RATE, len(heard) - sound.RATE, sound.RATE // 4)
    )
    desk.check("Wait is silent", gap < -60, f"{gap:.0f} dBFS")
    desk.check("DTMF is sent", phone.event(lambda event: event.get("param") == "5", 0, mark) is not None)
    desk.asked("Redirect", "speak", CallStatus="in-progress")
    desk.check("Play is heard last", desk.voice.heard_in(rest), f"{desk.voice.loudness_in(rest):.0f} dB")


def pressing(desk):
    """GetDigits: digits pressed during its prompt reach its action."""
    prompt = ("Speak", "Please enter a number, and the hash key. " * 3, {})
    digits = {
        "action": f"{desk.app.url}/exit",
        "method": "POST",
        "timeout": 5,
        "finishOnKey": "#",
        "numDigits": 4,
    }
    desk.serve("digits", ("GetDigits", None, digits, prompt))
    desk.serve("exit-digits", ("Hangup", None, {}))
    _, mark = desk.call("digits")
    time.sleep(0.5)
    for digit in "42#":
        desk.phones["agent"].digit(digit)
    desk.asked("GetDigits", "digits", Digits="42")
    desk.over("after the action's document", mark)


def entering(desk):
    """GetInput of digits."""
    entry = {
        "action": f"{desk.app.url}/exit", "inputType": "dtmf", "numDigits": 2, "executionTimeout": 10,
        "digitEndTimeout": 2,
    }  # fmt: skip
    desk.serve("input", ("GetInput", None, entry, ("Speak", "Your number, please.", {})))
    desk.serve("exit-input", ("Hangup", None, {}))
    _, mark = desk.call("input")
    time.sleep(0.5)
    for digit in "31":
        desk.phones["agent"].digit(digit)
    desk.asked("GetInput", "input", Digits="31", InputType="dtmf")
    desk.over("after the action's document", mark)


def saying(desk):
    """GetInput of speech: recognised over its prompt, and told on the way."""
    entry = {
        "action": f"{desk.app.url}/exit", "inputType": "dtmf speech", "executionTimeout": 20, "language": "en-GB",
        "speechModel": "phone_call", "hints": "agent,customer", "interimSpeechResultsCallback": desk.events_url,
    }  # fmt: skip
    prompt = ("Speak", "Who are you, please? " * 5, {})
    desk.serve("say", ("GetInput", None, entry, prompt))
    desk.serve("exit-say", ("Hangup", None, {}))
    for role in ("agent", "customer"):
        _, mark = desk.call("say", role)
        wanted = {"InputType": "speech", "Speech": f"the {role} in en-GB", "SpeechConfidenceScore": "0.93"}
        desk.over("after the action's document", mark, role)
        desk.asked(f"GetInput of the {role}", "say", **wanted, Digits="")
    told = [one["UnstableSpeech"] for one in desk.app.callbacks() if "UnstableSpeech" in one]
    desk.check("what is understood meanwhile is told", {"the agent", "the customer"} <= set(told), told)


def dialling(desk):
    """Dial: a SIP user that is busy, and one who talks."""
    for user, uri, status in (
        ("refused", desk.busy.uri, "busy"),
        ("dial", desk.phones["customer"].uri, "completed"),
    ):
        dial = {"action": f"{desk.app.url}/exit", "method": "POST", "timeout": 10}
        desk.serve(user, ("Dial", None, dial, ("User", uri, {})))
        desk.serve(f"exit-{user}", ("Hangup", None, {}))
        customer, since = desk.phones["customer"], len(desk.phones["customer"].events)
        _, mark = desk.call(user)
        if status == "completed":
            desk.check("Dial: the user answers", customer.answers(5, since))
            desk.expect({"agent": ["customer"], "customer": ["agent"]}, f"{desk.builder}: Dial")
            customer.hang_up()
        desk.asked("Dial", user, DialStatus=status)
        desk.over("after the action's document", mark)


def early(desk):
    """PreAnswer plays before the call is answered."""
    desk.serve(
        "early",
        ("PreAnswer", None, {}, ("Speak", "You will be answered soon.", {})),
        ("Wait", None, {"length": 1}),
        ("Hangup", None, {}),
    )
    answered, mark = desk.call("early")
    desk.check("it is answered after PreAnswer", answered)
    events = [event.get("type") for event in desk.phones["agent"].events[mark:]]
    before = "CALL_PROGRESS" in events and events.index("CALL_PROGRESS") < events.index("CALL_ESTABLISHED")
    desk.check("its sound comes before that", before, events)
    desk.over("after PreAnswer", mark)
    heard = desk.phones["agent"].heard()[: sound.RATE * 2]
    desk.check("PreAnswer is heard", sound.level(heard) > -45, f"{sound.level(heard):.0f} dBFS")


def refusing(desk):
    """Hangup with a reason refuses a call that was not answered."""
    desk.serve("refuse", ("Hangup", None, {"reason": "busy"}))
    answered, mark = desk.call("refuse")
    closed = desk.phones["agent"].closed(1, mark)
    desk.check(
        "a call is refused as busy", not answered and closed and "486" in closed.get("param", ""), closed
    )


def holding(desk):
    """MultiPartyCall: its own music for a customer on hold, and an exit URL for one who is kicked."""
    music = f"{desk.app.url}/music.xml"
    desk.app.pages["/music"] = (
        desk.writer.document(("Play", desk.sound_url, {})).encode(),
        "application/xml",
    )
    exit_url = f"{desk.app.url}/exit.xml"
    place = {
        "role": "Customer", "hold": True, "stayAlone": True, "enterSound": "none",
        "customerHoldMusicUrl": music, "onExitActionUrl": exit_url,
    }  # fmt: skip
    desk.serve("hold", ("MultiPartyCall", NAME, place))
    desk.serve("exit-hold", ("Hangup", None, {}))
    answered, mark = desk.call("hold")
    desk.check("the one on hold is in", answered)
    heard = desk.phones["agent"].listen(1.5)
    desk.check(
        "its own music is heard", desk.voice.heard_in(heard), f"{desk.voice.loudness_in(heard):.0f} dB"
    )
    desk.check(
        "the API shows the held", desk.calls.list_participants(friendly_name=NAME).objects[0].hold is True
    )
    desk.calls.kick_participant("all", friendly_name=NAME)
    desk.asked("onExitActionUrl", "hold", MPCFriendlyName=NAME, ParticipantRole="Customer")
    desk.over("after the exit document", mark)


def meeting(desk):
    """MultiPartyCall: both talk; when it is ended the agent goes on with the next element."""
    for role in ("agent", "customer"):
        place = {"role": role.title(), "maxDuration": 600, "stayAlone": True, "enterSound": "none"}
        desk.serve(role, ("MultiPartyCall", NAME, place), ("Play", desk.sound_url, {}))
    marks = {}
    for role in ("agent", "customer"):
        answered, marks[role] = desk.call(role, role)
        desk.check(f"MultiPartyCall: the {role} is in", answered)
    desk.expect({"agent": ["customer"], "customer": ["agent"]}, f"{desk.builder}: MultiPartyCall")
    desk.calls.stop(friendly_name=NAME)
    heard = desk.phones["agent"].listen(1)
    desk.check(
        "what follows MultiPartyCall runs",
        desk.voice.heard_in(heard),
        f"{desk.voice.loudness_in(heard):.0f} dB",
    )
    for role, mark in marks.items():
        desk.phones[role].hang_up()
        desk.over(f"the {role} hangs up", mark, role)
