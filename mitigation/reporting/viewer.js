"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  for (const button of all("button[data-copy]")) {
    button.hidden = false;
    const words = button.textContent;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      let copied = true;
      try {
        await navigator.clipboard.writeText(source.textContent);
      } catch {
        getSelection().selectAllChildren(source);
        copied = document.execCommand("copy");
      }
      button.textContent = copied ? "Copied" : "Selected: copy it with your keyboard";
      setTimeout(() => { button.textContent = words; }, 2000);
    });
  }

  const section = document.getElementById("transcripts");
  if (!section) return;
  const { control } = section.dataset;
  const form = section.querySelector("form");
  const { arm, beside, we, words, toggle, scenario, label, ending } = form.elements;
  const chosen = (select) => (select ? select.value : "");
  const said = form.querySelector("output");
  const blocks = all(".block", section).map((node) => ({ node, battles: all(".battle", node) }));
  const battles = blocks.flatMap((block) => block.battles);
  const texts = new Map();
  const textOf = (battle) => {
    if (!texts.has(battle)) texts.set(battle, battle.textContent.toLowerCase());
    return texts.get(battle);
  };
  const visible = () => battles.filter((battle) => !battle.hidden);

  const filter = () => {
    const sought = words.value.trim().toLowerCase();
    const paired = beside.checked && arm.value !== "" && arm.value !== control;
    beside.disabled = arm.value === "" || arm.value === control;
    section.classList.toggle("beside", paired);
    let matches = 0;
    for (const { node, battles: own } of blocks) {
      const found = new Set(own.filter((battle) =>
        (!arm.value || battle.dataset.arm === arm.value) &&
        (!chosen(scenario) || battle.dataset.scenario === chosen(scenario)) &&
        (!chosen(ending) || battle.dataset.ending === chosen(ending)) &&
        (!chosen(label) || battle.dataset.labels.split("|").includes(chosen(label))) &&
        (!we.value || battle.dataset.we === we.value) &&
        (!sought || textOf(battle).includes(sought))));
      matches += found.size;
      for (const battle of own) battle.hidden = !found.has(battle) && !(paired && found.size && battle.dataset.arm === control);
      node.hidden = found.size === 0;
    }
    said.textContent = `${matches} of ${battles.length} battles`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  toggle.addEventListener("click", () => {
    const open = visible().some((battle) => !battle.open);
    for (const battle of visible()) battle.open = open;
    toggle.textContent = open ? "Close all" : "Open all";
  });
  for (const { battles: own } of blocks) {
    for (const battle of own) {
      battle.addEventListener("toggle", () => {
        if (section.classList.contains("beside")) for (const mate of own) if (!mate.hidden) mate.open = battle.open;
      });
    }
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    const step = { j: 1, k: -1 }[event.key];
    if (!step) return;
    const shown = visible();
    const here = shown.indexOf(document.activeElement && document.activeElement.closest(".battle"));
    const next = shown[here < 0 ? 0 : here + step];
    if (!next) return;
    event.preventDefault();
    next.open = true;
    next.querySelector("summary").focus();
    next.scrollIntoView({ block: "start" });
  });

  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const battle = target && target.closest(".battle");
    if (!battle) return;
    if (battle.hidden) {
      form.reset();
      filter();
    }
    battle.open = true;
    target.scrollIntoView({ block: "start" });
  };
  addEventListener("hashchange", follow);

  for (const text of all(".text.long", section)) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "more";
    const fold = (folded) => {
      text.classList.toggle("folded", folded);
      button.setAttribute("aria-expanded", String(!folded));
      button.textContent = folded ? "Show all" : "Show less";
    };
    button.addEventListener("click", () => fold(!text.classList.contains("folded")));
    fold(true);
    text.after(button);
  }

  form.hidden = false;
  filter();
  follow();
})();
