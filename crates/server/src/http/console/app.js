// Who one is, where one is, and whether what is shown is true.
import { account, credentials, requests } from "./api.js";
import { button, field, fill, h, setText } from "./dom.js";
import { callbacksPage } from "./callbacks.js";
import { callPage, callsPage } from "./calls.js";
import { conferencePage } from "./conference.js";
import { conferencesPage } from "./conferences.js";
import { recordingsPage } from "./recordings.js";

const PAGES = {
  conferences: ["Conferences", conferencesPage],
  calls: ["Calls", callsPage],
  recordings: ["Recordings", recordingsPage],
  callbacks: ["Callbacks", callbacksPage],
};
const DETAILS = { conference: ["conferences", conferencePage], call: ["calls", callPage] };
const THEMES = ["auto", "light", "dark"];

const app = document.getElementById("app");
let leave = () => {};

/** The state of the connection that a page reads from. */
function connection() {
  const light = h("span", { class: "light" });
  const word = h("span", {}, "connecting");
  const banner = h("div", { class: "banner", role: "alert", hidden: true });
  const main = h("main", { id: "main", tabindex: "-1" });
  let since = null;
  const tell = (state, why) => {
    light.dataset.state = state;
    setText(word, state === "live" ? "live" : state === "gone" ? "not connected" : "");
    since = state === "gone" ? (since ?? new Date()) : null;
    banner.hidden = state !== "gone";
    main.classList.toggle("stale", state === "gone");
    const at = since?.toLocaleTimeString([], { hour12: false });
    setText(
      banner,
      since ? `Not connected since ${at}: ${why}. What you see is from then; trying again.` : "",
    );
  };
  const element = h("span", { class: "connection" }, light, word);
  return { element, banner, main, tell };
}

function frame(active) {
  const link = ([key, [name]]) =>
    h("a", { href: `#/${key}`, "aria-current": key === active ? "page" : null }, h("span", {}, name));
  const state = connection();
  const theme = button(`Theme: ${document.documentElement.dataset.theme}`, () => nextTheme(), {
    kind: "quiet",
  });
  const out = button("Sign out", () => signOut(), { kind: "quiet" });
  fill(
    app,
    h(
      "header",
      {},
      h(
        "a",
        { class: "brand", href: "#/conferences" },
        h("img", { src: "/console/icon.svg", alt: "" }),
        "mixminus",
      ),
      h("nav", { "aria-label": "Pages" }, Object.entries(PAGES).map(link)),
      h("div", { class: "who" }, state.element, h("code", {}, account.get().id), theme, out),
    ),
    state.banner,
    state.main,
    requests,
  );
  return state;
}

function route() {
  leave();
  leave = () => {};
  if (!account.get()) return signIn();
  const [, key, id] = location.hash.split("/");
  const [active, page] = DETAILS[key] ?? [
    PAGES[key] ? key : "conferences",
    PAGES[key]?.[1] ?? conferencesPage,
  ];
  const state = frame(active);
  document.title = `${PAGES[active][0]} – mixminus`;
  const closed = new AbortController();
  leave = () => closed.abort();
  page(state.main, { id: id && decodeURIComponent(id), tell: state.tell, signal: closed.signal });
}

function nextTheme() {
  const root = document.documentElement;
  const next = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
  root.dataset.theme = next;
  localStorage.setItem("mixminus-theme", next);
  // Waveforms are pictures in the colours that they were asked for.
  route();
}

function signOut(why) {
  account.forget();
  leave();
  leave = () => {};
  signIn(why);
}

function signIn(why) {
  document.title = "Sign in – mixminus";
  const failed = h("p", { class: "failed", role: "alert" }, why ?? "");
  const id = h("input", { name: "id", required: true, autocomplete: "username", spellcheck: "false" });
  const token = h("input", {
    name: "token",
    type: "password",
    required: true,
    autocomplete: "current-password",
  });
  const form = h(
    "form",
    { class: "sign-in" },
    h("div", { class: "brand" }, h("img", { src: "/console/icon.svg", alt: "" }), h("h1", {}, "mixminus")),
    field("Auth id", id),
    field("Auth token", token),
    failed,
    h("button", { class: "primary" }, "Sign in"),
    h(
      "p",
      { class: "hint" },
      "The service prints both when it is started for the first time, on the lines ",
      h("code", {}, "auth id"),
      " and ",
      h("code", {}, "auth token"),
      ". Later starts print the id and where the token is: in ",
      h("code", {}, "account.toml"),
      " in its data directory, or in its configuration. They stay in this tab until it is closed.",
    ),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = { id: id.value.trim(), token: token.value.trim() };
    const where = `/v1/Account/${encodeURIComponent(given.id)}/`;
    const answer = await fetch(where, credentials(given)).catch(() => null);
    if (answer?.ok) {
      account.set(given.id, given.token);
      return route();
    }
    const refused =
      answer?.status === 429
        ? "Too many tries; wait a minute."
        : "These are not the credentials of an account.";
    setText(failed, answer ? refused : "The service does not answer.");
    token.focus();
  });
  fill(app, h("main", { id: "main", class: "alone", tabindex: "-1" }, form));
  id.focus();
}

document.documentElement.dataset.theme = localStorage.getItem("mixminus-theme") ?? "auto";
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});
addEventListener("hashchange", route);
addEventListener(
  "mixminus-unknown",
  () => account.get() && signOut("The credentials are not valid any more."),
);
route();
