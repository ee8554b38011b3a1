// One conference: who is inside and sounds how, who hears whom, what happens, and what can be done.
import { path, request } from "./api.js";
import { age, state, tick } from "./conferences.js";
import {
  ask,
  button,
  chip,
  clock,
  day,
  duration,
  empty,
  field,
  fill,
  h,
  setText,
  short,
  table,
} from "./dom.js";
import { Feed } from "./feed.js";
import { grid } from "./grid.js";
import { invite, remembered } from "./invite.js";
import { Row } from "./participant.js";
import { recordingList } from "./recordings.js";

/** Entries of the tape that are shown. */
const TAPE = 200;

export async function conferencePage(main, { id, tell, signal }) {
  const where = (...below) => path("MultiPartyCall", `uuid_${id}`, ...below);
  const mpc = await request("GET", where()).catch((error) => error);
  if (signal.aborted) return;
  if (mpc instanceof Error) {
    fill(
      main,
      h("h1", {}, "Conference"),
      empty(mpc.status === 404 ? "There is no such conference." : mpc.message),
    );
  } else if (mpc.status === "Ended") {
    over(main, mpc, where, tell, signal);
  } else {
    new LiveConference(main, mpc, where).follow(tell, signal);
  }
}

/** What is kept of a conference that is over. */
async function over(main, mpc, where, tell, signal) {
  const feed = new Feed(null, { state: tell });
  signal.addEventListener("abort", () => feed.close());
  const people = h("div", {}, empty("…"));
  const kept = h("div");
  fill(
    main,
    h("div", { class: "row title" }, h("h1", {}, mpc.friendly_name), chip("ended")),
    h(
      "p",
      { class: "hint" },
      `${day(mpc.creation_time)}, lasted ${duration(mpc.duration)}. ${mpc.termination_cause ?? ""}`,
    ),
    h("section", {}, h("h2", {}, "Participants"), people),
    h("section", {}, h("h2", {}, "Recordings"), kept),
  );
  recordingList(kept, { mpc_uuid: mpc.mpc_uuid });
  const { objects } = await request("GET", where("Participant")).catch(() => ({ objects: [] }));
  const rows = objects.map((one) => [
    h("span", { class: "name" }, short(one.member_address)),
    chip(one.role, one.role),
    clock(one.join_time),
    h("span", { class: "number" }, duration(one.duration)),
    one.exit_cause ?? "–",
    h("a", { href: `#/call/${one.call_uuid}` }, "call"),
  ]);
  fill(
    people,
    rows.length
      ? table("Participants", ["Who", "Role", "Joined", "Stayed", "Left because", "Signalling"], rows)
      : empty("Nobody came."),
  );
}

class LiveConference {
  constructor(main, mpc, where) {
    this.mpc = mpc;
    this.where = where;
    this.rows = new Map();
    this.participants = [];
    this.state = h("span", { class: "row" });
    this.count = h("h2", { id: "inside" });
    this.list = h("ul", { class: "participants", "aria-labelledby": "inside" });
    this.grid = h("div");
    this.tape = h("ol", { class: "tape", tabindex: "0", "aria-label": "What happened, the latest first" });
    this.actions = h("div", { class: "row", role: "group", "aria-label": "Conference" });
    this.kept = h("section", {}, h("h2", {}, "Recordings"), h("div"));
    const title = h(
      "div",
      { class: "row title" },
      h("h1", {}, mpc.friendly_name),
      this.state,
      h("span", { class: "number hint", data: { since: mpc.creation_time } }, age(mpc.creation_time)),
      this.actions,
    );
    const inside = h("section", {}, this.count, this.list);
    const routes = h(
      "section",
      { "aria-labelledby": "routes" },
      h("h2", { id: "routes" }, "Who hears whom"),
      h("p", { class: "hint" }, "As the mixer routes it at this moment; lit while somebody talks."),
      this.grid,
    );
    const tape = h("section", { class: "side" }, h("h2", {}, "Events"), this.tape);
    fill(main, title, h("div", { class: "split" }, h("div", {}, inside, routes, this.kept), tape));
    this.main = main;
    this.showMpc(mpc);
    recordingList(this.kept.lastChild, { mpc_uuid: mpc.mpc_uuid });
  }

  follow(tell, signal) {
    const feed = new Feed(this.mpc.mpc_uuid, {
      state: (state, why) => {
        if (state === "live") fill(this.tape);
        tell(state, why);
      },
      hello: (hello) => (remembered.dial = hello.dial),
      mpc: (mpc) => mpc.mpc_uuid === this.mpc.mpc_uuid && this.showMpc(mpc),
      "mpc-gone": ({ mpc_uuid }) => mpc_uuid === this.mpc.mpc_uuid && this.end(feed, tell, signal),
      participants: ({ participants }) => this.showParticipants(participants),
      levels: ({ levels }) => this.showLevels(levels),
      quality: ({ quality }) => this.rows.forEach((row, member) => row.showQuality(quality[member])),
      event: (event) => event.mpc_uuid === this.mpc.mpc_uuid && this.happened(event),
    });
    const ticking = setInterval(() => tick(this.main), 1000);
    signal.addEventListener("abort", () => {
      feed.close();
      clearInterval(ticking);
    });
  }

  async end(feed, tell, signal) {
    feed.close();
    const mpc = await request("GET", this.where()).catch(() => ({ ...this.mpc, status: "Ended" }));
    if (!signal.aborted) over(this.main, mpc, this.where, tell, signal);
  }

  showMpc(mpc) {
    const changed = mpc.recording !== this.mpc.recording;
    if (changed && mpc.recording === "not-recording")
      setTimeout(() => recordingList(this.kept.lastChild, { mpc_uuid: mpc.mpc_uuid }), 1500);
    this.mpc = mpc;
    fill(this.state, state(mpc), mpc.recording === "not-recording" ? null : chip(mpc.recording, "bad"));
    fill(this.actions, this.possible());
  }

  /** What can be done with the conference as it is. */
  possible() {
    const record = (verb, method, ...below) => [verb, () => request(method, this.where("Record", ...below))];
    const stop = record("Stop recording", "DELETE");
    const recording = {
      "not-recording": [["Record", () => request("POST", this.where("Record"), { file_format: "wav" })]],
      recording: [record("Pause", "POST", "Pause"), stop],
      paused: [record("Resume", "POST", "Resume"), stop],
    };
    const actions = [
      ["Invite", () => invite({ mpc: this.mpc }), "primary"],
      ...(this.mpc.status === "Initialized"
        ? [["Start", () => request("POST", this.where(), { status: "active" })]]
        : []),
      ...recording[this.mpc.recording],
      ["Say or play", () => this.sound("all")],
      ["End", () => this.confirmEnd(), "danger"],
    ];
    return actions.map(([label, work, kind]) => button(label, work, { kind, key: label }));
  }

  confirmEnd() {
    const text = h("p", {}, "Everybody leaves; whoever has nothing else to do is hung up.");
    ask("End the conference?", [text], "End", () => request("DELETE", this.where()));
  }

  /** Asks what `member` is to hear, or `all`. */
  sound(member) {
    const text = h("textarea", { name: "text", rows: "3", maxlength: "3000" });
    const url = h("input", { name: "url", type: "url", placeholder: "https://example.com/hello.mp3" });
    const everybody = h("option", { value: "all" }, "everybody");
    const one = ({ member_id, member_address }) => h("option", { value: member_id }, short(member_address));
    const whom = h("select", { name: "member" }, everybody, this.participants.map(one));
    whom.value = member;
    const silence = (kind) => request("DELETE", this.where("Member", whom.value, kind));
    // Only one of the two is heard, if any.
    const stop = button("Stop what they hear", () => Promise.allSettled([silence("Play"), silence("Speak")]));
    ask(
      "Say or play",
      [field("To", whom), field("Say", text), field("Or play the file", url), stop],
      "Let them hear it",
      (given) => {
        const kind = given.url ? "Play" : "Speak";
        const body = given.url ? { url: given.url } : { text: given.text };
        return request("POST", this.where("Member", given.member, kind), body);
      },
    );
  }

  showParticipants(participants) {
    this.participants = participants;
    const ids = new Set(participants.map((one) => one.member_id));
    for (const [member, row] of this.rows) {
      if (!ids.has(member)) {
        row.element.remove();
        this.rows.delete(member);
      }
    }
    participants.forEach((one, index) => {
      if (!this.rows.has(one.member_id)) {
        const change = (body) => request("POST", this.where("Participant", one.member_id), body);
        const kick = () => request("DELETE", this.where("Participant", one.member_id));
        const row = new Row({ change, kick, sound: () => this.sound(one.member_id) });
        this.rows.set(one.member_id, row);
        this.list.append(row.element);
      }
      this.rows.get(one.member_id).show(one, index + 1);
    });
    setText(this.count, `Participants · ${participants.length}`);
    fill(this.grid, grid(participants));
    if (this.levels) this.showLevels(this.levels);
  }

  showLevels(levels) {
    this.levels = levels;
    for (const [member, [dbov, talking]] of Object.entries(levels)) {
      this.rows.get(member)?.showLevel(dbov, talking);
      for (const cell of this.grid.querySelectorAll(`[data-from="${CSS.escape(member)}"]`))
        cell.classList.toggle("talks", talking);
    }
  }

  happened({ sequence, at, name, member_address, role }) {
    const who = member_address ? `${short(member_address)} (${role})` : "";
    this.tape.prepend(
      h(
        "li",
        {},
        h("span", { class: "number" }, `#${sequence}`),
        h("time", { class: "number" }, clock(at)),
        h("b", {}, name),
        h("span", { class: "break" }, who),
      ),
    );
    while (this.tape.children.length > TAPE) this.tape.lastChild.remove();
  }
}
