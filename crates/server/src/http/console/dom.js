// Elements, words and times. Whatever comes from elsewhere is only ever text: nothing here takes markup.

/** An element; of `props`, functions are listeners, `data` and `style` are maps, and the rest are attributes. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "style")
      for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** Replaces what `element` holds; the focus stays with what has the same `data-key`. */
export function fill(element, ...children) {
  const key = element.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  element.replaceChildren(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
  if (key) element.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  return element;
}

/** Changes text or attribute only where it differs, so that nothing is read out or laid out for nothing. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Tells whoever listens to the page rather than sees it. */
export function say(text) {
  document.getElementById("said").textContent = text;
}

/** How long a refusal is shown. */
const COMPLAINT_MS = 8000;
let complaint;

/** Shows why something was refused. */
export function complain(text) {
  const place = document.getElementById("refused");
  place.textContent = text;
  place.hidden = false;
  clearTimeout(complaint);
  complaint = setTimeout(() => (place.hidden = true), COMPLAINT_MS);
}

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element. */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A time of the API, which is in UTC. */
export function instant(text) {
  return text ? new Date(text.replace(" ", "T").replace(/(\+00:00)?$/, "Z")) : null;
}

export function clock(text) {
  const at = instant(text);
  return at ? at.toLocaleTimeString([], { hour12: false }) : "–";
}

export function day(text) {
  const at = instant(text);
  if (!at) return "–";
  const date = at.toLocaleDateString([], { month: "short", day: "numeric" });
  return `${date}, ${at.toLocaleTimeString([], { hour12: false })}`;
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** An address without what every address has. */
export function short(address) {
  return (address ?? "").replace(/^sips?:/, "");
}

export const chip = (text, kind = "") => h("span", { class: `chip ${kind}` }, text);
export const empty = (...text) => h("p", { class: "empty" }, ...text);

/** A button that shows that it works until its work is done or refused. */
export function button(label, work, { kind = "", pressed, key } = {}) {
  const element = h(
    "button",
    { type: "button", class: kind, "aria-pressed": pressed, data: key ? { key } : {} },
    label,
  );
  element.addEventListener("click", async () => {
    if (element.getAttribute("aria-busy") === "true") return;
    element.setAttribute("aria-busy", "true");
    try {
      await work(element);
    } catch (error) {
      complain(error.message);
    } finally {
      element.removeAttribute("aria-busy");
    }
  });
  return element;
}

/** A table whose cells name their column, for screens where each row is a card. */
export function table(caption, columns, rows) {
  const head = h(
    "thead",
    {},
    h(
      "tr",
      {},
      columns.map((column) => h("th", { scope: "col" }, column)),
    ),
  );
  const body = h(
    "tbody",
    {},
    rows.map((cells) =>
      h(
        "tr",
        {},
        cells.map((cell, index) => h("td", { data: { label: columns[index] } }, cell)),
      ),
    ),
  );
  return h("table", { class: "cards" }, h("caption", { class: "unseen" }, caption), head, body);
}

/** A field with its label above it. */
export function field(label, input, hint) {
  return h("label", { class: "field" }, h("span", {}, label), input, hint && h("small", {}, hint));
}

/** Asks in a dialog; `submit` gets the form's values, and the dialog stays open while it fails. */
export function ask(title, fields, verb, submit) {
  const failed = h("p", { class: "failed", role: "alert" });
  const cancel = h("button", { type: "button", click: () => dialog.close() }, "Cancel");
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", {}, title),
    fields,
    failed,
    h("div", { class: "row end" }, cancel, h("button", { class: "primary" }, verb)),
  );
  const dialog = h("dialog", { "aria-label": title, close: () => dialog.remove() }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    setText(failed, "");
    try {
      await submit(Object.fromEntries(new FormData(form)));
      dialog.close();
    } catch (error) {
      setText(failed, error.message);
    }
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
