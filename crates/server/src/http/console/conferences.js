// Conferences: those that are live, as they come and go, and those that ended.
import { path, request } from "./api.js";
import { button, chip, day, duration, empty, fill, h, instant, table } from "./dom.js";
import { Feed } from "./feed.js";
import { invite, remembered } from "./invite.js";

const PAGE = 20;

const STATES = { Initialized: "waiting", Active: "good" };

export function conferencesPage(main, { tell, signal }) {
  const live = new Map();
  let dial = null;
  const here = h("section", { "aria-labelledby": "live" });
  const past = h("section", { "aria-labelledby": "ended" });
  const fresh = button("New conference", () => invite({ dial }), { kind: "primary" });
  fill(main, h("div", { class: "row title" }, h("h1", {}, "Conferences"), fresh), here, past);

  const show = () =>
    fill(here, h("h2", { id: "live" }, `Live · ${live.size}`), listed([...live.values()], dial));
  const ended = new Ended(past);
  const feed = new Feed(null, {
    state: (state, why) => {
      if (state === "live") live.clear();
      tell(state, why);
    },
    hello: (hello) => {
      dial = hello.dial;
      remembered.dial = dial;
      show();
    },
    mpc: (mpc) => {
      live.set(mpc.mpc_uuid, mpc);
      show();
    },
    "mpc-gone": ({ mpc_uuid }) => {
      live.delete(mpc_uuid);
      show();
      ended.load();
    },
  });
  const ticking = setInterval(() => tick(here), 1000);
  signal.addEventListener("abort", () => {
    feed.close();
    clearInterval(ticking);
  });
  ended.load();
}

function listed(mpcs, dial) {
  if (mpcs.length === 0) {
    const call = dial
      ? ["Call ", h("code", {}, `sip:support@${dial}`), " from a phone, or invite somebody."]
      : ["Invite somebody to begin one."];
    return empty("Nobody is talking. ", ...call);
  }
  const newest = mpcs.sort((one, other) => other.creation_time.localeCompare(one.creation_time));
  const rows = newest.map((mpc) => [
    link(mpc),
    state(mpc),
    h("span", { class: "number" }, String(mpc.participant_count)),
    h("span", { class: "number", data: { since: mpc.creation_time } }, age(mpc.creation_time)),
    mpc.recording === "not-recording"
      ? "–"
      : chip(mpc.recording, mpc.recording === "recording" ? "bad" : "waiting"),
  ]);
  return table("Live conferences", ["Name", "State", "Inside", "Age", "Recording"], rows);
}

const link = ({ mpc_uuid, friendly_name }) =>
  h("a", { class: "name", href: `#/conference/${mpc_uuid}`, data: { key: mpc_uuid } }, friendly_name);

export const state = (mpc) =>
  chip(mpc.status === "Initialized" ? "waiting" : mpc.status.toLowerCase(), STATES[mpc.status] ?? "");

export const age = (since) => duration((Date.now() - instant(since)) / 1000);

/** Lets ages within `element` go on. */
export function tick(element) {
  for (const one of element.querySelectorAll("[data-since]")) one.textContent = age(one.dataset.since);
}

/** The list of those that ended, a page at a time. */
class Ended {
  #offset = 0;

  constructor(section) {
    this.section = section;
  }

  async load(offset = this.#offset) {
    this.#offset = offset;
    const query = new URLSearchParams({ status: "Ended", limit: PAGE, offset });
    const { meta, objects } = await request("GET", `${path("MultiPartyCall")}?${query}`).catch(() => ({
      meta: {},
      objects: [],
    }));
    const rows = objects.map((mpc) => [
      link(mpc),
      day(mpc.creation_time),
      h("span", { class: "number" }, duration(mpc.duration)),
      mpc.termination_cause ?? "–",
    ]);
    const step = (label, to, possible) => {
      const element = button(label, () => this.load(to), { kind: "quiet", key: label });
      element.disabled = !possible;
      return element;
    };
    const total = meta.total_count ?? 0;
    fill(
      this.section,
      h("h2", { id: "ended" }, `Ended · ${total}`),
      rows.length
        ? table("Ended conferences", ["Name", "Created", "Lasted", "Why it ended"], rows)
        : empty("None yet."),
      total > PAGE &&
        h(
          "div",
          { class: "row" },
          step("Newer", Math.max(0, offset - PAGE), offset > 0),
          step("Older", offset + PAGE, offset + PAGE < total),
        ),
    );
  }
}
