// One participant's row: what it is, how it sounds, and what can be done about it.
import { button, chip, h, setAttribute, setText, short } from "./dom.js";

/** What the meter shows: from here up to 0 dBov. */
const QUIETEST_DBOV = -60;
/** Seconds over which loss is shown. */
const LOSS_WINDOW = 10;
/** How a supervisor takes part. */
const WAYS = {
  Monitor: { mute: true },
  Coach: { mute: false, coach_mode: true },
  Barge: { mute: false, coach_mode: false },
};

export class Row {
  #streams = [];

  constructor({ change, kick, sound }) {
    this.light = h("span", { class: "light", "aria-hidden": "true" });
    this.number = h("span", { class: "number index" });
    this.name = h("b", { class: "name" });
    this.chips = h("span", { class: "chips" });
    this.meter = h("span", { class: "meter", "aria-hidden": "true" }, h("i"));
    this.level = h("span", { class: "number level" });
    this.talks = h("span", { class: "unseen" });
    this.quality = h("span", { class: "quality number" }, "–");
    this.mute = button("Mute", () => change({ mute: !this.one.mute }), { pressed: "false" });
    this.hold = button("Hold", () => change({ hold: !this.one.hold }), { pressed: "false" });
    const say = button("Say", sound);
    const out = button("Kick", kick, { kind: "danger" });
    this.buttons = { Mute: this.mute, Hold: this.hold, Say: say, Kick: out };
    const ways = Object.entries(WAYS).map(([way, body]) => [
      way,
      button(way, () => change(body), { pressed: "false" }),
    ]);
    this.ways = Object.fromEntries(ways);
    this.supervision = h(
      "span",
      { class: "segments", role: "group" },
      ways.map(([, element]) => element),
    );
    this.element = h(
      "li",
      {},
      h(
        "span",
        { class: "identity" },
        this.light,
        this.number,
        h("span", {}, this.name, this.chips),
        this.talks,
      ),
      h("span", { class: "sound" }, this.meter, this.level),
      this.quality,
      h("span", { class: "actions" }, this.supervision, this.mute, this.hold, say, out),
    );
  }

  show(one, number) {
    this.one = one;
    const name = short(one.member_address);
    setText(this.number, String(number));
    if (this.name.title !== one.member_address) {
      const [user, ...host] = name.split("@");
      this.name.replaceChildren(user, host.length ? h("span", { class: "host" }, `@${host.join("@")}`) : "");
    }
    setAttribute(this.name, "title", one.member_address);
    const said = [
      one.mute && chip("muted", "bad"),
      one.hold && chip("held", "waiting"),
      one.sounds > 0 && chip(`♪ ${one.sounds}`),
    ];
    this.chips.replaceChildren(
      chip(one.role, one.role),
      ...said.filter(Boolean),
      h("a", { href: `#/call/${one.call_uuid}`, "aria-label": `Call of ${name}` }, "call"),
    );
    setAttribute(this.mute, "aria-pressed", String(one.mute));
    setAttribute(this.hold, "aria-pressed", String(one.hold));
    for (const [label, element] of Object.entries(this.buttons))
      setAttribute(element, "aria-label", `${label} ${name}`);
    this.supervision.hidden = one.role !== "supervisor";
    this.mute.hidden = one.role === "supervisor";
    setAttribute(this.supervision, "aria-label", `How ${name} takes part`);
    const way = one.mute ? "Monitor" : one.coach_mode ? "Coach" : "Barge";
    for (const [label, element] of Object.entries(this.ways))
      setAttribute(element, "aria-pressed", String(label === way));
  }

  showLevel(dbov, talking) {
    const share = Math.min(1, Math.max(0, 1 - dbov / QUIETEST_DBOV));
    this.meter.style.setProperty("--level", share.toFixed(3));
    setText(this.level, dbov <= -100 ? "silent" : `${dbov} dB`);
    this.light.dataset.state = talking ? "talks" : "quiet";
    setText(this.talks, talking ? "talks" : "");
  }

  showQuality(stream) {
    if (!stream) return;
    this.#streams.push(stream);
    if (this.#streams.length > LOSS_WINDOW) this.#streams.shift();
    const before = this.#streams[0];
    const [lost, came] = [stream.lost - before.lost, stream.received - before.received];
    const loss = lost + came > 0 ? Math.max(0, (100 * lost) / (lost + came)) : 0;
    const mos = stream.mos === null ? "–" : stream.mos.toFixed(1);
    const kind = stream.mos === null ? "" : stream.mos >= 4 ? "good" : stream.mos >= 3.1 ? "waiting" : "bad";
    const part = (label, value) => h("span", {}, h("small", {}, label), value);
    this.quality.replaceChildren(
      h("span", {}, h("small", {}, "MOS"), h("b", { class: kind }, mos)),
      part("loss", `${loss.toFixed(1)} %`),
      part("jitter", `${Math.round(stream.jitter_ms)} ms`),
      part("delay", `${Math.round(stream.delay_ms)} ms`),
    );
  }
}
