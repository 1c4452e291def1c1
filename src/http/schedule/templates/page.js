// The page's behaviour: lists, edits and steers data sources through its own door. Nothing else is loaded.
"use strict";

let token = document.querySelector("meta[name=page-token]").content;
const at = (id) => document.getElementById(id);
const SIZE = 50, LOOK_EVERY = 5000, ANSWER_WITHIN = 10_000, SHOWN_WRONG = 10;
const state = { page: 1, pages: 1, items: [], schedules: new Map(), wrong: { items: [], total: 0 }, open: null, mark: null, edited: null, history: new Map(), pressed: -Infinity };

/** What does something else than stand for itself: control characters, marks of direction, what is not seen but the joiners of letters. */
const HARMFUL = /[\p{Cc}\u{ad}\u{61c}\u{180e}\u{200b}\u{200e}\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{feff}\u{fff9}-\u{fffb}\u{fffe}\u{ffff}\u{e0000}-\u{e0fff}]/gu;

/** Foreign text as people may see it: each such character as an escape, as in tables and logs. */
function plain(text) { return String(text).replace(HARMFUL, (c) => `\\u{${c.codePointAt(0).toString(16)}}`); }

/** What is read aloud or shown; other attributes are values. */
const SAID = ["aria-label", "title"];

/** Makes an element; text stays text. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : SAID.includes(name) ? plain(value) : value);
  }
  element.append(...children.filter((child) => child != null).map((child) => typeof child === "string" ? plain(child) : child));
  return element;
}

const AWAY = "The service does not answer; it is tried again.";
const UNTOLD = "The service does not answer, and this is not tried again by itself. The list tells whether it was done once the service answers.";
const UNKNOWN = `There was no answer within ${ANSWER_WITHIN / 1000} s: whether it was done is not known. The list tells it once the service answers.`;

/** Asks the door once. */
async function send(path, options) {
  const headers = { accept: "application/json", "x-page-token": token, ...options.headers };
  if (options.body !== undefined) headers["content-type"] = "application/json";
  try {
    const answer = await fetch(path, { ...options, headers, signal: AbortSignal.timeout(ANSWER_WITHIN) });
    const text = await answer.text();
    return { ok: answer.ok, status: answer.status, json: text ? JSON.parse(text) : null };
  } catch (error) {
    // A service that hangs may do later what it was asked for; one that is not there did nothing.
    const detail = !options.method ? AWAY : error.name === "TimeoutError" ? UNKNOWN : UNTOLD;
    return { ok: false, status: 0, json: { detail } };
  }
}

/** Asks the door. Gives status and the JSON, which may be a problem. A page that is open for longer than its token holds gets another one. */
async function ask(path, options = {}) {
  const answer = await send(path, options);
  if (answer.status !== 403 || !options.method) return answer;
  const fresh = await send("/page-token", {});
  if (!fresh.ok || fresh.json.token === token) return answer;
  token = fresh.json.token;
  return send(path, options);
}

function say(text) { at("message").textContent = plain(text); }

/** What keeps the list from being shown stands there for as long as it does, and beside what was said last. */
function trouble(text) {
  if (at("trouble").textContent !== plain(text)) at("trouble").textContent = plain(text);
}

function moment(text) { return text ? new Date(text).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" }) : "never"; }

function span(seconds) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const parts = [];
  let left = Math.max(0, Math.round(seconds));
  for (const [size, name] of units) {
    if (left >= size && parts.length < 2) { parts.push(`${Math.floor(left / size)} ${name}`); left %= size; }
  }
  return parts.join(" ") || "0 s";
}

const CLASSES = { Succeeded: "good", Failed: "bad", Interrupted: "bad", Missed: "odd", Skipped: "faint", Running: "busy", Queued: "busy" };
const SIGNS = { Succeeded: "✓", Failed: "✗", Interrupted: "!", Missed: "–", Skipped: "·", Running: "…", Queued: "…" };

function status(source, schedule) {
  if (!source.isActive) return ["inactive", "faint"];
  if (!schedule) return ["not scheduled yet", "faint"];
  if (schedule.status === "Paused") return ["paused", "odd"];
  if (schedule.status === "Failed") return ["cannot be used", "bad"];
  return ["active", "good"];
}

/** What the last execution found. */
function files(schedule) {
  const { lastFilesSeen: seen, lastFilesNew: fresh } = schedule ?? {};
  return seen == null ? "not looked yet" : `${seen} seen, ${fresh ?? 0} new`;
}

let looked = 0, heard = 0;

/** Asks for what the page shows: its rows, their schedules, and what is wrong with any, shown or not. */
async function look() {
  const number = ++looked;
  const query = new URLSearchParams({ page: state.page, size: SIZE, search: at("search").value, status: at("status").value });
  const [sources, wrongs] = await Promise.all([ask(`/api/v1/datasource?${query}`), ask("/api/v1/attention")]);
  const ids = (sources.json?.items ?? []).map((source) => source.id).join(",");
  const schedules = !sources.ok || !ids ? { ok: true, json: { items: [] } } : await ask(`/api/v1/schedule?${new URLSearchParams({ ids })}`);
  // An answer that comes behind that of a later question is of no use.
  if (number < heard) return;
  heard = number;
  const failed = [sources, schedules, wrongs].find((answer) => !answer.ok);
  trouble(failed ? failed.json?.detail ?? "the list cannot be shown" : "");
  if (failed) return;
  state.items = sources.json.items;
  state.pages = Math.max(1, sources.json.pages);
  state.schedules = new Map(schedules.json.items.map((schedule) => [schedule.dataSourceId, schedule]));
  state.wrong = wrongs.json;
  if (state.page > state.pages) { state.page = state.pages; await look(); return; }
  if (state.open) await lookAtHistory(state.open);
  show(sources.json.total);
}

async function lookAtHistory(id) {
  const one = `/api/v1/schedule/${encodeURIComponent(id)}`;
  const [found, shown] = await Promise.all([ask(`${one}/history?limit=40`), ask(one)]);
  if (found.ok) state.history.set(id, found.json.items);
  state.affected = shown.ok ? shown.json.affected : [];
}

/** Whether a button is held just now: a list that is shown anew under it would lose the click. */
function isPressed() { return performance.now() - state.pressed < 3000; }

function show(total) {
  if (isPressed()) return;
  const list = at("sources");
  const focused = document.activeElement?.closest?.("[data-key]")?.dataset.key;
  list.replaceChildren(...state.items.map(row));
  list.setAttribute("aria-busy", "false");
  if (focused) list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  const isNarrowed = at("search").value !== "" || at("status").value !== "";
  at("empty").hidden = total > 0 || isNarrowed;
  at("none").hidden = total > 0 || !isNarrowed;
  at("pages").hidden = state.pages < 2;
  at("where").textContent = `page ${state.page} of ${state.pages}, ${total} data sources`;
  const turned = document.activeElement?.id;
  at("back").disabled = state.page <= 1;
  at("on").disabled = state.page >= state.pages;
  if (turned === "on" && at("on").disabled) at("back").focus();
  if (turned === "back" && at("back").disabled) at("on").focus();
  wrong();
  tick();
}

/** What is wrong stands on top, of all data sources: whatever page or search is shown. */
function wrong() {
  const { items, total } = state.wrong;
  const find = (name) => { at("search").value = name; at("status").value = ""; state.page = 1; look(); };
  const line = ({ id, name, what, detail }) => make("li", {},
    make("button", { type: "button", class: "link", "data-key": `wrong/${id}`, onclick: () => find(name) }, name), ` ${what}${detail ? `: ${detail}` : ""}`);
  const focused = document.activeElement?.closest?.("#wrong [data-key]")?.dataset.key;
  at("wrong").hidden = total === 0;
  at("wrong-title").textContent = total > 1 ? `${total} need a look` : "Needs a look";
  at("wrong-list").replaceChildren(...items.slice(0, SHOWN_WRONG).map(line));
  at("wrong-more").textContent = total > SHOWN_WRONG ? `and ${total - SHOWN_WRONG} more` : "";
  if (focused) at("wrong").querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function row(source) {
  const schedule = state.schedules.get(source.id);
  const [word, kind] = status(source, schedule);
  const paused = schedule?.status === "Paused";
  const key = (name) => `${source.id}/${name}`;
  const button = (name, text, action, more = {}) =>
    make("button", { type: "button", "data-key": key(name), "aria-label": `${text} ${source.name}`, onclick: action, ...more }, text);
  const fact = (name, ...value) => make("div", {}, make("dt", {}, name), make("dd", {}, ...value));
  const last = schedule?.lastStatus;
  const isOpen = state.open === source.id;
  const item = make("li", { "data-id": source.id },
    make("div", { class: "head" }, make("h3", {}, source.name), make("span", { class: kind }, word)),
    source.description ? make("p", { class: "faint" }, source.description) : null,
    make("dl", { class: "facts" },
      fact("Next", make("span", { "data-next": schedule?.nextExecutionTime ?? "" }, "")),
      fact("Last", make("span", { class: CLASSES[last] ?? "faint" }, last ? `${last}, ${moment(schedule.lastExecutionTime)}` : "never")),
      fact("Files", files(schedule)),
      fact("Folder", make("code", {}, `${source.path}/${source.pattern}`)),
      fact("When", make("code", {}, source.cronExpression), ` ${source.zone}`)),
    paused ? make("p", { class: "odd" }, `Paused by ${schedule.pausedBy ?? "somebody"}${schedule.pauseReason ? `: ${schedule.pauseReason}` : ""}`) : null,
    make("div", { class: "buttons" },
      button("history", "History", () => toggle(source.id), { "aria-expanded": String(isOpen) }),
      button("edit", "Edit", () => edit(source.id)),
      schedule ? (paused ? button("pause", "Resume", () => steer(source, "resume")) : button("pause", "Pause", () => steer(source, "pause"))) : null,
      schedule ? button("run", "Run now", () => steer(source, "run")) : null,
      button("delete", "Delete", () => remove(source), { class: "danger" })));
  if (isOpen) item.append(strip(source));
  return item;
}

function strip(source) {
  const executions = state.history.get(source.id) ?? [];
  const detail = make("div", { "aria-live": "polite" });
  const tell = (one) => {
    const parts = [`${one.outcome}: due ${moment(one.dueTime)}`];
    if (one.startedAt) parts.push(`began ${moment(one.startedAt)}`);
    if (one.endedAt && one.startedAt) parts.push(`took ${span((new Date(one.endedAt) - new Date(one.startedAt)) / 1000)}`);
    if (one.startedAt) parts.push(`${one.filesSeen} ${one.filesSeen === 1 ? "file" : "files"} seen, ${one.filesNew} new`);
    if (one.attempt > 1) parts.push(`attempt ${one.attempt}`);
    if (one.instance) parts.push(`on ${one.instance}`);
    detail.replaceChildren(make("p", {}, parts.join(", ")),
      one.reason ? make("p", { class: "odd" }, one.reason) : "", one.error ? make("p", { class: "bad" }, one.error) : "");
  };
  // One stop for the tabulator, and arrows from mark to mark: the way to the next row is short.
  const chosen = Math.max(0, executions.findIndex((one) => one.id === state.mark));
  const choose = (one, mark) => {
    state.mark = one.id;
    for (const other of mark.closest("ol").querySelectorAll("button")) other.tabIndex = other === mark ? 0 : -1;
    tell(one);
  };
  const marks = executions.map((one, number) => make("li", {}, make("button", {
    type: "button", class: one.outcome, title: `${one.outcome}, ${moment(one.dueTime)}`, "data-key": `${source.id}/${one.id}`, tabindex: number === chosen ? "0" : "-1",
    "aria-label": `${one.outcome}, due ${moment(one.dueTime)}, ${one.filesNew} new files${one.reason ? `, ${one.reason}` : ""}`,
    onclick: (event) => choose(one, event.currentTarget), onfocus: (event) => choose(one, event.currentTarget),
  }, SIGNS[one.outcome] ?? "?")));
  if (executions.length > 0) tell(executions[chosen]);
  return make("div", { class: "history" }, executions.length ? make("ol", { class: "strip", reversed: true, "aria-label": `History of ${source.name}, latest first; arrow keys lead from one to the next`, onkeydown: walk }, ...marks)
    : make("p", { class: "faint" }, "Nothing was due yet."), detail,
    state.affected?.length ? make("ul", { class: "affected odd", "aria-label": `Dates on which ${source.name} is not due as it says` }, ...state.affected.map(({ words }) => make("li", {}, words))) : null);
}

/** Goes from mark to mark. */
function walk(event) {
  const marks = [...event.currentTarget.querySelectorAll("button")];
  const from = marks.indexOf(document.activeElement);
  const to = { ArrowRight: from + 1, ArrowLeft: from - 1, Home: 0, End: marks.length - 1 }[event.key];
  if (from < 0 || !marks[to]) return;
  event.preventDefault();
  marks[to].focus();
}

async function toggle(id) {
  state.mark = null;
  state.open = state.open === id ? null : id;
  await look();
}

/** Counts down, without asking. */
function tick() {
  for (const element of document.querySelectorAll("[data-next]")) {
    const next = element.dataset.next;
    const left = (new Date(next) - Date.now()) / 1000;
    element.textContent = !next ? "not planned" : left > 0 ? `in ${span(left)}, ${moment(next)}` : "due now";
  }
}

// Editing ------------------------------------------------------------------------------------------------------------------------

const FIELDS = ["name", "path", "pattern", "cronExpression", "zone", "description", "calendar", "closedDay", "dst", "overlap", "misfire"];
const CHECKS = ["recursive", "isActive"];
/** What is no text: how it stands in the form, and how it is written into what is sent, in this order. */
const OTHERS = {
  deadline: { shown: (source) => source?.deadline?.time ?? "", put: (value, text) => { value.deadline = text ? { ...value.deadline, time: text } : undefined; } },
  // What is no number is sent as it is: the answer says what is wrong with it.
  pauseAfterFailures: { shown: (source) => source?.pauseAfterFailures ?? "", put: (value, text) => { value.pauseAfterFailures = /^\d{1,9}$/.test(text) ? Number(text) : text || null; } },
  action: { shown: (source) => actionWord(source?.action), put: (value, word) => { if (word !== actionWord(value.action) || !value.action) value.action = action(word); } },
  stableFor: ofDiscover("stableFor"),
  doneFile: ofDiscover("doneFile"),
};

/** How files are looked for: a part of one action, and of no other. */
function ofDiscover(name) {
  return {
    shown: (source) => source?.action?.discover?.[name] ?? "",
    put: (value, text) => { if (value.action.discover) value.action = { discover: { ...value.action.discover, [name]: text || undefined } }; },
  };
}

const form = at("form");
const fresh = new FormData(form);

/** An action as a word of the list: `discover`, `transfer:sales`, `run:LoanWorker`. */
function actionWord(action) {
  const [kind, name] = Object.entries(action ?? { discover: {} })[0];
  return typeof name === "string" ? `${kind}:${name}` : kind;
}

function action(word) {
  const [kind, ...name] = word.split(":");
  return name.length ? { [kind]: name.join(":") } : { [kind]: {} };
}

function fill(source) {
  const word = OTHERS.action.shown(source);
  // What this daemon does not serve stays as it is.
  if (![...form.elements.action.options].some(({ value }) => value === word)) form.elements.action.append(make("option", { value: word }, word.replace(":", " ")));
  for (const [name, { shown }] of Object.entries(OTHERS)) form.elements[name].value = shown(source);
  for (const name of FIELDS) form.elements[name].value = source?.[name] ?? fresh.get(name) ?? "";
  for (const name of CHECKS) form.elements[name].checked = source ? source[name] : name === "isActive";
  suit();
  clear();
}

/** Fields of an action that is not chosen are not asked for. */
function suit() {
  const [kind] = form.elements.action.value.split(":");
  for (const field of form.querySelectorAll("[data-of]")) field.hidden = field.dataset.of !== kind;
}

function clear() {
  at("faults").hidden = at("conflict").hidden = true;
  form.querySelectorAll(".fault").forEach((fault) => fault.remove());
  form.querySelectorAll("[aria-invalid]").forEach(wellAgain);
}

/** Ties what is wrong with a field to it, for who hears the page: in front of its help. */
function tie(field, fault) {
  field.setAttribute("aria-invalid", "true");
  field.dataset.help ??= field.getAttribute("aria-describedby") ?? "";
  field.setAttribute("aria-describedby", `${fault} ${field.dataset.help}`.trim());
}

function wellAgain(field) {
  field.removeAttribute("aria-invalid");
  if (field.dataset.help) field.setAttribute("aria-describedby", field.dataset.help);
  else if (field.dataset.help === "") field.removeAttribute("aria-describedby");
}

/** Opens a dialog. The list may be shown anew under it: then the button that opened it is gone, and another one stands in its place. */
function openDialog(dialog) {
  state.from = document.activeElement?.closest?.("[data-key]")?.dataset.key;
  dialog.showModal();
}

/** The focus goes back to where the dialog was opened. */
function comeBack() {
  const isLost = !document.activeElement || document.activeElement === document.body;
  if (isLost && state.from) document.querySelector(`[data-key="${CSS.escape(state.from)}"]`)?.focus();
}

/** What was said of a field is of what stood there: it goes when that is changed. */
function correct(event) {
  const field = event.target;
  wellAgain(field);
  field.closest(".field, .check")?.querySelectorAll(".fault").forEach((fault) => fault.remove());
  if (!form.querySelector("[aria-invalid], .fault")) at("faults").hidden = true;
}

function openEditor(source) {
  state.edited = source;
  at("editor-title").textContent = source ? `Edit ${plain(source.name)}` : "New data source";
  fill(source);
  explain();
  openDialog(at("editor"));
  form.elements.name.focus();
}

async function edit(id) {
  const found = await ask(`/api/v1/datasource/${encodeURIComponent(id)}`);
  if (found.ok) openEditor(found.json);
  else { say(found.json?.detail ?? "it cannot be shown"); await look(); }
}

function written() {
  const value = state.edited ? { ...state.edited } : {};
  for (const name of FIELDS) value[name] = form.elements[name].value;
  for (const name of CHECKS) value[name] = form.elements[name].checked;
  for (const [name, { put }] of Object.entries(OTHERS)) put(value, form.elements[name].value.trim());
  value.calendar = value.calendar || null;
  for (const name of ["closedDay", "dst"]) if (!value[name]) delete value[name];
  if (!value.pattern) delete value.pattern;
  return value;
}

async function save(event) {
  event.preventDefault();
  clear();
  const body = JSON.stringify(written());
  const answer = state.edited
    ? await ask(`/api/v1/datasource/${encodeURIComponent(state.edited.id)}`, { method: "PUT", body, headers: { "if-match": `"${state.edited.version}"` } })
    : await ask("/api/v1/datasource", { method: "POST", body });
  if (answer.ok) {
    at("editor").close();
    const warnings = answer.json.warnings ?? [];
    say([`Saved ${answer.json.name}.`, ...warnings].join(" "));
    await look();
  } else if (answer.status === 412) {
    conflict(answer.json.current);
  } else {
    refuse(answer.json);
  }
}

function refuse(problem) {
  const errors = problem?.errors ?? [];
  const items = errors.map((error) => make("li", {}, `${error.detail} (${error.hint})`));
  at("faults").replaceChildren(make("p", {}, errors.length ? "Not saved:" : `Not saved: ${problem?.detail ?? "the service does not answer"}`), make("ul", {}, ...items));
  at("faults").hidden = false;
  for (const error of errors) {
    const names = error.pointer.split("/");
    const field = form.elements[names.at(-1)] ?? form.elements[names[1]];
    if (!field?.setAttribute) continue;
    const id = `fault-${field.name}`;
    tie(field, id);
    field.closest(".field, .check")?.append(make("span", { class: "fault", id: at(id) ? null : id }, error.detail));
    field.closest("details")?.setAttribute("open", "");
  }
  (form.querySelector("[aria-invalid]") ?? at("faults")).focus();
}

/** Somebody else saved first: shows what differs, and lets the person choose. */
function conflict(current) {
  if (!current) { refuse({ detail: "it is gone: somebody deleted it" }); return; }
  const mine = written();
  const text = (source, name) => String((OTHERS[name] ? OTHERS[name].shown(source) : source[name]) ?? "");
  const differs = [...FIELDS, ...CHECKS, ...Object.keys(OTHERS)].filter((name) => text(current, name) !== text(mine, name));
  const title = (name) => form.elements[name].labels[0].textContent.trim();
  const said = (source, name) => (text(source, name) ? `“${text(source, name)}”` : "nothing");
  const items = differs.map((name) => make("li", {}, `${title(name)}: theirs ${said(current, name)}, yours ${said(mine, name)}`));
  at("conflict").replaceChildren(
    make("p", {}, `Somebody saved version ${current.version} while you edited version ${state.edited.version}. Nothing of yours was saved.`),
    make("ul", {}, ...items),
    make("p", { class: "buttons" },
      make("button", { type: "button", onclick: () => openAgain(current) }, "Take theirs"),
      make("button", { type: "button", onclick: () => { state.edited = { ...current }; clear(); at("faults").replaceChildren(make("p", {}, "Save again to write yours over theirs.")); at("faults").hidden = false; at("save").focus(); } }, "Keep mine")));
  at("conflict").hidden = false;
  at("conflict").focus();
}

function openAgain(source) { state.edited = source; fill(source); explain(); form.elements.name.focus(); }

// The expression in words ----------------------------------------------------------------------------------------------------------

let asked = 0, waiting = null, searching = null;

async function explain() {
  const number = ++asked;
  const expression = form.elements.cronExpression.value;
  const query = new URLSearchParams({ expression, zone: form.elements.zone.value, calendar: form.elements.calendar.value, closedDay: form.elements.closedDay.value, dst: form.elements.dst.value });
  const answer = await ask(`/api/v1/cron?${query}`);
  if (number !== asked) return;
  // What was said of another expression is not left standing.
  const { ok, words, next, affected, jitterSeconds, error } = answer.ok ? answer.json : { ok: false, next: [], affected: [], error: { message: "it cannot be explained now", hint: answer.json?.detail ?? "try again" } };
  const jitter = jitterSeconds ? `, begun up to ${span(jitterSeconds)} later` : "";
  at("cron-words").textContent = ok ? (next.length ? `${words}${jitter}` : `${words}: never again`) : "";
  at("cron-affected").replaceChildren(...affected.map(({ words }) => make("li", {}, words)));
  at("cron-next").replaceChildren(...next.map(({ local, utc }) => make("li", {}, `${local} `, make("small", {}, `${utc.slice(0, 19).replace("T", " ")} UTC`))));
  const place = error?.start === undefined ? "" : `\n${expression}\n${" ".repeat(error.start)}${"^".repeat(Math.max(1, error.end - error.start))}`;
  at("cron-error").textContent = error ? `${error.message}: ${error.hint}${place}` : "";
  at("cron-error").hidden = !error;
  for (const name of ["cronExpression", "zone", "calendar"]) {
    if (error?.field === name) tie(form.elements[name], "cron-error");
    else wellAgain(form.elements[name]);
  }
}

function explainSoon() { clearTimeout(waiting); waiting = setTimeout(explain, 150); }

// Steering -------------------------------------------------------------------------------------------------------------------------

let yes = null;

function question(title, text, needsReason) {
  at("ask-title").textContent = at("ask-yes").textContent = plain(title);
  at("ask-text").textContent = plain(text);
  at("reason").value = "";
  at("reason").closest(".field").hidden = at("by").closest(".field").hidden = !needsReason;
  openDialog(at("ask"));
  (needsReason ? at("reason") : at("ask-yes")).focus();
  return new Promise((resolve) => { yes = resolve; });
}

async function steer(source, what) {
  const title = { pause: "Pause", resume: "Resume", run: "Run now" }[what];
  const text = { pause: `${source.name} is not looked at until somebody resumes it.`, resume: `${source.name} goes on from now; what was due meanwhile is not made up for.`, run: `${source.name} is looked at now.` }[what];
  if (!(await question(title, text, true))) return;
  const body = JSON.stringify({ reason: at("reason").value, by: at("by").value });
  const answer = await ask(`/api/v1/schedule/${encodeURIComponent(source.id)}/${what}`, { method: "POST", body });
  const done = { pause: "is paused", resume: "goes on", run: "is asked for" }[what];
  say(answer.ok ? `${source.name} ${done}.` : answer.json?.detail ?? "it was not done");
  await look();
}

async function remove(source) {
  if (!(await question("Delete", `${source.name} is deleted. Files stay where they are; its history is kept.`, false))) return;
  const answer = await ask(`/api/v1/datasource/${encodeURIComponent(source.id)}`, { method: "DELETE", headers: { "if-match": `"${source.version}"` } });
  if (answer.ok && state.open === source.id) state.open = null;
  say(answer.ok ? `${source.name} is deleted.` : answer.status === 412 ? `${source.name} was changed by somebody meanwhile; look at it before you delete it.` : answer.json?.detail ?? "it was not deleted");
  await look();
  at("sources").focus();
}

// Start ----------------------------------------------------------------------------------------------------------------------------

for (const type of ["pointerup", "pointercancel", "blur"]) addEventListener(type, () => { state.pressed = -Infinity; }, true);
addEventListener("pointerdown", () => { state.pressed = performance.now(); }, true);
at("new").addEventListener("click", () => openEditor(null));
form.addEventListener("submit", save);
form.addEventListener("input", correct);
for (const name of ["cronExpression", "zone", "calendar", "closedDay", "dst"]) form.elements[name].addEventListener("input", explainSoon);
form.elements.action.addEventListener("input", suit);
at("ask-form").addEventListener("submit", () => { yes?.(true); yes = null; });
at("ask").addEventListener("close", () => { yes?.(false); yes = null; });
document.querySelectorAll("dialog").forEach((dialog) => dialog.addEventListener("close", comeBack));
document.querySelectorAll("[data-close]").forEach((button) => button.addEventListener("click", () => button.closest("dialog").close()));
at("filter").addEventListener("submit", (event) => event.preventDefault());
at("search").addEventListener("input", () => { clearTimeout(searching); searching = setTimeout(() => { state.page = 1; look(); }, 200); });
at("status").addEventListener("change", () => { state.page = 1; look(); });
at("back").addEventListener("click", () => { state.page -= 1; look(); });
at("on").addEventListener("click", () => { state.page += 1; look(); });
for (const zone of Intl.supportedValuesOf?.("timeZone") ?? []) at("zones").append(make("option", { value: zone }));
look();
setInterval(tick, 1000);
setInterval(() => { if (!document.hidden && !document.querySelector("dialog[open]")) look(); }, LOOK_EVERY);
