// Recordings: a picture of each, and a player.
import { blob, path, request } from "./api.js";
import { ask, button, chip, day, duration, empty, fill, h } from "./dom.js";
import { Feed } from "./feed.js";

const PAGE = 20;

export function recordingsPage(main, { tell, signal }) {
  const feed = new Feed(null, { state: tell });
  signal.addEventListener("abort", () => feed.close());
  const list = h("div");
  fill(main, h("div", { class: "row title" }, h("h1", {}, "Recordings")), list);
  recordingList(list, {});
}

/** Shows the recordings that `filter` is for in `element`, the newest first. */
export async function recordingList(element, filter, offset = 0) {
  const query = new URLSearchParams({ ...filter, limit: PAGE, offset });
  const { objects, meta } = await request("GET", `${path("Recording")}?${query}`).catch(() => ({
    objects: [],
    meta: {},
  }));
  if (objects.length === 0) return fill(element, empty("None yet."));
  const again = (to) => recordingList(element, filter, to);
  const step = (label, to, possible) => possible && button(label, () => again(to), { kind: "quiet" });
  const total = meta.total_count ?? objects.length;
  fill(
    element,
    h(
      "ul",
      { class: "recordings" },
      objects.map((one) => item(one, () => again(offset))),
    ),
    h(
      "div",
      { class: "row" },
      step("Newer", Math.max(0, offset - PAGE), offset > 0),
      step("Older", offset + PAGE, offset + PAGE < total),
    ),
  );
}

function item(one, changed) {
  const seconds = Number(one.recording_duration_ms) / 1000;
  const title = one.mpc_name ?? one.conference_name ?? `${one.from_number ?? ""} → ${one.to_number ?? ""}`;
  const over = one.recording_end_ms !== "0" && seconds > 0;
  const wave = h("div", { class: "wave" });
  const player = h("div", { class: "row" });
  const remove = button("Delete", () =>
    ask("Delete the recording?", [h("p", {}, "Its audio is gone for good.")], "Delete", async () => {
      await request("DELETE", path("Recording", one.recording_id));
      changed();
    }),
  );
  const play = button("Play", () => listen(one, player, play), { kind: "primary" });
  if (over) picture(one, wave, title);
  fill(player, play, remove);
  return h(
    "li",
    {},
    h(
      "div",
      { class: "row" },
      h("b", { class: "name" }, title),
      chip(one.recording_format),
      h("span", { class: "number" }, duration(seconds)),
      h("span", { class: "hint" }, day(one.add_time)),
    ),
    wave,
    player,
  );
}

async function picture(one, wave, title) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = document.documentElement.dataset.theme;
  const query = new URLSearchParams({
    width: 800,
    height: 80,
    theme: theme === "dark" || (theme !== "light" && dark) ? "dark" : "light",
  });
  const source = await blob(`${path("Recording", one.recording_id, "Waveform")}?${query}`).catch(() => null);
  if (source)
    fill(
      wave,
      h("img", { src: source, alt: `How loud ${title} is`, load: () => URL.revokeObjectURL(source) }),
    );
  else fill(wave, h("span", { class: "hint" }, "Its picture is not there yet."));
}

/** A player; by the signed URL if it is of this very service, so that it need not be loaded whole. */
async function listen(one, player, play) {
  const signed = new URL(one.recording_url, location.href);
  const here = signed.origin === location.origin && signed.searchParams.has("signature");
  const file = path("Recording", `${one.recording_id}.${one.recording_format}`).slice(0, -1);
  try {
    const source = here ? signed.href : await blob(file);
    const audio = h("audio", { src: source, controls: true, "aria-label": "Player" });
    play.replaceWith(audio);
    await audio.play().catch(() => {});
    audio.focus();
  } catch (error) {
    player.append(h("span", { class: "failed", role: "alert" }, error.message));
  }
}
