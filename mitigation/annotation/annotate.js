"use strict";
(() => {
  const by = (id) => document.getElementById(id);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const guide = by("guide");
  const kinds = new Map(all(".kind").map((node) => [`${node.dataset.label}/${node.dataset.tier}`, node.dataset.name]));
  const names = new Map(all(".label").map((node) => [node.dataset.label, node.dataset.name]));
  const inReview = by("own") !== null;

  // What was opened once is kept, so that going back loses nothing that is not saved yet.
  const opened = new Map();
  let queue = [];
  let place = 0;
  let now = null;
  let busy = false;

  const say = (words) => { by("said").textContent = words; };
  const ask = async (path, given) => {
    const how = given === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(given) };
    let answer;
    try {
      answer = await fetch(path, how);
    } catch {
      throw new Error("the program does not answer: start it again with the same command");
    }
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error);
    return told;
  };

  // Offsets are code points, as in Python; a string here is UTF-16.
  const points = (string) => [...string].length;
  const make = (name, kind, ...children) => {
    const node = document.createElement(name);
    if (kind) node.className = kind;
    node.append(...children);
    return node;
  };
  const readable = ({ agent, text, codes, mixed }) => ({ agent, mixed, codes: new Map(codes), chars: [...text] });
  const slice = (message, start, end) => message.chars.slice(start, end).join("");
  // Spans of a text, each with one text node and the offset that it begins at.
  const runs = (message, from, to) => {
    const edges = new Set([from, to]);
    for (const at of message.codes.keys()) edges.add(at).add(at + 1);
    for (const [start, end] of message.mixed) edges.add(start).add(end);
    const cuts = [...edges].filter((at) => at >= from && at <= to).sort((a, b) => a - b);
    return cuts.slice(1).map((end, i) => {
      const start = cuts[i];
      const code = message.codes.get(start);
      const mixed = message.mixed.some(([first, last]) => first <= start && end <= last);
      const node = make("span", code ? "code" : mixed ? "mixed" : "", code || slice(message, start, end));
      if (code) node.title = "a character that cannot be seen";
      if (mixed) node.title = "letters of two alphabets in one word";
      node.dataset.at = start;
      return node;
    });
  };

  const beside = (one, other) => one.end <= other.start || other.end <= one.start;
  const draft = (message, said, unsaid) => {
    const mentions = said ? said.mentions.map(({ start, end, label, tier }) => ({ start, end, label, tier })) : [];
    for (const [start, end] of message.tokens) {
      const token = { start, end, label: unsaid, tier: null, found: true };
      const same = mentions.find((mention) => mention.start === start && mention.end === end);
      if (same) same.found = true;
      else if (mentions.every((mention) => beside(mention, token))) mentions.push(token);
    }
    mentions.sort((a, b) => a.start - b.start);
    const labels = Object.fromEntries([...names.keys()].map((label) => [label, Boolean(said && said.labels[label])]));
    return { mentions, labels };
  };
  const take = (said, unsaid = null) => {
    Object.assign(now, draft(now, said, unsaid));
    now.active = now.mentions.findIndex((mention) => !mention.label);
    if (now.active < 0) now.active = now.mentions.length ? 0 : -1;
  };

  const reading = (list, said, other) => {
    const key = ({ start, end }) => `${start}-${end}`;
    const words = (one, span) => {
      const mention = one.mentions.find((each) => key(each) === key(span));
      return mention ? kinds.get(`${mention.label}/${mention.tier || ""}`) : kinds.get("none/");
    };
    const item = (differs, ...children) => make("li", differs ? "differs" : "", ...children);
    const spans = new Map([...said.mentions, ...other.mentions].map((span) => [key(span), span]));
    const items = [...spans.values()].sort((a, b) => a.start - b.start).map((span) => {
      const shown = runs(now.message, Math.max(0, span.start - 12), Math.min(now.message.chars.length, span.end + 12));
      return item(words(said, span) !== words(other, span), "…", ...shown, `…: ${words(said, span)}`);
    });
    for (const [label, name] of names) {
      const differs = said.labels[label] !== other.labels[label] && said.labels[label] !== null && other.labels[label] !== null;
      if (said.labels[label] || differs) items.push(item(differs, said.labels[label] ? name : `not ${name}`));
    }
    by(list).replaceChildren(...items);
  };

  const chip = (mention, index) => {
    const name = mention.label ? kinds.get(`${mention.label}/${mention.tier || ""}`) : "no label yet";
    const node = make("button", mention.label ? "chip judged" : "chip", ...runs(now.message, mention.start, mention.end), make("span", "tag", name));
    node.type = "button";
    node.setAttribute("aria-label", `${node.textContent.slice(0, -name.length)}: ${name}`);
    if (index === now.active) node.setAttribute("aria-current", "true");
    node.addEventListener("focus", () => activate(index));
    return node;
  };
  const activate = (index) => {
    now.active = index;
    all(".chip").forEach((node, i) => (i === index ? node.setAttribute("aria-current", "true") : node.removeAttribute("aria-current")));
  };
  const draw = () => {
    const pieces = [];
    let last = 0;
    now.mentions.forEach((mention, index) => {
      pieces.push(...runs(now.message, last, mention.start), chip(mention, index));
      last = mention.end;
    });
    by("text").replaceChildren(...pieces, ...runs(now.message, last, now.message.chars.length));
    for (const node of all(".label")) node.setAttribute("aria-pressed", String(now.labels[node.dataset.label]));
    (all(".chip")[now.active] || by("text")).focus();
  };
  const count = () => {
    const done = queue.filter((message) => message.done).length;
    by("count").textContent = `${done} of ${queue.length}`;
    by("progress").max = queue.length || 1;
    by("progress").value = done;
  };

  // Behind the last message comes the first that is not done.
  const open = async (next) => {
    if (next < 0) return say("This is the first message.");
    if (next >= queue.length) next = queue.findIndex((message) => !message.done);
    if (next < 0) {
      [place, now] = [queue.length, null];
      by("work").hidden = true;
      by("end").hidden = false;
      by("end").focus();
      return say("");
    }
    const { id } = queue[next];
    if (!opened.has(id)) {
      const told = await ask(`message/${id}`);
      opened.set(id, { ...told, before: readable(told.before), message: readable(told.message) });
    }
    [place, now] = [next, opened.get(id)];
    if (!now.mentions) take(now.own);
    by("work").hidden = false;
    by("end").hidden = true;
    by("opens").hidden = !now.opens;
    by("before-who").textContent = now.before.agent;
    by("who").textContent = now.message.agent;
    by("before").replaceChildren(...runs(now.before, 0, now.before.chars.length));
    by("before").scrollTop = by("before").scrollHeight;
    if (inReview) {
      reading("own", now.own, now.other);
      reading("other", now.other, now.own);
    }
    say("");
    draw();
    scrollTo(0, 0);
  };

  const save = async () => {
    const missing = now.mentions.findIndex((mention) => !mention.label);
    if (missing >= 0) {
      now.active = missing;
      draw();
      return say("Not saved: a mention has no label yet.");
    }
    const { id, done } = queue[place];
    if (now.changed || !done) {
      const mentions = now.mentions.map(({ start, end, label, tier }) => ({ start, end, label, tier, text: slice(now.message, start, end) }));
      await ask(`message/${id}`, { mentions, labels: now.labels });
      now.changed = false;
      queue[place].done = true;
      count();
    }
    return open(place + 1);
  };

  const judge = (label, tier) => {
    const mention = now.mentions[now.active];
    if (!mention) return say("There is no mention here; add one with a.");
    now.changed = true;
    say("");
    if (label === "none" && !mention.found) now.mentions.splice(now.active, 1);
    else Object.assign(mention, { label, tier: tier || null });
    const order = [...now.mentions.keys()];
    const next = [...order.slice(now.active), ...order.slice(0, now.active)].find((index) => !now.mentions[index].label);
    now.active = next === undefined ? Math.min(now.active, now.mentions.length - 1) : next;
    return draw();
  };
  const toggle = (label) => {
    now.changed = true;
    now.labels[label] = !now.labels[label];
    for (const node of all(".label")) node.setAttribute("aria-pressed", String(now.labels[node.dataset.label]));
  };
  const step = (places) => {
    const size = now.mentions.length;
    if (size) all(".chip")[(now.active + places + size) % size].focus();
  };

  const add = (start, end) => {
    while (start < end && !slice(now.message, start, start + 1).trim()) start += 1;
    while (start < end && !slice(now.message, end - 1, end).trim()) end -= 1;
    const mention = { start, end, label: null, tier: null };
    if (start === end || !now.mentions.every((other) => beside(other, mention))) return say("That is marked already.");
    now.changed = true;
    now.mentions.push(mention);
    now.mentions.sort((a, b) => a.start - b.start);
    now.active = now.mentions.indexOf(mention);
    say("Added: give it a label.");
    return draw();
  };
  const selected = () => {
    const range = getSelection().rangeCount ? getSelection().getRangeAt(0) : null;
    if (!range || range.collapsed) return null;
    let span = null;
    for (const run of all("[data-at]", by("text"))) {
      const node = run.firstChild;
      if (!range.intersectsNode(node)) continue;
      const from = range.startContainer === node ? range.startOffset : 0;
      const to = range.endContainer === node ? range.endOffset : node.length;
      if (from === to) continue;
      const at = Number(run.dataset.at);
      const code = run.className === "code";
      const ends = [at + (code ? 0 : points(node.data.slice(0, from))), at + (code ? 1 : points(node.data.slice(0, to)))];
      span = span ? [span[0], ends[1]] : ends;
    }
    return span;
  };
  const addSelected = () => {
    const span = selected();
    if (!span) return by("words").focus();
    getSelection().removeAllRanges();
    return add(...span);
  };
  by("missed").addEventListener("submit", (event) => {
    event.preventDefault();
    const words = by("words").value.trim();
    const text = now.message.chars.join("");
    for (let at = text.indexOf(words); words && at >= 0; at = text.indexOf(words, at + 1)) {
      const start = points(text.slice(0, at));
      const span = { start, end: start + points(words) };
      if (now.mentions.every((mention) => beside(mention, span))) {
        by("words").value = "";
        return add(span.start, span.end);
      }
    }
    return say("These words do not stand there unmarked.");
  });

  // What needs an open message is not done without one, and nothing is begun while an answer is awaited.
  const run = async (act, needed = true) => {
    if (busy || (needed && !now)) return;
    busy = true;
    try {
      await act();
    } catch (error) {
      say(`Not done: ${error.message}.`);
    }
    busy = false;
  };
  const on = () => (now && !queue[place].done ? say("Save it first.") : open(Math.min(place + 1, queue.length)));
  const acts = {
    guide: () => guide.showModal(),
    add: () => run(addSelected),
    save: () => run(save),
    back: () => run(() => open(place - 1), false),
    own: () => run(() => { now.changed = true; take(now.own); draw(); }),
    other: () => run(() => { now.changed = true; take(now.other, "none"); draw(); }),
  };
  const keys = new Map([
    ["j", () => run(() => step(1))],
    ["k", () => run(() => step(-1))],
    ["ArrowLeft", acts.back],
    ["ArrowRight", () => run(on)],
  ]);
  for (const node of all("[data-key]")) {
    const { key, label, tier } = node.dataset;
    const act = node.dataset.do ? acts[node.dataset.do]
      : node.classList.contains("kind") ? () => run(() => judge(label, tier)) : () => run(() => toggle(label));
    keys.set(key, act);
    node.addEventListener("click", act);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    // Shift with an arrow selects text.
    if (event.shiftKey && event.key.length > 1) return;
    if (guide.open) {
      if (event.key === "?") guide.close();
      return;
    }
    if (event.target.closest("input")) {
      if (event.key === "Escape") by("text").focus();
      return;
    }
    // On a button that is no label, Enter presses it.
    if (event.key === "Enter" && event.target.closest("button:not(.chip, .kind, .label)")) return;
    const act = keys.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!act) return;
    event.preventDefault();
    act();
  });

  run(async () => {
    queue = (await ask("queue")).messages;
    count();
    await open(queue.length);
  }, false);
})();
