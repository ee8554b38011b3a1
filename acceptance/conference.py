"""One conference from its first caller to its end, heard by three phones."""

import time

from plivo import plivoxml
from plivo.exceptions import ResourceNotFoundError

import sdk
import sound
from application import Application
from phone import Phone, listen
from service import AUTH_ID, Service

NAME = "acceptance desk"
EVENTS = "mpc-state-changes,participant-state-changes,participant-digit-input-events"


class Desk:
    """A service, an application that puts callers into one conference by the
    user they call, and a phone for each role."""

    def __init__(self, stage, folder, **settings):
        self.stage = stage
        self.checks = stage.checks
        self.app = Application(stage.ports.one())
        answer_url = f"{self.app.url}/answer"
        self.service = Service(stage.program, stage.folder / folder, stage.ports, answer_url, **settings)
        self.phones = {}
        self.events_url = f"{self.app.url}/callback"
        self.exit_url = f"{self.app.url}/exit"

    def start(self):
        self.service.start()
        self.client = sdk.client_of(self.service)
        self.calls = self.client.multi_party_calls
        return self

    def phone(self, role, codec="PCMU", ptime=20, voice=None, **options):
        voice = self.stage.voices[voice or role]
        phone = Phone(role, self.service.folder, voice, self.stage.ports, codec, ptime, **options)
        self.phones[role] = phone
        return phone

    def offer(self, user, role, **attributes):
        """Answers calls to `user` with a place in the conference."""
        place = plivoxml.MultiPartyCallElement(NAME, role=role, **attributes)
        self.app.answer(user, plivoxml.ResponseElement().add(place))

    def members(self):
        """Role to participant, for those inside."""
        listed = self.calls.list_participants(friendly_name=NAME).objects
        return {participant.role: participant for participant in listed if participant.exit_time is None}

    def member_id(self, role):
        return self.members()[role].member_id

    def update(self, role, **change):
        return self.calls.update_participant(self.member_id(role), friendly_name=NAME, **change)

    def told(self, name, role=None):
        """Checks that a callback came."""
        wanted = {"EventName": name, "MPCName": NAME}
        if role:
            wanted["ParticipantRole"] = role.title()
        seen = self.app.callback(**wanted)
        return self.checks(f"callback {name}{f' of the {role}' if role else ''}", seen is not None) and seen

    def expect(self, heard, why):
        """Listens on the phones of `heard` at once: each hears those voices it
        maps to, and no other."""
        phones = [self.phones[listener] for listener in heard]
        for (listener, speakers), recording in zip(heard.items(), listen(phones), strict=True):
            for speaker, voice in self.stage.voices.items():
                if speaker == listener:
                    self.checks(
                        f"{why}: {listener} is not given back",
                        voice.absent_from(recording),
                        loud(voice, recording),
                    )
                elif speaker in speakers:
                    self.checks(
                        f"{why}: {listener} hears {speaker}",
                        voice.heard_in(recording),
                        loud(voice, recording),
                    )
                else:
                    quiet = voice.absent_from(recording)
                    self.checks(f"{why}: {listener} does not hear {speaker}", quiet, loud(voice, recording))

    def expect_music(self, listener, why):
        """The phone hears music and nobody's voice."""
        recording = self.phones[listener].listen(4.0)
        level = sound.level(recording)
        self.checks(f"{why}: {listener} hears music", level > -45, f"{level:.0f} dBFS")
        for speaker, voice in self.stage.voices.items():
            likeness = voice.best_resemblance(recording)
            detail = f"resemblance {likeness:.2f}"
            self.checks(f"{why}: {listener} does not hear {speaker}", likeness < sound.SAME, detail)

    def stop(self):
        for phone in self.phones.values():
            phone.stop()
        self.service.kill()
        self.app.stop()


def loud(voice, recording):
    return f"{voice.loudness_in(recording):.0f} dB" if len(recording) else "nothing recorded"


def run(stage):
    desk = Desk(stage, "conference").start()
    try:
        desk.offer(
            "customer",
            "Customer",
            start_mpc_on_enter=False,
            stay_alone=True,
            status_callback_url=desk.events_url,
            status_callback_events=EVENTS,
            on_exit_action_url=desk.exit_url,
        )
        desk.offer("agent", "Agent")
        desk.offer("supervisor", "Supervisor", coach_mode=True)
        waiting(desk)
        talking(desk)
        coaching(desk)
        muting(desk)
        holding(desk)
        phone_holding(desk)
        digits(desk)
        kicking(desk)
        ending(desk)
        callbacks(desk)
        starting(desk)
    finally:
        desk.stop()


def waiting(desk):
    customer = desk.phone("customer", codec="PCMA")
    desk.checks(
        "the customer's call is answered", customer.call(desk.service.sip("customer") + ";transport=tcp")
    )
    desk.told("MPCInitialized")
    desk.told("ParticipantJoin", "customer")
    call = desk.calls.get(friendly_name=NAME)
    desk.checks("a conference nobody started is Initialized", call.status == "Initialized", call.status)
    desk.checks("an Initialized conference has no start time", call.start_time is None)
    desk.expect_music("customer", "before the start")


def talking(desk):
    agent = desk.phone("agent")
    desk.checks("the agent's call is answered", agent.call(desk.service.sip("agent")))
    desk.told("MPCStart")
    desk.told("ParticipantJoin", "agent")
    call = desk.calls.get(friendly_name=NAME)
    desk.checks("the agent's arrival made it Active", call.status == "Active", call.status)
    desk.expect({"agent": ["customer"], "customer": ["agent"]}, "two talk")


def coaching(desk):
    supervisor = desk.phone("supervisor")
    desk.checks("the supervisor's call is answered", supervisor.call(desk.service.sip("supervisor")))
    desk.told("ParticipantJoin", "supervisor")
    coached = {
        "agent": ["customer", "supervisor"],
        "customer": ["agent"],
        "supervisor": ["agent", "customer"],
    }
    everybody = coached | {"customer": ["agent", "supervisor"]}
    member = desk.members()["supervisor"]
    desk.checks("the API shows the coach", member.coach_mode is True, member.coach_mode)
    desk.expect(coached, "coaching")
    desk.update("supervisor", coach_mode=False)
    desk.told("ParticipantCoachModeStop", "supervisor")
    desk.expect(everybody, "not coaching")
    desk.update("supervisor", coach_mode=True)
    desk.told("ParticipantCoachModeStart", "supervisor")
    desk.expect(coached, "coaching again")


def muting(desk):
    desk.update("agent", mute=True)
    desk.told("ParticipantMute", "agent")
    member = desk.members()["agent"]
    desk.checks("the API shows the muted", member.mute is True, member.mute)
    desk.expect(
        {"agent": ["customer", "supervisor"], "customer": [], "supervisor": ["customer"]}, "agent muted"
    )
    desk.update("agent", mute=False)
    desk.told("ParticipantUnmute", "agent")
    desk.expect({"customer": ["agent"]}, "agent unmuted")


def holding(desk):
    desk.update("customer", hold=True)
    desk.told("ParticipantHold", "customer")
    member = desk.members()["customer"]
    desk.checks("the API shows the held", member.hold is True, member.hold)
    desk.expect_music("customer", "customer held")
    desk.expect({"agent": ["supervisor"], "supervisor": ["agent"]}, "customer held")
    desk.update("customer", hold=False)
    desk.told("ParticipantUnhold", "customer")
    desk.expect({"agent": ["customer", "supervisor"], "customer": ["agent"]}, "customer resumed")
    agent, supervisor = desk.member_id("agent"), desk.member_id("supervisor")
    desk.calls.update_participant(f"{agent},{supervisor}", friendly_name=NAME, mute=True)
    desk.expect({"customer": [], "agent": ["customer"]}, "two muted at once")
    desk.calls.update_participant("all", friendly_name=NAME, mute=False)
    desk.expect({"customer": ["agent"], "agent": ["customer", "supervisor"]}, "all unmuted")


def phone_holding(desk):
    """The agent's own phone holds by re-INVITE. baresip does not record after
    that, so what it hears then is counted, and the agent calls anew."""
    agent = desk.phones["agent"]
    agent.command("hold")
    before = agent.packets()
    desk.expect({"customer": [], "supervisor": ["customer"]}, "agent's phone on hold")
    came = agent.packets() - before
    desk.checks("a phone on hold is sent nothing", came < 10, f"{came} packets")
    agent.command("resume")
    before = agent.packets()
    desk.expect({"customer": ["agent"]}, "agent's phone resumed")
    came = agent.packets() - before
    desk.checks("the resumed phone is sent audio again", came > 100, f"{came} packets")
    agent.hang_up()
    desk.told("ParticipantExit", "agent")
    desk.checks("the agent calls anew", agent.call(desk.service.sip("agent")))
    desk.expect({"agent": ["customer", "supervisor"], "customer": ["agent"]}, "agent back")


def digits(desk):
    for digit in "5#":
        desk.phones["customer"].digit(digit)
        seen = desk.app.callback(EventName="ParticipantDigitInput", DigitInput=digit)
        desk.checks(f"callback of the digit {digit}", seen is not None)
    time.sleep(0.5)
    count = sum(params["EventName"] == "ParticipantDigitInput" for params in desk.app.callbacks(NAME))
    desk.checks("each key press is one event", count == 2, count)


def kicking(desk):
    """The kicked customer goes on with the exit document."""
    after = plivoxml.ResponseElement().add(plivoxml.SpeakElement("Goodbye, and thank you for your call."))
    desk.app.answer("exit-customer", after.add(plivoxml.HangupElement()))
    customer = desk.phones["customer"]
    member, mark = desk.member_id("customer"), len(customer.events)
    desk.calls.kick_participant(member, friendly_name=NAME)
    exit_event = desk.told("ParticipantExit", "customer")
    cause = exit_event and exit_event["ParticipantExitCause"]
    desk.checks("its cause is the kick", cause == "Kicked Out of Multiparty Call", cause)
    recording = customer.listen(1.2, settle=0.3)
    for speaker in ("agent", "supervisor"):
        likeness = desk.stage.voices[speaker].best_resemblance(recording)
        desk.checks(f"the kicked customer does not hear {speaker}", likeness < sound.SAME, f"{likeness:.2f}")
    level = sound.level(recording)
    desk.checks("the kicked customer hears the exit document's speech", level > -45, f"{level:.0f} dBFS")
    desk.checks("the exit document ends the call", customer.closed(8, mark) is not None)
    requests = desk.app.on("/exit")
    named = requests and requests[0].params.get("MemberID")
    desk.checks("the exit URL was told who left", named == member, named)
    desk.checks("the customer is inside no more", "customer" not in desk.members())
    call = desk.calls.get(friendly_name=NAME)
    left = desk.calls.get_participant(member, uuid=call.mpc_uuid)
    desk.checks("by uuid the one who left is still known", left.exit_cause == "Kicked Out of Multiparty Call")
    desk.expect({"agent": ["supervisor"], "supervisor": ["agent"]}, "customer kicked")


def ending(desk):
    uuid = desk.calls.get(friendly_name=NAME).mpc_uuid
    listed = desk.calls.list(friendly_name=NAME, status="active").objects
    desk.checks("it is in the list of the active", [one.mpc_uuid for one in listed] == [uuid])
    marks = {role: len(desk.phones[role].events) for role in ("agent", "supervisor")}
    desk.calls.stop(uuid=uuid)
    end = desk.told("MPCEnd")
    desk.checks("its cause is the request", end and end["MPCTerminationCauseCode"] == "3000")
    for role, mark in marks.items():
        desk.checks(f"the {role}'s call ends with it", desk.phones[role].closed(5, mark) is not None)
    try:
        desk.calls.get(friendly_name=NAME)
        desk.checks("an ended conference has no name any more", False)
    except ResourceNotFoundError:
        desk.checks("an ended conference has no name any more", True)
    ended = desk.calls.get(uuid=uuid)
    desk.checks("by uuid it is Ended", ended.status == "Ended", ended.status)
    desk.checks("it has a duration and a cause", ended.duration > 0 and ended.termination_cause_code == 3000)


def callbacks(desk):
    """What was told is complete, in order, once, and signed."""
    seen = desk.app.callbacks(NAME)
    names = [
        "MPCInitialized",
        "ParticipantJoin",
        "MPCStart",
        "ParticipantJoin",
        "ParticipantJoin",
        "ParticipantCoachModeStop",
        "ParticipantCoachModeStart",
        "ParticipantMute",
        "ParticipantUnmute",
        "ParticipantHold",
        "ParticipantUnhold",
        "ParticipantMute",
        "ParticipantMute",
        "ParticipantUnmute",
        "ParticipantUnmute",
        "ParticipantExit",
        "ParticipantJoin",
        "ParticipantDigitInput",
        "ParticipantDigitInput",
        "ParticipantExit",
    ]
    got = [params["EventName"] for params in seen]
    desk.checks("events came in the order they happened", got[: len(names)] == names, " ".join(got))
    tail = sorted(got[len(names) :])
    desk.checks(
        "two exits and the end came last", tail == ["MPCEnd", "ParticipantExit", "ParticipantExit"], tail
    )
    numbers = [int(params["SequenceNumber"]) for params in seen]
    desk.checks("they are numbered from 1 without a gap", numbers == list(range(1, len(seen) + 1)), numbers)
    requests = desk.app.requests
    for version in ("v2", "v3"):
        signed = sum(getattr(request, f"valid_{version}") for request in requests)
        detail = f"{signed} of {len(requests)}"
        desk.checks(f"every request carries a valid {version} signature", 0 < signed == len(requests), detail)
    first = desk.app.on("/answer")[0].params
    expected = {"Direction": "inbound", "Event": "StartApp", "ParentAuthID": AUTH_ID}
    desk.checks("the answer URL is told of the call", expected.items() <= first.items(), first)


def starting(desk):
    """A conference that waits is started by request."""
    desk.offer("agent", "Agent", start_mpc_on_enter=False, stay_alone=True)
    agent = desk.phones["agent"]
    desk.checks("the agent calls again", agent.call(desk.service.sip("agent")))
    desk.expect_music("agent", "waiting for the request")
    desk.calls.start(friendly_name=NAME)
    call = desk.calls.get(friendly_name=NAME)
    desk.checks(
        "the request made it Active", call.status == "Active" and call.start_time is not None, call.status
    )
    level = sound.level(agent.listen())
    desk.checks("the music is over", level < -60, f"{level:.0f} dBFS")
    agent.hang_up()
    uuid = call.mpc_uuid
    desk.checks.eventually("the last to leave ends it", lambda: desk.calls.get(uuid=uuid).status == "Ended")
    ended = desk.calls.get(uuid=uuid)
    desk.checks("its cause is that nobody was left", ended.termination_cause_code == 1000)
