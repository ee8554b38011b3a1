"""What stands beside MPCs in the Python SDK: calls, applications, endpoints, accounts, recordings."""

import time

import plivo.utils
from plivo import plivoxml
from plivo.exceptions import ForbiddenError, ResourceNotFoundError

import sdk
import shapes
import sound
import streams
from callee import header
from conference import NAME
from office import DIALS_PER_S, FROM, date, gone, paged
from service import AUTH_TOKEN
from shapes import listed, said

# The call's under both names that the SDK has, the MPC's and the participant's.
RECORDINGS = 4


def applications(office):
    asks, applications = office.asks, office.client.applications
    made = asks(
        "applications.create", 201, shapes.APPLICATION_CREATED,
        lambda: applications.create(
            "desk", answer_url=office.answer_url, hangup_url=f"{office.app.url}/hangup"
        ),
    )  # fmt: skip
    app_id = made.app_id
    got = asks("applications.get", 200, shapes.APPLICATION, lambda: applications.get(app_id))
    office.checks("it is as it was made", (got.app_name, got.answer_url) == ("desk", office.answer_url))
    update = lambda: applications.update(app_id, answer_url=office.answer_url, answer_method="GET")  # noqa: E731
    asks("applications.update", 202, shapes.CHANGED, update)
    office.checks("it is changed", applications.get(app_id).answer_method == "GET")
    applications.create("spare")
    shape = listed(shapes.APPLICATION_IN_LIST)
    all_of_them = asks("applications.list", 200, shape, applications.list)
    office.checks("both are listed", [one.app_name for one in all_of_them.objects] == ["spare", "desk"])
    named = asks("applications.list by name", 200, shape, lambda: applications.list(app_name="desk"))
    office.checks("one has the name", [one.app_id for one in named.objects] == [app_id])
    paged(office, "applications", applications.list)
    asks("applications.delete", 204, None, lambda: applications.delete(app_id, cascade=True))
    gone(office, "the application", lambda: applications.get(app_id))


def endpoints(office):
    asks, endpoints = office.asks, office.client.endpoints
    made = asks(
        "endpoints.create", 201, shapes.ENDPOINT_CREATED, lambda: endpoints.create("zumba", "secret", "Zumba")
    )
    endpoints.create("samba", "secret", "Samba")
    got = asks("endpoints.get", 200, shapes.ENDPOINT, lambda: endpoints.get(made.endpoint_id))
    office.checks("it is registered nowhere", got.sip_registered == "false")
    asks("endpoints.list", 200, listed(shapes.ENDPOINT_IN_LIST), endpoints.list)
    paged(office, "endpoints", endpoints.list)
    update = lambda: endpoints.update(made.endpoint_id, alias="Rumba")  # noqa: E731
    asks("endpoints.update", 202, shapes.CHANGED, update)
    office.checks("it is changed", endpoints.get(made.endpoint_id).alias == "Rumba")
    asks("endpoints.delete", 204, None, lambda: endpoints.delete(made.endpoint_id))
    gone(office, "the endpoint", lambda: endpoints.get(made.endpoint_id))


def accounts(office):
    asks, client = office.asks, office.client
    asks("account.get", 200, shapes.ACCOUNT, client.account.get)
    asks("account.update", 202, shapes.CHANGED, lambda: client.account.update(name="Desk", city="Ulm"))
    office.checks("it is changed", (client.account.get().name, client.account.get().city) == ("Desk", "Ulm"))
    created = shapes.SUBACCOUNT_CREATED
    made = asks("subaccounts.create", 201, created, lambda: client.subaccounts.create("team", True))
    got = asks("subaccounts.get", 200, shapes.SUBACCOUNT_OBJECT, lambda: client.subaccounts.get(made.auth_id))
    office.checks("it is enabled", got.enabled is True)
    client.subaccounts.create("other", True)
    asks("subaccounts.list", 200, listed(shapes.SUBACCOUNT_IN_LIST), client.subaccounts.list)
    paged(office, "subaccounts", client.subaccounts.list)
    update = lambda: client.subaccounts.update(made.auth_id, "crew", True)  # noqa: E731
    asks("subaccounts.update", 202, shapes.CHANGED, update)
    isolated(office, made)
    asks("subaccounts.delete", 204, None, lambda: client.subaccounts.delete(made.auth_id, cascade=True))
    gone(office, "the subaccount", lambda: client.subaccounts.get(made.auth_id))


def isolated(office, made):
    """A subaccount has its own credentials, and sees nothing but its own."""
    team = sdk.client_of(office.service, made.auth_id, made.auth_token)
    office.client.applications.create("of the main account")
    office.checks("a subaccount sees none of the main account's", not team.applications.list().objects)
    mine = team.applications.create("of the team")
    office.checks("and its own", [one.app_id for one in team.applications.list().objects] == [mine.app_id])
    listed_by_main = office.client.applications.list(subaccount=made.auth_id).objects
    office.checks(
        "the main account sees what it has", [one.app_id for one in listed_by_main] == [mine.app_id]
    )
    try:
        team.subaccounts.get(made.auth_id)
        office.checks("a subaccount manages no subaccounts", False)
    except (ForbiddenError, ResourceNotFoundError) as error:
        office.checks("a subaccount manages no subaccounts", True, error)
    told_of_its_call(office, team, made)


def told_of_its_call(office, team, made):
    """A subaccount's call is its own, and what is told of it is signed with both accounts' tokens."""
    url = f"{office.app.url}/team"
    fired = team.calls.create(
        FROM, office.busy.uri.replace("busy", "team"), office.answer_url, hangup_url=url
    )
    if office.checks.eventually("the end of a subaccount's call is told", lambda: office.app.on("/team")):
        told = office.app.on("/team")[0]
        for whose, header_name, token in (
            ("its own", "X-Plivo-Signature-V3", made.auth_token),
            ("the main account's", "X-Plivo-Signature-Ma-V3", AUTH_TOKEN),
        ):
            nonce, signature = told.headers["X-Plivo-Signature-V3-Nonce"], told.headers[header_name]
            signed = plivo.utils.validate_v3_signature("POST", url, nonce, token, signature, told.params)
            office.checks(f"it is signed with {whose} token", signed, signature)
    mine = [one["call_uuid"] for one in team.calls.list().objects]
    office.checks("the subaccount lists its call", mine == [fired.request_uuid], mine)
    found = [one["call_uuid"] for one in office.client.calls.list(subaccount=made.auth_id).objects]
    office.checks("the main account finds it by the subaccount", found == mine, found)


def placing(office):
    """A call to a phone, one that is refused, and one that is cancelled."""
    calls, asks, agent = office.client.calls, office.asks, office.phones["agent"]
    office.app.answer("agent", plivoxml.ResponseElement().add(plivoxml.WaitElement(length=120, silence=True)))
    fired = asks(
        "calls.create", 201, shapes.CALL_FIRED,
        lambda: calls.create(
            FROM, agent.uri, office.answer_url, answer_method="GET",
            ring_url=f"{office.app.url}/ring", hangup_url=f"{office.app.url}/hangup",
        ),
    )  # fmt: skip
    office.call = fired.request_uuid
    office.checks("the phone is called and answers", agent.answers(5))
    told = office.checks.eventually("the answer URL is asked", lambda: office.app.on("/answer"))
    params = told and office.app.on("/answer")[-1].params
    expected = {"CallUUID": office.call, "Direction": "outbound", "From": FROM, "Event": "StartApp"}
    office.checks("it is told of an outbound call", told and expected.items() <= params.items(), params)
    office.checks.eventually("the ring URL is told", lambda: office.app.on("/ring"))

    busy = asks(
        "calls.create to a busy one", 201, shapes.CALL_FIRED,
        lambda: calls.create(
            FROM, office.busy.uri, office.answer_url, caller_name="Acme", sip_headers="Trace=abc"
        ),
    ).request_uuid  # fmt: skip
    invite = office.busy.request("INVITE", user="busy") or ""
    seen = (header(invite, "From").split(";")[0], header(invite, "X-PH-Trace"))
    office.checks(
        "the caller's name and number are sent", "Acme" in seen[0] and f"sip:{FROM}@" in seen[0], seen
    )
    office.checks("its headers are sent", seen[1] == "abc", seen)
    record = office.record(busy)
    office.checks("a busy one is Busy Line", record.hangup_cause_code == 3010, record.hangup_cause_code)

    waits = asks(
        "calls.create to one who rings", 201, shapes.CALL_FIRED, office.fire(office.ringing.uri)
    ).request_uuid
    office.checks("it rings there", office.ringing.request("INVITE") is not None)
    asks("calls.cancel", 204, None, lambda: calls.cancel(waits))
    office.checks("the ringing stops", office.ringing.request("CANCEL") is not None)
    record = office.record(waits)
    office.checks("a cancelled one is Canceled", record.hangup_cause_code == 1000, record.hangup_cause_code)


def live(office):
    """What can be done with a call that is up."""
    calls, asks, agent, call = office.client.calls, office.asks, office.phones["agent"], office.call
    ids = asks("live_calls.list_ids", 200, shapes.CALL_IDS, office.client.live_calls.list_ids)
    office.checks("the call is live", ids.calls == [call], ids.calls)
    got = asks("live_calls.get", 200, shapes.LIVE_CALL, lambda: office.client.live_calls.get(call))
    seen = (got.call_status, got.direction, got["from"], got.call_uuid)
    office.checks("it is as it was made", seen == ("in-progress", "outbound", FROM, call), seen)
    asks("calls.play", 202, said("play started"), lambda: calls.play(call, office.sound_url))
    office.plays("agent", "a file for a call", True)
    asks("calls.play_stop", 204, None, lambda: calls.play_stop(call))
    office.plays("agent", "the file stopped", False)
    asks(
        "calls.speak", 202, said("speak started"), lambda: calls.speak(call, "one two three " * 20, loop=True)
    )
    level = sound.level(agent.listen(1.5))
    office.checks("a text for a call is heard", level > -45, f"{level:.0f} dBFS")
    asks("calls.speak_stop", 204, None, lambda: calls.speak_stop(call))
    level = sound.level(agent.listen(1))
    office.checks("the text stopped is heard no more", level < -60, f"{level:.0f} dBFS")
    asks("calls.send_digits", 202, said("digits sent"), lambda: calls.send_digits(call, "7", "aleg"))
    office.checks("the digit comes to the phone", agent.pressed("7", 3))
    made = asks("calls.record", 202, shapes.CALL_RECORDED, lambda: calls.record(call, file_format="wav"))
    time.sleep(1)
    asks("calls.record_stop", 204, None, lambda: calls.record_stop(call))
    office.recorded_call = made and made.recording_id
    streaming(office)
    synonyms(office)
    transferring(office)


def streaming(office):
    """A stream begun and ended by request."""
    calls, asks, call = office.client.calls, office.asks, office.call
    listener = streams.Listener(office.stage.ports.one())
    try:
        for known, (name, ids) in enumerate((("delete_specific_stream", True), ("delete_all_streams", False))):
            made = asks(
                "calls.start_stream", 202, shapes.STREAMED,
                lambda: calls.start_stream(
                    call, listener.url, audio_track="both", content_type="audio/x-l16;rate=16000",
                    extra_headers="k=v",
                ),
            )  # fmt: skip
            talk = listener.next(known)
            office.checks("it is the stream", talk.messages[0]["start"]["streamId"] == made.stream_id)
            one = asks(
                "calls.get_details_of_specific_stream", 200, shapes.STREAM,
                lambda made=made: calls.get_details_of_specific_stream(call, made.stream_id),
            )  # fmt: skip
            office.checks("it says where it goes", one.service_url == listener.url, one.service_url)
            of = (made.stream_id,) if ids else ()
            asks(f"calls.{name}", 204, None, lambda name=name, of=of: getattr(calls, name)(call, *of))
        shape = listed(shapes.STREAM_IN_LIST)
        every = asks("calls.get_all_streams", 200, shape, lambda: calls.get_all_streams(call))
        seen = [one["status"] for one in every.objects]
        office.checks("the streams that were are listed", seen == ["stopped", "stopped"], seen)
    finally:
        listener.stop()


def synonyms(office):
    """The second names that the SDK has for some of these."""
    calls, call = office.client.calls, office.call
    for name, status, arguments in (
        ("start_playing", 202, (office.sound_url,)),
        ("stop_playing", 204, ()),
        ("start_speaking", 202, ("One, two, three.",)),
        ("stop_speaking", 204, ()),
        ("start_recording", 202, ()),
        ("stop_recording", 204, (None, None)),
        ("live_call_get", 200, ()),
    ):
        ask = getattr(calls, name)
        office.asks(f"calls.{name}", status, None, lambda ask=ask, rest=arguments: ask(call, *rest))
    for name in ("live_call_list_ids", "queued_call_list_ids"):
        office.asks(f"calls.{name}", 200, shapes.CALL_IDS, getattr(calls, name))


def transferring(office):
    calls, asks, agent, call = office.client.calls, office.asks, office.phones["agent"], office.call
    speech = plivoxml.SpeakElement("You were transferred, and this goes on for a while.", loop=0)
    office.app.answer("exit-agent", plivoxml.ResponseElement().add(speech))
    url = f"{office.app.url}/exit"
    for name in ("update", "transfer"):
        transfer = getattr(calls, name)
        asks(
            f"calls.{name}", 202, said("call transfered"),
            lambda transfer=transfer: transfer(call, legs="aleg", aleg_url=url, aleg_method="POST"),
        )  # fmt: skip
    office.checks.eventually("the new document is asked for", lambda: office.app.on("/exit"))
    level = sound.level(agent.listen(1.5))
    office.checks("the transferred call hears it", level > -45, f"{level:.0f} dBFS")
    mark = len(agent.events)
    asks("calls.hangup", 204, None, lambda: calls.hangup(call))
    office.checks("the phone is hung up", agent.closed(5, mark) is not None)
    record = office.record(call)
    seen = (record.hangup_source, record.from_number, record.call_direction)
    office.checks("its record says who did", seen == ("API Request", FROM, "outbound"), seen)
    told = office.checks.eventually("the hangup URL is told", lambda: office.app.on("/hangup"))
    params = told and office.app.on("/hangup")[-1].params
    wanted = {"CallUUID": call, "CallStatus": "completed", "Event": "Hangup"}
    office.checks("it is told how it ended", told and wanted.items() <= params.items(), params)


def queueing(office):
    """Calls beyond those of a second wait in a queue, where they can be cancelled."""
    calls, queued, asks = office.client.calls, office.client.queued_calls, office.asks
    names = [f"queued{number}" for number in range(3 * DIALS_PER_S)]
    several = "<".join(office.ringing.uri.replace("nobody", name) for name in names)
    fired = asks("calls.create to several", 201, shapes.CALLS_FIRED, office.fire(several))
    ids = asks("queued_calls.list_ids", 200, shapes.CALL_IDS, queued.list_ids)
    office.checks("some are queued", 0 < len(ids.calls) <= len(names), len(ids.calls))
    got = asks("queued_calls.get", 200, shapes.LIVE_CALL, lambda: calls.queued_call_get(ids.calls[0]))
    office.checks("it says so", got and got.call_status == "queued")
    for one in fired.request_uuid:
        asks("calls.cancel of one of several", 204, None, lambda one=one: calls.cancel(one))
    office.checks.eventually("none is left", lambda: not queued.list_ids().calls)
    office.checks("the last was never dialled", office.ringing.request("INVITE", 1, names[-1]) is None)
    office.checks("the first was", office.ringing.request("INVITE", 0, names[0]) is not None)


def records(office):
    calls, asks = office.client.calls, office.asks
    shape = listed(shapes.CALL_IN_LIST)
    every = asks("calls.list", 200, shape, calls.list)
    office.checks("the calls are listed", len(every.objects) >= 3, len(every.objects))
    for what, filters, expected in (
        ("direction", {"call_direction": "inbound"}, lambda found: not found),
        ("number called from", {"from_number": FROM}, lambda found: len(found) >= 3),
        ("number called", {"to_number": office.busy.uri}, lambda found: len(found) == 1),
        ("cause", {"hangup_cause_code": 3010}, lambda found: len(found) >= 1),
        ("source", {"hangup_source": "API Request"}, lambda found: len(found) >= 1),
        ("end in the future", {"end_time__gt": date(days=1)}, lambda found: not found),
        ("end in the past", {"end_time__lt": date(days=1)}, lambda found: len(found) >= 3),
    ):
        found = asks(f"calls.list by {what}", 200, shape, lambda filters=filters: calls.list(**filters))
        seen = found is not None and [one["hangup_cause_code"] for one in found.objects]
        office.checks(f"calls by {what} are those", found is not None and expected(found.objects), seen)
    paged(office, "calls", calls.list)


def recordings(office):
    resource, asks = office.client.recordings, office.asks
    shape = listed(shapes.RECORDING_IN_LIST)
    found = asks("recordings.list", 200, shape, resource.list)
    ids = {one.recording_id for one in found.objects}
    wanted = {office.recorded_call, office.recorded_mpc}
    office.checks("what was recorded is listed", wanted <= ids and len(ids) == RECORDINGS, ids)
    for what, filters, count in (
        ("MPC", {"mpc_name": NAME}, 2),
        ("call", {"call_uuid": office.call}, 2),
        ("time", {"add_time__gt": date(hours=1)}, 0),
    ):
        some = asks(
            f"recordings.list by {what}", 200, shape, lambda filters=filters: resource.list(**filters)
        )
        office.checks(f"of that {what} there are {count}", some is not None and len(some.objects) == count)
    paged(office, "recordings", resource.list)
    one = office.recorded_mpc
    got = asks("recordings.get", 200, shapes.RECORDING, lambda: resource.get(one))
    seen = (got.recording_format, got.recording_type, got.conference_name)
    office.checks("it is as it was asked for", seen == ("wav", "conference", NAME), seen)
    asks("recordings.delete", 204, None, lambda: resource.delete(one))
    gone(office, "the recording", lambda: resource.get(one))
