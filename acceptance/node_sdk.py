"""Every method of the Node SDK, through the vendor's host name and TLS."""

import subprocess

from plivo import plivoxml

import shapes
import streams
from conference import NAME
from node_client import Node, Refused
from office import FROM, Office
from recordings import is_there
from shapes import listed, said
from tunnel import Tunnel

RESOURCES = ["multiPartyCalls", "calls", "applications", "endpoints", "recordings", "accounts", "subaccounts"]
BY_NAME = {"friendlyName": NAME}


class NodeOffice(Office):
    """An office asked by the Node SDK, which only knows the vendor's host."""

    def __init__(self, stage):
        certificates, tls_port = stage.folder / "tls", stage.ports.one()
        subprocess.run([stage.program, "cert", "--dir", certificates], check=True, stdout=subprocess.DEVNULL)
        http = f"""\
tls_listen = "127.0.0.1:{tls_port}"
tls_certificate = "{certificates}/server.pem"
tls_key = "{certificates}/server-key.pem"
"""
        super().__init__(stage, "node-sdk", http=http)
        self.tunnel = Tunnel(stage.ports.one(), tls_port)
        self.node = Node(stage.folder, self.tunnel.url, certificates / "ca.pem")
        self.answer_url += ".xml"
        self.used = set()

    def ask(self, status, shape, method, *arguments):
        """Checks the reply to a call of `method`: its status, and each key of its
        body; 204 has none. Gives what the SDK makes of it, None when it refuses."""
        self.used.add(method)
        answer = self.node.ask("call", method, arguments)
        reply = answer["reply"] or {"status": None, "body": answer.get("error")}
        seen = f"{reply['status']} {str(reply['body'])[:200]}"
        self.checks(f"{method} is answered {status}", reply["status"] == status, seen)
        if reply["status"] == status:
            self.checks(f"{method} is taken by the SDK", "error" not in answer, answer.get("error", ""))
            different = shapes.wrong(shape, reply["body"]) if shape else ""
            self.checks(f"{method} has the documented reply", not different, different)
        value = answer.get("value")
        if isinstance(value, list) and "meta" in answer:
            self.checks(f"{method} has its page", answer["meta"]["totalCount"] >= len(value), answer["meta"])
        return value

    def stop(self):
        self.node.stop()
        self.tunnel.stop()
        super().stop()


def run(stage):
    office = NodeOffice(stage).start()
    try:
        for role in ("agent", "customer"):
            office.phone(role)
        for step in STEPS:
            with office.checks.part(f"node_sdk {step.__name__}"):
                step(office)
        left = set(office.node.value("methods", RESOURCES)) - office.used
        office.checks("every method of the SDK is used", not left, " ".join(sorted(left)))
        hosts = set(office.tunnel.asked)
        office.checks("only the vendor's host was asked for", hosts == {"api.plivo.com:443"}, hosts)
    finally:
        office.stop()


def applications(office):
    ask = office.ask
    made = ask(
        201, shapes.APPLICATION_CREATED, "applications.create", "desk", {"answerUrl": office.answer_url}
    )
    app_id = made["appId"]
    got = ask(200, shapes.APPLICATION, "applications.get", app_id)
    office.checks(
        "it is as it was made", (got["appName"], got["answerUrl"]) == ("desk", office.answer_url), got
    )
    ask(202, shapes.CHANGED, "applications.update", app_id, {"answerMethod": "GET"})
    office.checks("it is changed", office.node.call("applications.get", app_id)["answerMethod"] == "GET")
    found = ask(200, listed(shapes.APPLICATION_IN_LIST), "applications.list", {"limit": 5})
    office.checks("it is listed", [one["appId"] for one in found] == [app_id])
    ask(204, None, "applications.delete", app_id)
    refused(office, "404", "applications.get", app_id)


def refused(office, status, method, *arguments):
    answer = office.node.ask("call", method, arguments)
    seen = (answer.get("error"), answer["reply"])
    office.checks(
        f"{method} is refused", str(answer["reply"]["status"]) == status and "error" in answer, seen
    )
    different = shapes.wrong(shapes.ERROR, answer["reply"]["body"])
    office.checks(f"{method} says why", not different, different)


def endpoints(office):
    ask = office.ask
    made = ask(201, shapes.ENDPOINT_CREATED, "endpoints.create", "zumba", "secret", "Zumba")
    endpoint_id = made["endpointId"]
    got = ask(200, shapes.ENDPOINT, "endpoints.get", endpoint_id)
    office.checks("it is as it was made", (got["alias"], got["username"]) == ("Zumba", made["username"]))
    ask(200, listed(shapes.ENDPOINT_IN_LIST), "endpoints.list", {})
    ask(202, shapes.CHANGED, "endpoints.update", endpoint_id, {"alias": "Rumba"})
    office.checks("it is changed", office.node.call("endpoints.get", endpoint_id)["alias"] == "Rumba")
    ask(204, None, "endpoints.delete", endpoint_id)
    refused(office, "404", "endpoints.get", endpoint_id)


def accounts(office):
    ask = office.ask
    ask(200, shapes.ACCOUNT, "accounts.get")
    ask(
        202, shapes.CHANGED, "accounts.update", {"name": "Desk", "city": "Ulm", "address": "1 Minster Square"}
    )
    made = ask(201, shapes.SUBACCOUNT_CREATED, "subaccounts.create", "team", True)
    got = ask(200, shapes.SUBACCOUNT_OBJECT, "subaccounts.get", made["authId"])
    office.checks("it is as it was made", (got["name"], got["enabled"]) == ("team", True))
    ask(200, listed(shapes.SUBACCOUNT_IN_LIST), "subaccounts.list", {})
    ask(202, shapes.CHANGED, "subaccounts.update", made["authId"], "crew", True)
    ask(204, None, "subaccounts.delete", made["authId"], True)
    refused(office, "404", "subaccounts.get", made["authId"])


def calls(office):
    """A call, what is done with it while it is up, and its record."""
    ask, agent = office.ask, office.phones["agent"]
    office.app.answer("agent", office.node.document(("Wait", None, {"length": 120, "silence": True})))
    call = ask(201, shapes.CALL_FIRED, "calls.create", FROM, agent.uri, office.answer_url)["requestUuid"]
    office.call = call
    office.checks("the phone is called and answers", agent.answers(5))
    office.checks.eventually("its document is asked for", lambda: office.app.on("/answer"))
    found = ask(200, shapes.CALL_IDS, "calls.listLiveCalls", {})
    office.checks("the call is live", len(found) == 1)
    got = ask(200, shapes.LIVE_CALL, "calls.getLiveCall", call)
    office.checks("it is in progress", got["callStatus"] == "in-progress", got["callStatus"])
    ask(202, said("play started"), "calls.playMusic", call, office.sound_url)
    office.plays("agent", "a file for a call", True)
    ask(204, None, "calls.stopPlayingMusic", call)
    ask(202, said("speak started"), "calls.speakText", call, "one two three " * 20, {"loop": True})
    ask(204, None, "calls.stopSpeakingText", call)
    ask(202, said("digits sent"), "calls.sendDigits", call, "7", {"leg": "aleg"})
    office.checks("the digit comes to the phone", agent.pressed("7", 3))
    ask(202, shapes.CALL_RECORDED, "calls.record", call, {"fileFormat": "wav"})
    ask(204, None, "calls.stopRecording", call)
    streaming(office)
    transfer = {"legs": "aleg", "alegUrl": f"{office.app.url}/exit.xml", "alegMethod": "POST"}
    office.app.answer("exit-agent", office.node.document(("Wait", None, {"length": 60})))
    ask(202, said("call transfered"), "calls.transfer", call, transfer)
    office.checks.eventually("the new document is asked for", lambda: office.app.on("/exit"))
    mark = len(agent.events)
    ask(204, None, "calls.hangup", call)
    office.checks("the phone is hung up", agent.closed(5, mark) is not None)
    waits = ask(201, shapes.CALL_FIRED, "calls.create", FROM, office.ringing.uri, office.answer_url)
    office.checks("another one rings", office.ringing.request("INVITE") is not None)
    ask(204, None, "calls.cancel", waits["requestUuid"])
    office.checks("the ringing stops", office.ringing.request("CANCEL") is not None)
    records(office)
    queueing(office)


def streaming(office):
    """Streams begun and ended by request."""
    ask, call, listener = office.ask, office.call, streams.Listener(office.stage.ports.one())
    wanted = {"audioTrack": "both", "contentType": "audio/x-l16;rate=16000", "extraHeaders": "k=v"}
    try:
        for known, (method, ids) in enumerate((("calls.stopStream", True), ("calls.stopAllStream", False))):
            made = ask(202, shapes.STREAMED, "calls.stream", call, listener.url, wanted)
            start = listener.next(known).messages[0]
            seen = (start["start"]["streamId"], start["extra_headers"])
            office.checks("it is the stream", seen == (made["streamId"], "k=v"), seen)
            one = ask(200, shapes.STREAM, "calls.getStream", call, made["streamId"])
            office.checks("it says where it goes", one["serviceUrl"] == listener.url, one)
            ask(204, None, method, call, *([made["streamId"]] if ids else []))
        ask(200, listed(shapes.STREAM_IN_LIST), "calls.getAllStream", call)
        every = office.node.ask("call", "calls.getAllStream", [call])["reply"]["body"]["objects"]
        seen = [one["status"] for one in every]
        office.checks("the streams that were are listed", seen == ["stopped", "stopped"], seen)
    finally:
        listener.stop()


def records(office):
    office.checks.eventually("its record has an end", lambda: office.client.calls.get(office.call).end_time)
    got = office.ask(200, shapes.CALL, "calls.get", office.call)
    office.checks("the record says who hung up", got["hangupSource"] == "API Request", got)
    shape = listed(shapes.CALL_IN_LIST)
    office.checks("both are listed", len(office.ask(200, shape, "calls.list", {"limit": 5})) == 2)
    found = office.ask(
        200, shape, "calls.list", {"hangupSource": "API Request", "toNumber": office.phones["agent"].uri}
    )
    office.checks("one has that source and number", [one["callUuid"] for one in found] == [office.call])


def queueing(office):
    """Of several calls at once, some wait in a queue."""
    several = "<".join(office.ringing.uri.replace("nobody", f"queued{number}") for number in range(6))
    fired = office.ask(201, shapes.CALLS_FIRED, "calls.create", FROM, several, office.answer_url)
    office.ask(200, shapes.CALL_IDS, "calls.listQueuedCalls")
    waiting = office.node.ask("call", "calls.listQueuedCalls", [])["reply"]["body"]["calls"]
    got = office.ask(200, shapes.LIVE_CALL, "calls.getQueuedCall", waiting[0])
    office.checks("one of them says so", got and got["callStatus"] == "queued", got)
    for one in fired["requestUuid"]:
        office.ask(204, None, "calls.cancel", one)


def joining(office):
    """The API dials an agent, and a customer calls in with a Node document."""
    agent, mark = office.phones["agent"], len(office.phones["agent"].events)
    added = office.ask(
        201, shapes.ADDED, "multiPartyCalls.addParticipant", "Agent",
        {**BY_NAME, "from": FROM, "to": agent.uri, "stayAlone": True,
         "statusCallbackUrl": f"{office.events_url}.xml", "statusCallbackMethod": "POST"},
    )  # fmt: skip
    office.checks("one call has the request's uuid", added["requestUuid"] == added["calls"][0]["callUuid"])
    office.checks("the agent is called and answers", agent.answers(5, mark))
    place = ("MultiPartyCall", NAME, {"role": "Customer", "stayAlone": True})
    office.app.answer("customer", office.node.document(place))
    office.checks("the customer is in", office.phones["customer"].call(office.service.sip("customer")))
    office.told("ParticipantJoin", "customer")
    office.expect({"agent": ["customer"], "customer": ["agent"]}, "called and caller")


def reading(office):
    ask = office.ask
    got = ask(200, shapes.MPC, "multiPartyCalls.get", BY_NAME)
    office.uuid = {"uuid": got["mpcUuid"]}
    office.checks("it is Active", (got["status"], got["friendlyName"]) == ("Active", NAME))
    ask(200, shapes.MPC, "multiPartyCalls.get", office.uuid)
    shape = listed(shapes.MPC_IN_LIST)
    for filters, count in (
        ({}, 1),
        ({**BY_NAME, "status": "active", "limit": 5, "offset": 0}, 1),
        ({"creationTime__gt": "2020-01-01 00:00"}, 1),
        ({"creationTime__lt": "2020-01-01 00:00"}, 0),
        ({"endTime__gt": "2020-01-01 00:00"}, 0),
        ({"terminationCauseCode": 3000}, 0),
    ):
        found = ask(200, shape, "multiPartyCalls.list", filters)
        office.checks(f"by {filters} there are {count}", found is not None and len(found) == count, found)
    shape = listed(shapes.PARTICIPANT_IN_LIST)
    inside = ask(200, shape, "multiPartyCalls.listParticipants", BY_NAME)["objects"]
    office.checks("both are inside", [one["role"] for one in inside] == ["customer", "agent"], inside)
    office.customer, office.agent = (one["memberId"] for one in inside)
    got = ask(200, shapes.PARTICIPANT, "multiPartyCalls.getParticipant", office.agent, office.uuid)
    office.checks("the agent is neither muted nor held", (got["mute"], got["hold"]) == (False, False), got)
    by_call = {**office.uuid, "callUuid": got["callUuid"]}
    found = ask(200, shape, "multiPartyCalls.listParticipants", by_call)["objects"]
    office.checks("by call there is one", [one["memberId"] for one in found] == [office.agent])


def changing(office):
    ask = office.ask
    both = shapes.updated(mute="mute/unmute", hold="hold/unhold")
    change = {**BY_NAME, "mute": True, "hold": False}
    ask(202, both, "multiPartyCalls.updateParticipant", office.customer, change)
    office.expect({"agent": [], "customer": ["agent"]}, "muted")
    one = shapes.updated(mute="mute/unmute")
    ask(202, one, "multiPartyCalls.updateParticipant", "all", {**office.uuid, "mute": False})
    office.told("ParticipantUnmute", "customer")
    play = ask(202, shapes.PLAYED, "multiPartyCalls.startPlayAudio", office.agent, office.sound_url, BY_NAME)
    office.checks("it says for whom", play["mpcMemberId"] == [office.agent], play)
    office.plays("agent", "a file for a member", True)
    ask(204, None, "multiPartyCalls.stopPlayAudio", office.agent, BY_NAME)
    office.plays("agent", "the member's file stopped", False)


def recording(office):
    ask = office.ask
    ask(202, shapes.MPC_RECORDED, "multiPartyCalls.startRecording", {**BY_NAME, "fileFormat": "wav"})
    office.state("recording", "an MPC that is recorded says so")
    ask(204, None, "multiPartyCalls.pauseRecording", BY_NAME)
    ask(204, None, "multiPartyCalls.resumeRecording", BY_NAME)
    ask(204, None, "multiPartyCalls.stopRecording", BY_NAME)
    start = (202, shapes.MPC_RECORDED, "multiPartyCalls.startParticipantRecording", office.agent)
    ask(*start, {**BY_NAME, "recordTrackType": "participant"})
    for what in ("pause", "resume", "stop"):
        ask(204, None, f"multiPartyCalls.{what}ParticipantRecording", office.agent, BY_NAME)
    found = ask(200, listed(shapes.RECORDING_IN_LIST), "recordings.list", {})
    office.checks("all three are listed", found is not None and len(found) == 3, found)
    if found:
        recording_id, url = found[0]["recordingId"], found[0]["recordingUrl"]
        office.checks.eventually("what was recorded is whole", lambda: is_there(office, url))
        ask(200, shapes.RECORDING, "recordings.get", recording_id)
        ask(204, None, "recordings.delete", recording_id)
        refused(office, "404", "recordings.get", recording_id)


def leaving(office):
    """A kick, a call moved by its uuid, and the end."""
    ask, customer = office.ask, office.phones["customer"]
    mark = len(customer.events)
    ask(204, None, "multiPartyCalls.kickParticipant", office.customer, office.uuid)
    office.checks("the kicked is out", customer.closed(5, mark) is not None)
    mark = len(customer.events)
    office.app.answer("customer", office.node.document(("Wait", None, {"length": 60, "silence": True})))
    call = office.node.call("calls.create", FROM, customer.uri, office.answer_url)["requestUuid"]
    office.checks("a call of its own is answered", customer.answers(5, mark))
    move = {**office.uuid, "callUuid": call, "stayAlone": True}
    ask(201, shapes.ADDED, "multiPartyCalls.addParticipant", "customer", move)
    office.checks.eventually("the moved call is inside", lambda: office.roles() == ["agent", "customer"])
    racing(office)
    mark = len(customer.events)
    ask(204, None, "multiPartyCalls.stop", office.uuid)
    office.checks("its participants are hung up", customer.closed(5, mark) is not None)
    got = ask(200, shapes.MPC, "multiPartyCalls.get", office.uuid)
    office.checks(
        "it is Ended by request", (got["status"], got["terminationCauseCode"]) == ("Ended", 3000), got
    )
    refused(office, "404", "multiPartyCalls.get", BY_NAME)


def racing(office):
    """Two destinations with ring timeouts of their own: one is busy, one rings too long."""
    rival = office.ringing.uri.replace("nobody", "rival")
    several = {
        **office.uuid, "from": FROM, "to": f"{office.busy.uri}<{rival}",
        "ringTimeout": "30<1", "delayDial": "0<0",
    }  # fmt: skip
    added = office.ask(201, shapes.ADDED, "multiPartyCalls.addParticipant", "agent", several)
    office.checks("each destination has a call", len(added["calls"]) == 2)
    for call, cause in zip(added["calls"], (3010, 6010), strict=True):
        record = office.record(call["callUuid"])
        office.checks(f"its end is {cause}", record.hangup_cause_code == cause, record.hangup_cause_code)


def starting(office):
    office.app.answer(
        "customer", plivoxml.ResponseElement().add(
            plivoxml.MultiPartyCallElement(NAME, role="Customer", start_mpc_on_enter=False, stay_alone=True)
        ),
    )  # fmt: skip
    office.checks("a customer calls anew", office.phones["customer"].call(office.service.sip("customer")))
    office.checks.eventually("it waits", lambda: office.roles() == ["customer"])
    office.ask(204, None, "multiPartyCalls.start", {**BY_NAME, "status": "active"})
    got = office.node.call("multiPartyCalls.get", BY_NAME)
    office.checks("it is begun", got["status"] == "Active", got["status"])
    page = office.ask(200, listed(shapes.MPC_IN_LIST), "multiPartyCalls.list", {"limit": 1})
    office.checks("a page of one holds the newest", [one["status"] for one in page] == ["Active"], page)
    try:
        office.node.call("multiPartyCalls.list", {"limit": 21})
        office.checks("a page of 21 is refused", False)
    except Refused as error:
        office.checks("a page of 21 is refused", True, error)


STEPS = [
    applications, endpoints, accounts, calls, joining, reading, changing, recording, leaving, starting,
]  # fmt: skip
