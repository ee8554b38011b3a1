// The routing grid: a row for each who listens, a column for each who is heard.
import { empty, h, short } from "./dom.js";

/** More would be a carpet; each participant's row still says how many it hears. */
const MOST = 40;

/** The grid of `participants`, each with the ids of whom it hears. */
export function grid(participants) {
  if (participants.length === 0) return empty("Nobody is inside.");
  if (participants.length > MOST) return crowd(participants);
  const named = (one, index) => `${index + 1} ${short(one.member_address)}`;
  const column = (one, index) =>
    h(
      "th",
      { scope: "col", title: one.member_address, data: { from: one.member_id } },
      h("span", { class: "unseen" }, `${short(one.member_address)} is heard`),
      h("span", { "aria-hidden": "true" }, String(index + 1)),
    );
  const head = h(
    "tr",
    {},
    h("td", { class: "corner" }, "hears →"),
    participants.map(column),
    h(
      "th",
      { scope: "col" },
      h("span", { "aria-hidden": "true" }, "♪"),
      h("span", { class: "unseen" }, "Sounds"),
    ),
  );
  const rows = participants.map((sink, index) => {
    const cells = participants.map((source) => cell(sink, source));
    const sounds = h("td", { class: sink.sounds ? "hears" : "" }, sink.sounds ? String(sink.sounds) : "");
    return h(
      "tr",
      {},
      h("th", { scope: "row", title: sink.member_address }, named(sink, index)),
      cells,
      sounds,
    );
  });
  const table = h(
    "table",
    { class: "grid" },
    h("caption", { class: "unseen" }, "Each row is a listener, each column who is heard"),
    h("thead", {}, head),
    h("tbody", {}, rows),
  );
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Who hears whom" }, table);
}

function cell(sink, source) {
  if (sink.member_id === source.member_id) return h("td", { class: "self" });
  const hears = sink.hears.includes(source.member_id);
  const words = `${short(sink.member_address)} ${hears ? "hears" : "does not hear"} ${short(source.member_address)}`;
  return h(
    "td",
    { class: hears ? "hears" : "deaf", title: words, data: { from: source.member_id, to: sink.member_id } },
    h("span", { "aria-hidden": "true" }, hears ? "●" : "·"),
    h("span", { class: "unseen" }, hears ? "yes" : "no"),
  );
}

function crowd(participants) {
  const lines = participants.map((one) =>
    h("li", {}, `${short(one.member_address)} hears ${one.hears.length} of ${participants.length - 1}`),
  );
  return h("ul", { class: "crowd" }, lines);
}
