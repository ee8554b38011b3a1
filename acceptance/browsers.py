"""Browsers' legs beside a phone in one conference."""

import re
from concurrent.futures import ThreadPoolExecutor

import chromium
from conference import NAME, Desk, loud
from service import AUTH_ID, AUTH_TOKEN
from whip_browser import Browser, token

AUTH = (AUTH_ID, AUTH_TOKEN)


def run(stage):
    desk = Desk(stage, "browsers").start()
    browsers = {}
    try:
        desk.offer("agent", "Agent", stay_alone=True)
        phone = desk.phone("agent", codec="opus")
        desk.checks("the phone's call is answered", phone.call(desk.service.sip("agent")))
        joining(desk, browsers)
        talking(desk, browsers)
        muting(desk, browsers)
        restarting(desk, browsers)
        strangers(desk)
        leaving(desk, browsers)
        real_one(desk)
    finally:
        for browser in browsers.values():
            browser.stop()
        desk.stop()


def browser_as(desk, role, **terms):
    shown = token(desk.service, AUTH, mpc_name=NAME, role=role, name=role.title(), **terms)
    return Browser(f"{desk.service.url}/whip", desk.stage.voices[role], shown)


def joining(desk, browsers):
    for role in ("customer", "supervisor"):
        browsers[role] = browser_as(desk, role, stay_alone=True, coach_mode=False)
        desk.checks(f"the {role} is let in", browsers[role].join() == 201)
        desk.checks(f"the {role} is connected", browsers[role].connected())
        desk.checks.eventually(f"the {role} is a participant", lambda role=role: role in desk.members())
    again = Browser(f"{desk.service.url}/whip", desk.stage.voices["customer"], browsers["customer"].token)
    desk.checks("a token is good once", again.join() == 401)


def expect(desk, browsers, heard, why):
    """Each of `heard` hears those voices it maps to, no other, and not its own."""
    parties = {role: browsers.get(role) or desk.phones[role] for role in heard}
    with ThreadPoolExecutor() as pool:
        recordings = dict(zip(parties, pool.map(lambda party: party.listen(), parties.values()), strict=True))
    for listener, speakers in heard.items():
        for speaker, voice in desk.stage.voices.items():
            recording = recordings[listener]
            hears = voice.heard_in(recording) if speaker in speakers else voice.absent_from(recording)
            what = "hears" if speaker in speakers else "does not hear"
            desk.checks(f"{why}: {listener} {what} {speaker}", hears, loud(voice, recording))


EVERYBODY = {
    "agent": ["customer", "supervisor"],
    "customer": ["agent", "supervisor"],
    "supervisor": ["agent", "customer"],
}


def talking(desk, browsers):
    expect(desk, browsers, EVERYBODY, "together")


def muting(desk, browsers):
    desk.update("customer", mute=True)
    expect(desk, browsers, {"agent": ["supervisor"], "customer": ["agent", "supervisor"]}, "muted")
    desk.update("customer", mute=False)


def restarting(desk, browsers):
    """Another way is prepared and the old one goes on until it is there (RFC 9725, section 4.3.3)."""
    customer = browsers["customer"]
    names = ["a=ice-ufrag:newer", "a=ice-pwd:a-password-of-the-other-way"]
    fragment = "\r\n".join([*names, "m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0", ""])
    kind = {"Content-Type": "application/trickle-ice-sdpfrag"}
    ask = lambda headers: customer.ask("PATCH", customer.session, fragment, kind | headers)  # noqa: E731
    desk.checks("a change names the state that it is of", ask({})[0] == 428)
    desk.checks("which is not another", ask({"If-Match": '"x"'})[0] == 412)
    desk.checks("candidates are taken", ask({"If-Match": customer.tag})[0] == 204)
    status, headers, answer = ask({"If-Match": "*"})
    desk.checks("a restart is answered", status == 200 and headers["ETag"] != customer.tag, status)
    ufrag = re.search(r"a=ice-ufrag:(\S+)", answer)
    desk.checks("with our new names", ufrag and f'"{ufrag[1]}"' == headers["ETag"], answer)
    expect(desk, browsers, {"agent": ["customer", "supervisor"]}, "while it is looked for")


def real_one(desk):
    """Chromium with the customer's voice as its microphone, beside the phone."""
    role = "customer"
    page = chromium.Chromium(desk.service.folder, desk.stage.ports.one(), desk.stage.voices[role])
    try:
        page.open(f"{desk.service.url}/healthz")
        shown = token(desk.service, AUTH, mpc_name=NAME, role=role, name="Chromium", stay_alone=True)
        joined = page.run(f"const TOKEN = {shown!r}; {chromium.JOIN}")
        desk.checks("Chromium is let in", joined == 201, joined)
        desk.checks.eventually("and is a participant", lambda: role in desk.members())
        expect(desk, {}, {"agent": [role]}, "with Chromium")
        energy, came, lost = page.run(chromium.HEARD)
        desk.checks("Chromium hears the phone", energy > 0.01 and came > 100, (energy, came, lost))
        restarted = page.run(chromium.RESTART)
        desk.checks("it looks for another way", restarted == 200, restarted)
        expect(desk, {}, {"agent": [role]}, "after the restart")
        again, more, _ = page.run(chromium.HEARD)
        desk.checks("and goes on hearing", again > energy and more > came + 100, (again, more))
        page.command("Page.navigate", url="about:blank")
        desk.checks.eventually("who closes the tab is gone within 5 s", lambda: role not in desk.members(), 5)
    finally:
        page.stop()


def strangers(desk):
    url = f"{desk.service.url}/whip"
    voice = desk.stage.voices["agent"]
    desk.checks("nobody is let in without a token", Browser(f"{url}/room", voice).join() == 401)
    forger = browser_as(desk, "customer")
    other = lambda offer: re.sub(r"(sha-256 )..", r"\g<1>00", offer)  # noqa: E731
    desk.checks("an offer names a certificate", forger.join(other) == 201)
    desk.checks("and who shows another is sent away", forger.left_alone(), forger.states)
    desk.checks("and heard nothing", len(forger.heard()) == 0)
    forger.ask("DELETE", forger.session)


def leaving(desk, browsers):
    browsers["supervisor"].close()
    gone = lambda: "supervisor" not in desk.members()  # noqa: E731
    desk.checks.eventually("who closes the page is gone within 5 s", gone, 5)
    customer = browsers["customer"]
    desk.calls.kick_participant(desk.member_id("customer"), friendly_name=NAME)
    desk.checks("who is removed is told so", customer.left_alone(), customer.states)
    desk.checks("and has no session", customer.ask("DELETE", customer.session)[0] == 404)
