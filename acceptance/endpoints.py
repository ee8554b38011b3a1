"""Phones that register with passwords of the Endpoint API, call and are called."""

import re
import time

from application import Application
from conference import NAME, Desk
from phone import Phone
from sipclient import Client, status

PASSWORD = "a-password-of-bob"
CARRIER = ("carrier", "a-password-of-the-carrier")
# Phones are in nobody's network here: they have to say who they are.
STRANGERS = f"""\
allow = ["192.0.2.0/24"]
incoming_username = "{CARRIER[0]}"
incoming_password = "{CARRIER[1]}"
deny_prefixes = ["+1900"]
"""


class Office:
    """A desk for conferences, and an endpoint with an application of its own."""

    def __init__(self, stage):
        self.desk = Desk(stage, "endpoints", sip=STRANGERS).start()
        self.stage, self.checks, self.client = stage, stage.checks, self.desk.client
        self.own = Application(stage.ports.one())
        made = self.client.applications.create("phones", answer_url=f"{self.own.url}/answer")
        self.endpoint = self.client.endpoints.create("bob", PASSWORD, "Bob", app_id=made.app_id)
        self.username = self.endpoint.username

    def shown(self):
        """What the API says of the endpoint."""
        return self.client.endpoints.get(self.endpoint.endpoint_id)

    def phone(self, name, voice, password=PASSWORD, transport="udp"):
        service = f"127.0.0.1:{self.desk.service.sip_port};transport={transport}"
        address = f"<sip:{self.username}@phone.plivo.com>"
        account = f'{address};outbound="sip:{service}";auth_pass={password};regint=60'
        voice = self.stage.voices[voice]
        return Phone(name, self.desk.service.folder, voice, self.stage.ports, account=account)

    def add(self, **more):
        return self.desk.calls.add_participant(
            "Agent", friendly_name=NAME, from_="15550100", to_=self.shown().sip_uri, **more
        )

    def stop(self):
        self.desk.stop()
        self.own.stop()


def run(stage):
    office = Office(stage)
    try:
        refused(office)
        phone = registered(office)
        called(office, phone)
        calling(office, phone)
        several(office, phone)
        browsing(office)
        replayed(office)
        trunking(office)
        restarted(office, phone)
        unregistered(office, phone)
    finally:
        office.stop()


def refused(office):
    office.checks("an endpoint that nobody registered is not", office.shown().sip_registered == "false")
    wrong = office.phone("wrong", "customer", password="a-guess")
    status = wrong.registers()
    office.checks("a wrong password is refused", status == 403, status)
    office.checks("the API shows no registration then", office.shown().sip_registered == "false")
    wrong.stop()


def registered(office):
    phone = office.phone("bob", "agent")
    office.desk.phones["agent"] = phone
    office.checks("a phone registers with the endpoint's password", phone.registers() == 200)
    shown = office.shown()
    office.checks("the API shows it", shown.sip_registered == "true", shown.sip_registered)
    office.checks("and its contact", f":{phone.sip_port}" in shown.sip_contact, shown.sip_contact)
    office.checks("and what it is", "baresip" in shown.sip_user_agent, shown.sip_user_agent)
    office.checks("and until when", len(shown.sip_expires) == len("2026-01-02 10:48:43"), shown.sip_expires)
    return phone


def called(office, phone):
    added = office.add(stay_alone=True)
    office.checks("add participant calls an endpoint", phone.answers(5))
    customer = office.phone("customer", "customer", transport="tcp")
    office.desk.phones["customer"] = customer
    office.checks("a phone registers over TCP", customer.registers() == 200)
    office.own.answer("desk", f"<Response><MultiPartyCall role='Customer'>{NAME}</MultiPartyCall></Response>")
    office.checks("an endpoint calls the conference", customer.call("sip:desk@phone.plivo.com"))
    office.desk.expect({"agent": ["customer"], "customer": ["agent"]}, "two endpoints")
    customer.hang_up()
    customer.stop()
    office.desk.calls.stop(friendly_name=NAME)
    office.checks("the endpoint is hung up", phone.closed(5) is not None)
    ended = office.client.calls.get(added.request_uuid)
    office.checks("the call was to the endpoint", office.username in ended.to_number, ended.to_number)


def calling(office, phone):
    office.own.answer("echo", "<Response><Hangup/></Response>")
    asked = len(office.own.on("/answer"))
    phone.call("sip:echo@phone.plivo.com")
    requests = office.own.on("/answer")[asked:]
    if not office.checks("an endpoint's call asks its own application", len(requests) == 1, len(requests)):
        return
    params = requests[0].params
    sender = f"sip:{office.username}@phone.plivo.com"
    office.checks("From is the endpoint", params["From"] == sender, params["From"])
    office.checks("To is who was called", "echo" in params["To"], params["To"])
    office.checks("its direction is inbound", params["Direction"] == "inbound", params["Direction"])
    phone.closed(5)


def several(office, phone):
    """Two phones of one endpoint ring; the one that answers has the call."""
    other = office.phone("other", "supervisor")
    office.checks("a second phone registers", other.registers() == 200)
    marks = len(phone.events), len(other.events)
    office.add(stay_alone=True)
    office.checks.eventually(
        "one of two phones has the call",
        lambda: phone.answers(0, marks[0]) or other.answers(0, marks[1]),
    )
    office.desk.calls.stop(friendly_name=NAME)
    phone.closed(5, marks[0])
    other.stop()


def client(office):
    return Client(office.desk.service.sip_port, office.username, PASSWORD)


def calls(office, client, user):
    """What a call to `user` is answered."""
    lines = ("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0")
    offer = "\r\n".join((*lines, f"m=audio {office.stage.ports.pair()} RTP/AVP 0", ""))
    responses, _ = client.ask("INVITE", user, body=offer, headers="Content-Type: application/sdp\r\n")
    return responses


def browsing(office):
    """What Plivo's browser SDK expects beside calls."""
    browser = client(office)
    (answer,), _ = browser.ask("MESSAGE", "admin", body="ipAddress", headers="Content-Type: text/plain\r\n")
    office.checks(
        "a browser learns its address", status(answer) == 200 and answer.endswith("\r\n\r\n127.0.0.1")
    )
    browser.send(browser.request("OPTIONS", "admin", body="pong"))
    seen = status(browser.final()[-1])
    office.checks("its keep-alive is answered with 404", seen == 404, seen)
    office.own.answer("hold", "<Response><Wait length='5'/></Response>")
    responses = calls(office, browser, "hold")
    named = re.search(r"X-Calluuid: (\S+)", responses[-1])
    live = office.client.live_calls.list_ids().calls
    office.checks("its call is answered", status(responses[-1]) == 200, status(responses[-1]))
    office.checks("and named as in the API", named is not None and named[1] in live, named and named[1])
    office.client.calls.delete(named[1])


def replayed(office):
    thief = client(office)
    registered, answered = thief.ask("REGISTER", "")
    office.checks("a client registers", status(registered[-1]) == 200, status(registered[-1]))
    thief.send(answered)
    seen = status(thief.final()[-1])
    office.checks("the same request is answered again", seen == 200, seen)
    stolen = re.sub(r"Contact: \S+", "Contact: <sip:thief@127.0.0.1:9>", answered)
    thief.send(stolen.replace("branch=", "branch=z9hG4bKx"))
    refusal = thief.final()[-1]
    office.checks("another one with its answer is not", status(refusal) == 401 and "stale=true" in refusal)
    guesser = client(office)
    for method in ("SUBSCRIBE", "NOTIFY", "REFER", "PUBLISH"):
        guesser.send(guesser.request(method, "admin"))
        seen = status(guesser.final()[-1])
        office.checks(f"{method} of a stranger is refused", seen == 403, seen)
    gone, _ = thief.ask("REGISTER", "", headers="Expires: 0\r\n")
    office.checks("it unregisters", status(gone[-1]) == 200 and f"@{thief.address}" not in gone[-1])


def trunking(office):
    """A carrier of no known network calls in, and a number that is barred is not called."""
    carrier = Client(office.desk.service.sip_port, *CARRIER)
    busy = status(calls(office, carrier, "15550199")[-1])
    asked = office.desk.app.on("/answer")
    office.checks("a carrier's call with a password is taken", busy == 603, busy)
    office.checks("and answered by the configured application", len(asked) == 1, len(asked))
    refused, _ = carrier.ask("REGISTER", "")
    office.checks("but it is no phone", status(refused[-1]) == 403, status(refused[-1]))
    added = office.desk.calls.add_participant(
        "Agent", friendly_name=NAME, from_="15550100", to_="19005550100"
    )
    barred = lambda: getattr(office.client.calls.get(added.request_uuid), "hangup_cause_code", 0) == 2050  # noqa: E731
    office.checks.eventually("a barred number is not called (2050)", barred)


def restarted(office, phone):
    office.checks.eventually("it is still registered", lambda: office.shown().sip_registered == "true")
    time.sleep(3)  # changes are written every two seconds
    office.desk.service.kill()
    office.desk.service.start()
    shown = office.shown()
    known = shown.sip_registered
    office.checks("a killed service knows where endpoints are", known == "true", known)
    mark = len(phone.events)
    office.add(stay_alone=True)
    office.checks("and calls them", phone.answers(5, mark))
    office.desk.calls.stop(friendly_name=NAME)
    phone.closed(5, mark)


def unregistered(office, phone):
    phone.stop()
    gone = lambda: office.shown().sip_registered == "false"  # noqa: E731
    office.checks.eventually("a phone that is switched off unregisters", gone)
    office.checks("nothing is left of its contact", not hasattr(office.shown(), "sip_contact"))
    added = office.add()
    record = lambda: office.client.calls.get(added.request_uuid)  # noqa: E731
    not_there = lambda: getattr(record(), "hangup_cause_code", None) == 2020  # noqa: E731
    office.checks.eventually("a call to it ends as not registered (2020)", not_there)
