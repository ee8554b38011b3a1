"""Every method of the Python SDK, with real calls behind it."""

import time

from plivo import plivoxml

import python_calls
import shapes
from conference import NAME
from office import FROM, Office, date, paged
from shapes import listed

EVENTS = (
    "mpc-state-changes,participant-state-changes,participant-speak-events,"
    "participant-digit-input-events,add-participant-api-events"
)


def run(stage):
    office = Office(stage, "python-sdk").start()
    try:
        for role in ("agent", "customer"):
            office.phone(role)
        for step in STEPS:
            with office.checks.part(f"python_sdk {step.__name__}"):
                step(office)
        used(office)
    finally:
        office.stop()


def used(office):
    """Nothing of the SDK's resources was left out."""
    left = {f"{name}.{one}" for name, resource in office.resources.items() for one in resource.unused()}
    office.checks("every method of the SDK is used", not left, " ".join(sorted(left)))


def inviting(office):
    """The API dials an agent; a customer calls in."""
    agent, mark = office.phones["agent"], len(office.phones["agent"].events)
    added = office.asks(
        "add_participant", 201, shapes.ADDED,
        lambda: office.calls.add_participant(
            "Agent", friendly_name=NAME, from_=FROM, to_=agent.uri, stay_alone=True, send_digits="w3",
            status_callback_url=office.events_url, status_callback_method="POST",
            status_callback_events=EVENTS,
            call_status_callback_url=f"{office.app.url}/progress",
        ),
    )  # fmt: skip
    office.checks("one call has the request's uuid", added.request_uuid == added.calls[0].call_uuid)
    office.checks("the agent is called and answers", agent.answers(5, mark))
    office.told("MPCInitialized")
    office.told("ParticipantJoin", "agent")
    office.told("AddParticipantByAPIActionInitiated")
    outcome = office.app.callback(EventName="AddParticipantByAPIActionCompleted", MPCName=NAME)
    office.checks(
        "the request is told to have succeeded",
        outcome and outcome["AddParticipantAPIRequestOutcome"] == "success",
        outcome,
    )
    office.checks("the digits are sent once it answered", agent.pressed("3", 4))
    progress = lambda: [request.params["CallStatus"] for request in office.app.on("/progress")]  # noqa: E731
    office.checks.eventually("the call's progress is told", lambda: "in-progress" in progress())
    office.offer("customer", "Customer", stay_alone=True, start_mpc_on_enter=False)
    office.checks("the customer is in", office.phones["customer"].call(office.service.sip("customer")))
    office.told("ParticipantJoin", "customer")
    office.expect({"agent": ["customer"], "customer": ["agent"]}, "called and caller")
    office.told("ParticipantSpeakStart", "agent")


def asking(office):
    """Reading MPCs and participants."""
    mpcs, asks = office.calls, office.asks
    got = asks("get by name", 200, shapes.MPC, lambda: mpcs.get(friendly_name=NAME))
    office.uuid = got.mpc_uuid
    office.checks(
        "a name in the path is echoed", "/name_" in got.resource_uri and "/name_" in got.participants
    )
    by_uuid = asks("get by uuid", 200, shapes.MPC, lambda: mpcs.get(uuid=got.mpc_uuid))
    office.checks("a uuid in the path is echoed", by_uuid.resource_uri.endswith(f"/uuid_{got.mpc_uuid}/"))
    shape = listed(shapes.MPC_IN_LIST)
    mine = [got.mpc_uuid]
    for what, filters, expected in (
        ("nothing", {}, mine),
        ("name", {"friendly_name": NAME}, mine),
        ("another name", {"friendly_name": "other"}, []),
        ("status", {"status": "Active"}, mine),
        ("another status", {"status": "ended"}, []),
        ("creation after", {"creation_time__gt": date(hours=-1)}, mine),
        ("creation before", {"creation_time__lte": date(hours=-1)}, []),
        ("end before", {"end_time__lt": date(hours=1)}, []),
        ("cause", {"termination_cause_code": 3000}, []),
    ):
        found = asks(f"list by {what}", 200, shape, lambda filters=filters: mpcs.list(**filters))
        seen = found is not None and [one.mpc_uuid for one in found.objects]
        office.checks(f"listed by {what}", seen == expected, seen)
    inside = asks("list_participants", 200, listed(shapes.PARTICIPANT_IN_LIST),
                  lambda: mpcs.list_participants(friendly_name=NAME))  # fmt: skip
    roles = [one.role for one in inside.objects]
    office.checks("both are inside, the newest first", roles == ["customer", "agent"], roles)
    customer = inside.objects[0]
    got = asks("get_participant", 200, shapes.PARTICIPANT,
               lambda: mpcs.get_participant(customer.member_id, uuid=office.uuid))  # fmt: skip
    seen = (got.role, got.mute, got.hold, got.coach_mode, got.start_mpc_on_enter)
    office.checks("it is as it came", seen == ("customer", False, False, False, False), seen)
    one = mpcs.list_participants(friendly_name=NAME, call_uuid=customer.call_uuid).objects
    office.checks("by call there is one", [found.member_id for found in one] == [customer.member_id])


def updating(office):
    mpcs, asks, member = office.calls, office.asks, office.member_id("customer")
    both = shapes.updated(mute="mute/unmute", hold="hold/unhold")
    asks("update_participant", 202, both,
         lambda: mpcs.update_participant(member, friendly_name=NAME, mute=True, hold=False))  # fmt: skip
    office.expect({"agent": [], "customer": ["agent"]}, "muted")
    office.told("ParticipantMute", "customer")
    asks("update_participant of all", 202, shapes.updated(mute="mute/unmute"),
         lambda: mpcs.update_participant("all", uuid=office.uuid, mute=False))  # fmt: skip
    office.expect({"agent": ["customer"]}, "nobody muted")


def later(office):
    """With a callback URL the answer comes later."""
    mpcs, member, url = office.calls, office.member_id("customer"), f"{office.app.url}/later"
    for what, status, shape, ask in (
        ("list", 200, listed(shapes.MPC_IN_LIST), lambda: mpcs.list(callback_url=url)),
        (
            "update_participant", 202, shapes.updated(mute="mute/unmute"),
            lambda: mpcs.update_participant(member, uuid=office.uuid, mute=True, callback_url=url),
        ),
        (
            "get_participant", 200, shapes.PARTICIPANT,
            lambda: mpcs.get_participant(member, uuid=office.uuid, callback_url=url, callback_method="POST"),
        ),
    ):  # fmt: skip
        before = len(office.app.on("/later"))
        made = office.asks(f"{what} with a callback URL", 202, shapes.ASYNC, ask)
        came = lambda before=before: len(office.app.on("/later")) > before  # noqa: E731
        if office.checks.eventually(f"the answer to {what} comes to it", came):
            told = office.app.on("/later")[before].params
            expected = {"api_id": made and made.api_id, "status_code": str(status)}
            whole = expected.items() <= told.items() and told.keys() == shape.keys() | expected.keys()
            office.checks(f"what comes is the answer to {what}", whole, told)
    muted = mpcs.get_participant(member, uuid=office.uuid).mute
    office.checks("what was asked for was done", muted is True, muted)
    mpcs.update_participant(member, uuid=office.uuid, mute=False)


def playing(office):
    """Files and texts for members, alone or all; the SDK has no method for texts."""
    mpcs, asks, agent = office.calls, office.asks, office.member_id("agent")
    play = asks("start_play_audio", 202, shapes.PLAYED,
                lambda: mpcs.start_play_audio(agent, friendly_name=NAME, url=office.sound_url))  # fmt: skip
    office.checks("the reply says for whom", play.mpcMemberId == [agent] and play.mpcName == NAME)
    office.plays("agent", "a file for a member", True)
    asks("stop_play_audio", 204, None, lambda: mpcs.stop_play_audio(agent, friendly_name=NAME))
    office.plays("agent", "the member's file stopped", False)
    asks("start_play_audio for all", 202, shapes.PLAYED,
         lambda: mpcs.start_play_audio("all", uuid=office.uuid, url=office.sound_url))  # fmt: skip
    for role in ("agent", "customer"):
        office.plays(role, "a file for all", True)
    asks("stop_play_audio for all", 204, None, lambda: mpcs.stop_play_audio("all", uuid=office.uuid))
    office.plays("customer", "the file for all stopped", False)
    path = ("MultiPartyCall", f"name_{NAME}", "Member", agent, "Speak")
    text = {"text": "one two three " * 9, "voice": "WOMAN", "language": "en-US"}
    request = lambda method, body: office.client.request(method, path, body, is_voice_request=True)  # noqa: E731
    asks("a text for a member", 202, shapes.SPOKEN, lambda: request("POST", text))
    asks("a text for a member stopped", 204, None, lambda: request("DELETE", None))


def recording(office):
    """An MPC's recording and a participant's: their states, and what is told of them."""
    mpcs, asks, member = office.calls, office.asks, office.member_id("agent")
    url = f"{office.app.url}/recorded"
    made = asks(
        "start_recording", 202, shapes.MPC_RECORDED,
        lambda: mpcs.start_recording(friendly_name=NAME, file_format="wav", recording_callback_url=url),
    )  # fmt: skip
    office.recorded_mpc = made and made.recording_id
    office.state("recording", "an MPC that is recorded says so")
    time.sleep(RECORDED_S)
    asks("pause_recording", 204, None, lambda: mpcs.pause_recording(friendly_name=NAME))
    office.state("paused", "an MPC whose recording pauses says so")
    time.sleep(RECORDED_S)
    asks("resume_recording", 204, None, lambda: mpcs.resume_recording(friendly_name=NAME))
    asks("stop_recording", 204, None, lambda: mpcs.stop_recording(friendly_name=NAME))
    office.state("not-recording", "an MPC that is recorded no more says so")
    shape = shapes.MPC_RECORDED | {"message": "MPC: .+ participant record started"}
    made = asks(
        "start_participant_recording", 202, shape,
        lambda: mpcs.start_participant_recording(
            member, friendly_name=NAME, record_track_type="participant", recording_callback_url=url
        ),
    )  # fmt: skip
    for what in ("pause", "resume", "stop"):
        ask = getattr(mpcs, f"{what}_participant_recording")
        asks(f"{what}_participant_recording", 204, None, lambda ask=ask: ask(member, friendly_name=NAME))
    recorded(office, {"MPC": office.recorded_mpc, "participant": made and made.recording_id})


def recorded(office, recordings):
    names = [f"MPCRecording{what}" for what in ("Initiated", "Paused", "Resumed", "Completed")]
    for what, recording_id in recordings.items():

        def told(recording_id=recording_id):
            every = [request.params for request in office.app.on("/recorded")]
            return [params for params in every if params.get("RecordingUUID") == recording_id]

        office.checks.eventually(f"four things are told of the {what}'s recording", lambda: len(told()) == 4)
        events = [params["EventName"] for params in told()]
        office.checks(f"they are told in order of the {what}'s", events == names, events)
        whole = all(params.keys() >= RECORDING_KEYS for params in told())
        office.checks(f"each has every key for the {what}'s", whole and told(), told()[-1:])
        named = [params.get("MemberID", "") for params in told()]
        office.checks(f"the member is named for the {what}'s", all(named) == (what == "participant"), named)


RECORDED_S = 1.0
RECORDING_KEYS = set(
    """
    EventName EventTimestamp SequenceNumber MPCName MPCUUID RecordingUUID RecordingURL RecordingResourceURL
    RecordingFormat RecordingStartTime RecordingEndTime RecordingDuration
    """.split()
)


def racing(office):
    """Two destinations: the one that answers wins, the other is left alone."""
    customer, mark = office.phones["customer"], len(office.phones["customer"].events)
    kicked = office.member_id("customer")
    office.asks(
        "kick_participant", 204, None, lambda: office.calls.kick_participant(kicked, uuid=office.uuid)
    )
    office.checks("the kicked is out", customer.closed(5, mark) is not None)
    mark = len(customer.events)
    ringing = office.ringing.uri.replace("nobody", "rival")
    added = office.asks(
        "add_participant of two", 201, shapes.ADDED,
        lambda: office.calls.add_participant(
            "agent", uuid=office.uuid, from_=FROM, to_=f"{ringing}<{customer.uri}",
            ring_timeout="30<20", delay_dial="0<1", stay_alone=True, dial_music="none",
        ),
    )  # fmt: skip
    uuids = [call.call_uuid for call in added.calls]
    office.checks("each destination has a call", [call.to for call in added.calls] == [ringing, customer.uri])
    office.checks("several calls have a request of their own", added.request_uuid not in uuids)
    office.checks("the second answers", customer.answers(6, mark))
    office.checks("the first is cancelled", office.ringing.request("CANCEL", 5, "rival") is not None)
    office.checks.eventually("two agents are inside", lambda: office.roles() == ["agent", "agent"])
    office.expect({"agent": ["customer"], "customer": ["agent"]}, "the winner talks")
    record = office.record(uuids[0])
    office.checks("the other lost the race", record.hangup_cause_code == 9000, record.hangup_cause_code)
    timing_out(office)
    mark = len(customer.events)
    member = office.calls.list_participants(uuid=office.uuid, call_uuid=uuids[1]).objects[0].member_id
    office.calls.kick_participant(member, uuid=office.uuid)
    office.checks("a kicked leg of the API's is hung up", customer.closed(5, mark) is not None)
    record = office.record(uuids[1])
    office.checks("because it was kicked", record.hangup_cause_code == 4030, record.hangup_cause_code)


def timing_out(office):
    added = office.calls.add_participant(
        "agent",
        uuid=office.uuid,
        from_=FROM,
        to_=office.ringing.uri.replace("nobody", "late"),
        ring_timeout=1,
    )
    office.checks("who rings too long is cancelled", office.ringing.request("CANCEL", 5, "late") is not None)
    record = office.record(added.request_uuid)
    office.checks("because of the time", record.hangup_cause_code == 6010, record.hangup_cause_code)


def confirming(office):
    """Who answers has to press a key before it is let in."""
    customer, mark = office.phones["customer"], len(office.phones["customer"].events)
    sound_url = office.page(
        "/confirm",
        plivoxml.ResponseElement().add(plivoxml.PlayElement(office.sound_url)).to_string().encode(),
    )
    office.calls.add_participant(
        "customer", uuid=office.uuid, from_=FROM, to_=customer.uri, confirm_key="5",
        confirm_key_sound_url=sound_url, stay_alone=True,
    )  # fmt: skip
    office.checks("who must confirm answers", customer.answers(5, mark))
    office.plays("customer", "the sound before the key", True)
    office.checks("nobody is let in without the key", office.roles() == ["agent"], office.roles())
    customer.digit("5")
    office.checks.eventually("the key lets it in", lambda: office.roles() == ["agent", "customer"])
    office.expect({"agent": ["customer"], "customer": ["agent"]}, "who confirmed talks")
    customer.hang_up()
    office.checks.eventually("it is out", lambda: office.roles() == ["agent"])


def moving(office):
    """A call that is up is moved by its uuid."""
    customer, mark = office.phones["customer"], len(office.phones["customer"].events)
    office.app.answer(
        "customer", plivoxml.ResponseElement().add(plivoxml.WaitElement(length=60, silence=True))
    )
    call = office.client.calls.create(FROM, customer.uri, office.answer_url).request_uuid
    office.checks("a call of its own is answered", customer.answers(5, mark))
    office.checks.eventually(
        "its document runs", lambda: office.app.on("/answer")[-1].params["CallUUID"] == call
    )
    added = office.asks(
        "add_participant of a live call", 201, shapes.ADDED,
        lambda: office.calls.add_participant("Customer", uuid=office.uuid, call_uuid=call, stay_alone=True),
    )  # fmt: skip
    office.checks("the reply names the call", [one.call_uuid for one in added.calls] == [call])
    office.checks.eventually("it is inside", lambda: office.roles() == ["agent", "customer"])
    office.expect({"agent": ["customer"], "customer": ["agent"]}, "the moved call talks")


def ending(office):
    mark = {role: len(office.phones[role].events) for role in ("agent", "customer")}
    office.asks("stop", 204, None, lambda: office.calls.stop(uuid=office.uuid))
    for role, since in mark.items():
        office.checks(f"the {role} is hung up", office.phones[role].closed(5, since) is not None)
    end = office.told("MPCEnd")
    office.checks("its end says why", end and end["MPCTerminationCauseCode"] == "3000")
    got = office.asks("get of one that ended", 200, shapes.MPC, lambda: office.calls.get(uuid=office.uuid))
    seen = (got.status, got.termination_cause_code, got.termination_cause, got.recording)
    office.checks("it is Ended", seen == ("Ended", 3000, "Hangup API Triggered", None), seen)
    shape = listed(shapes.MPC_IN_LIST)
    found = office.asks("list by cause", 200, shape, lambda: office.calls.list(termination_cause_code=3000))
    office.checks("it is found by its cause", [one.mpc_uuid for one in found.objects] == [office.uuid])
    found = office.calls.list(end_time__gt=date(hours=-1), status="ended")
    office.checks("it is found by its end", [one.mpc_uuid for one in found.objects] == [office.uuid])
    left = office.asks("list_participants of one that ended", 200, listed(shapes.PARTICIPANT_IN_LIST),
                       lambda: office.calls.list_participants(uuid=office.uuid))  # fmt: skip
    causes = {one.exit_cause for one in left.objects}
    office.checks(
        "everybody left", all(one.exit_time for one in left.objects) and len(left.objects) == 5, causes
    )
    causes_wanted = {"Multiparty Call Ended", "Kicked Out of Multiparty Call", "Participant Call Hangup"}
    office.checks("each for its cause", causes == causes_wanted, causes)
    billed(office, got, left.objects)
    nulls = [(one.mute, one.hold, one.coach_mode) for one in left.objects]
    office.checks("who left is neither muted nor held nor coaching", set(nulls) == {(None, None, None)})
    keys = {frozenset(params) for params in office.app.callbacks(NAME)}
    office.checks("every callback has every key", all(names >= CALLBACK_KEYS for names in keys))


def billed(office, mpc, participants):
    """Each participant's time in whole minutes, and their sum."""
    minutes = [-(-one.duration // 60) for one in participants]
    seen = [(one.billed_duration, one.billed_amount) for one in participants]
    expected = [(60 * count, f"{0.005 * count:.5f}") for count in minutes]
    office.checks("participants are billed by the minute begun", seen == expected, seen)
    seen = (mpc.billed_duration, mpc.billed_amount)
    office.checks(
        "the MPC is billed their sum", seen == (60 * sum(minutes), f"{0.005 * sum(minutes):.5f}"), seen
    )


CALLBACK_KEYS = set(
    """
    EventName EventTimestamp SequenceNumber MPCUUID MPCName MPCCreationTime MPCStartTime MPCEndTime
    MPCDuration MPCBilledDuration MPCBilledAmount MPCTerminationCause MPCTerminationCauseCode MemberID
    MemberAddress ParticipantRole ParticipantCallUUID ParticipantCallFrom ParticipantCallTo
    ParticipantCallDirection ParticipantCoachMode ParticipantJoinTime ParticipantExitTime
    ParticipantExitCause DigitInput STIRVerification
    """.split()
)


def starting(office):
    """A second MPC of the name waits until it is started by request."""
    office.offer("customer", "Customer", stay_alone=True, start_mpc_on_enter=False)
    customer = office.phones["customer"]
    office.checks("the customer calls anew", customer.call(office.service.sip("customer")))
    office.checks.eventually("it waits", lambda: office.roles() == ["customer"])
    got = office.calls.get(friendly_name=NAME)
    office.checks(
        "it is another MPC, not begun", (got.mpc_uuid != office.uuid, got.status) == (True, "Initialized")
    )
    office.asks("start", 204, None, lambda: office.calls.start(friendly_name=NAME))
    office.checks("it is begun", office.calls.get(friendly_name=NAME).status == "Active")
    paged(office, "MPCs", office.calls.list)
    customer.hang_up()


STEPS = [
    python_calls.applications, python_calls.endpoints, python_calls.accounts, python_calls.placing,
    python_calls.live, python_calls.queueing, python_calls.records, inviting, asking, updating, later,
    playing, recording, racing, confirming, moving, ending, starting, python_calls.recordings,
]  # fmt: skip
