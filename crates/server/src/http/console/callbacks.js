// Callbacks: what servers were told, are to be told, and were not told.
import { path, request } from "./api.js";
import { button, chip, day, empty, fill, h, table } from "./dom.js";
import { Feed } from "./feed.js";

const PAGE = 200;
/** Callbacks that are shown, and pages that are read to come to the latest. */
const SHOWN = 200;
const MOST_PAGES = 50;
const RELOAD_MS = 2000;
const KINDS = { delivered: "good", pending: "waiting", dead: "bad" };

export function callbacksPage(main, { tell, signal }) {
  const list = h("div", {}, empty("…"));
  fill(
    main,
    h("div", { class: "row title" }, h("h1", {}, "Callbacks")),
    h(
      "p",
      { class: "hint" },
      "What URLs are told, in order; again until it is acknowledged, for as long as callbacks.retry_s says.",
    ),
    list,
  );
  const known = new Map();
  const load = async () => {
    await read(known).catch(() => {});
    if (!signal.aborted) show(list, known, load);
  };
  const feed = new Feed(null, { state: tell });
  const timer = setInterval(load, RELOAD_MS);
  signal.addEventListener("abort", () => {
    feed.close();
    clearInterval(timer);
  });
  load();
}

/** Reads what is new, and again what was not settled. */
async function read(known) {
  const open = [...known.values()].filter((one) => one.status === "pending").map((one) => one.sequence);
  const last = Math.max(0, ...known.keys());
  let from = open.length ? Math.min(...open) : last + 1;
  for (let page = 0; page < MOST_PAGES; page++) {
    const { objects } = await request("GET", `${path("Callbacks")}?from=${from}&limit=${PAGE}`);
    for (const one of objects) known.set(one.sequence, one);
    if (objects.length < PAGE) break;
    from = objects.at(-1).sequence + 1;
  }
  const oldest = [...known.keys()].sort((one, other) => other - one).slice(SHOWN);
  for (const sequence of oldest) known.delete(sequence);
}

function show(list, known, load) {
  const latest = [...known.values()].sort((one, other) => other.sequence - one.sequence);
  const state = JSON.stringify(latest.map((one) => [one.sequence, one.status, one.attempts]));
  if (list.dataset.state === state) return;
  list.dataset.state = state;
  const rows = latest.map((one) => [
    h("span", { class: "number" }, `#${one.sequence}`),
    day(one.creation_time),
    h("b", {}, one.parameters.EventName ?? one.parameters.Event ?? one.parameters.CallStatus ?? "–"),
    h("span", { class: "break" }, one.url),
    h("span", {}, chip(one.status, KINDS[one.status]), one.attempts > 1 ? ` ${one.attempts} tries` : ""),
    h("span", { class: "break" }, one.last_error ?? "–"),
    one.status === "dead"
      ? button("Send again", () => request("POST", path("Callbacks", one.callback_id)).then(load), {
          key: one.callback_id,
        })
      : "",
  ]);
  fill(
    list,
    rows.length
      ? table("Callbacks", ["Number", "When", "What", "To", "State", "Error", ""], rows)
      : empty("Nobody was told anything yet."),
  );
}
