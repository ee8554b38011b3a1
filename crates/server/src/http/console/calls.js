// Calls: those that last, those that are over, and what was signalled in one.
import { path, request } from "./api.js";
import { age, tick } from "./conferences.js";
import { button, chip, day, duration, empty, fill, h, short, table } from "./dom.js";
import { Feed } from "./feed.js";

const RELOAD_MS = 3000;

export function callsPage(main, { tell, signal }) {
  const live = h("section", {}, h("h2", {}, "Live"));
  const over = h("section", {}, h("h2", {}, "Ended"));
  fill(main, h("div", { class: "row title" }, h("h1", {}, "Calls")), live, over);
  const load = () => Promise.all([loadLive(live), loadEnded(over)]);
  let due = null;
  const soon = () => {
    due ??= setTimeout(() => {
      due = null;
      load();
    }, 300);
  };
  // What happens in conferences mostly begins or ends a call; others are looked for now and then.
  const feed = new Feed(null, { state: tell, event: soon });
  const timers = [setInterval(load, RELOAD_MS), setInterval(() => tick(live), 1000)];
  signal.addEventListener("abort", () => {
    feed.close();
    timers.forEach(clearInterval);
    clearTimeout(due);
  });
  load();
}

const link = (uuid, text) => h("a", { class: "name", href: `#/call/${uuid}`, data: { key: uuid } }, text);

async function loadLive(section) {
  const { objects } = await request("GET", `${path("Call")}?status=live&details=true&limit=20`).catch(() => ({
    objects: [],
  }));
  const rows = objects.map((one) => [
    link(one.call_uuid, `${short(one.from)} → ${short(one.to)}`),
    one.direction,
    chip(one.call_status, one.call_status === "in-progress" ? "good" : "waiting"),
    h("span", { class: "number", data: { since: one.session_start } }, age(one.session_start)),
    one.mpc_name ?? "–",
  ]);
  const list = rows.length
    ? table("Live calls", ["Call", "Direction", "State", "Age", "Conference"], rows)
    : empty("None.");
  fill(section, h("h2", {}, `Live · ${rows.length}`), list);
}

async function loadEnded(section) {
  const { objects } = await request("GET", `${path("Call")}?limit=20`).catch(() => ({ objects: [] }));
  const rows = objects.map((one) => [
    link(one.call_uuid, `${short(one.from_number)} → ${short(one.to_number)}`),
    one.call_direction,
    day(one.initiation_time),
    h("span", { class: "number" }, duration(one.call_duration)),
    one.hangup_cause_name ?? "–",
  ]);
  const list = rows.length
    ? table("Ended calls", ["Call", "Direction", "Began", "Lasted", "Ended by"], rows)
    : empty("None yet.");
  fill(section, h("h2", {}, "Ended"), list);
}

export async function callPage(main, { id, tell, signal }) {
  const feed = new Feed(null, { state: tell });
  signal.addEventListener("abort", () => feed.close());
  const ladder = h("div");
  const again = button("Look again", () => loadTrace(ladder, id));
  const hangUp = button(
    "Hang up",
    () => request("DELETE", path("Call", id)).then(() => loadTrace(ladder, id)),
    { kind: "danger" },
  );
  fill(
    main,
    h(
      "div",
      { class: "row title" },
      h("h1", {}, "Call"),
      h("code", { class: "break" }, id),
      h("div", { class: "row" }, again, hangUp),
    ),
    h("section", {}, h("h2", {}, "What was signalled"), ladder),
  );
  await loadTrace(ladder, id);
}

async function loadTrace(element, id) {
  const trace = await request("GET", path("Call", id, "Trace")).catch((error) => error);
  if (trace instanceof Error) {
    return fill(
      element,
      empty(
        trace.status === 404
          ? "Its messages are not kept any more, or there is no such call."
          : trace.message,
      ),
    );
  }
  const left = trace.left_out ? h("p", { class: "hint" }, `${trace.left_out} messages are left out.`) : "";
  fill(element, h("ol", { class: "ladder" }, trace.messages.map(step)), left);
}

function step({ offset_ms, direction, from, to, transport, summary, message, retransmissions }) {
  const peer = direction === "received" ? from : to;
  const answered = message.match(/^CSeq:\s*\d+ (\w+)/im)?.[1];
  const what = summary.startsWith("SIP/2.0 ")
    ? `${summary.slice(8)} to ${answered ?? ""}`
    : summary.split(" ")[0];
  const times = retransmissions ? ` × ${retransmissions + 1}` : "";
  const sdp = /\r?\n\r?\nv=0/.test(message) ? " (sdp)" : "";
  return h(
    "li",
    {},
    h(
      "details",
      {},
      h(
        "summary",
        { class: direction },
        h("span", { class: "number" }, `${(offset_ms / 1000).toFixed(3)} s`),
        h("span", { class: "peer break" }, `${peer} ${transport}`),
        h("span", { class: "arrow", "aria-hidden": "true" }, direction === "received" ? "──▶" : "◀──"),
        h("span", { class: "unseen" }, direction),
        h("b", {}, `${what}${sdp}${times}`),
      ),
      h("pre", { tabindex: "0" }, message),
    ),
  );
}
