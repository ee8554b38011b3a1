// Bringing somebody into a conference: by a call to them, or by an address that they call.
import { path, request } from "./api.js";
import { ask, field, fill, h } from "./dom.js";
import { code } from "./qr.js";

const FROM = "mixminus-from";
const ROLES = ["agent", "customer", "supervisor"];
const SUFFIX = { agent: "", customer: ".customer", supervisor: ".supervisor" };

/** What pages know of the service. */
export const remembered = { dial: null };

/** Asks whom to invite into the conference `mpc`; into a new one, if there is none. */
export function invite({ mpc, dial = remembered.dial }) {
  const name = h("input", {
    name: "name",
    required: true,
    maxlength: "255",
    value: mpc?.friendly_name ?? "",
    readonly: Boolean(mpc),
  });
  const role = h(
    "select",
    { name: "role" },
    ROLES.map((one) => h("option", {}, one)),
  );
  const to = h("input", {
    name: "to",
    required: true,
    autofocus: Boolean(mpc),
    placeholder: "sip:ann@127.0.0.1:5080 or +14155550123",
    spellcheck: "false",
  });
  const from = h("input", {
    name: "from",
    required: true,
    value: localStorage.getItem(FROM) ?? "14155550100",
    spellcheck: "false",
  });
  const address = h("div", { class: "address" });
  const show = () => fill(address, dial ? called(name.value.trim(), role.value, dial) : []);
  name.addEventListener("input", show);
  role.addEventListener("change", show);
  show();
  ask(
    mpc ? "Invite somebody" : "New conference",
    [
      mpc ? [] : h("p", { class: "hint" }, "A conference begins with whoever is first in it."),
      field("Conference", name),
      field("Role", role),
      field(
        "Call",
        to,
        "A SIP address that sip.call allows, a registered endpoint, or a number if there is a trunk.",
      ),
      field("Caller id", from),
      address,
    ],
    "Call",
    async (given) => {
      const where = mpc ? `uuid_${mpc.mpc_uuid}` : `name_${given.name.trim()}`;
      const body = { from: given.from.trim(), to: given.to.trim(), role: given.role };
      await request("POST", path("MultiPartyCall", where, "Participant"), body);
      localStorage.setItem(FROM, body.from);
    },
  );
}

/** The address by which a phone joins, and a picture of it for the camera of one. */
function called(name, role, dial) {
  if (!name) return [];
  const uri = `sip:${encodeURIComponent(name)}${SUFFIX[role]}@${dial}`;
  return [
    h("p", {}, "Or call in as this role with any SIP phone:"),
    h("a", { href: uri, class: "break" }, uri),
    code(uri),
  ];
}
