// What a script can add: nothing here is needed, everything is reached without it.
"use strict";
(() => {
  const zh = document.documentElement.lang.startsWith("zh");
  const say = (chinese, english) => (zh ? chinese : english);

  // What has data-poll is asked for again, every two seconds, until it comes back without: with an id, that element
  // from that address; without, the content of this page. Nobody's typing is taken away.
  let failures = 0;
  const again = (element) => setTimeout(() => poll(element), Math.min(30000, 2000 * 2 ** failures));
  async function poll(element) {
    if (!element.isConnected) return;
    if (document.hidden) return again(element);
    const find = (page) => (element.id ? page.getElementById(element.id) : page.getElementById("main"));
    const old = find(document);
    if (/^(input|select|textarea)$/i.test(document.activeElement?.tagName) && old.contains(document.activeElement)) return again(element);
    try {
      const answer = await fetch(element.id ? element.dataset.poll : location.href, { headers: { "X-Poll": "1", Accept: "text/html" } });
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      const fresh = find(new DOMParser().parseFromString(await answer.text(), "text/html"));
      failures = 0;
      if (!fresh) return;
      if (old.innerHTML === fresh.innerHTML) return again(element);
      const next = document.importNode(fresh, true);
      old.replaceWith(next);
      const more = element.id ? next : next.querySelector("[data-poll]");
      if (more?.dataset.poll) again(more);
    } catch {
      failures += 1;
      if (failures < 6) again(element);
    }
  }
  document.querySelectorAll("[data-poll]").forEach(again);

  // Forms that cannot be undone ask once more.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
    if (question && !window.confirm(question)) {
      event.preventDefault();
      return;
    }
    // A second click sends nothing twice. After this turn, so that the pressed button's own value still goes along.
    if (form.method === "post") setTimeout(() => form.querySelectorAll("button").forEach((button) => (button.disabled = true)));
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form button").forEach((button) => (button.disabled = false));
  });

  // One choice for a whole column of a table: a tick for ticks, a word for decisions.
  document.querySelectorAll("form table").forEach((table) => {
    const ticks = [...table.querySelectorAll("tbody input[type=checkbox]:not([disabled])")];
    if (ticks.length > 1) {
      const cell = ticks[0].closest("td, th");
      const head = table.tHead?.rows[0]?.cells[cell.cellIndex];
      if (head && ticks.every((tick) => tick.closest("td, th").cellIndex === cell.cellIndex)) {
        const all = document.createElement("input");
        all.type = "checkbox";
        all.setAttribute("aria-label", say("全选", "Select all"));
        const show = () => {
          const count = ticks.filter((tick) => tick.checked).length;
          all.checked = count === ticks.length;
          all.indeterminate = count > 0 && count < ticks.length;
        };
        all.addEventListener("change", () => ticks.forEach((tick) => (tick.checked = all.checked)));
        table.addEventListener("change", (event) => event.target !== all && show());
        show();
        head.prepend(all, " ");
      }
    }
    const choices = [...table.querySelectorAll("tbody fieldset.choice")];
    if (choices.length > 1) {
      const line = document.createElement("p");
      line.className = "small muted";
      line.append(say("全部设为：", "Set all to: "));
      choices[0].querySelectorAll("input").forEach((option) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "plain";
        button.textContent = option.nextElementSibling.textContent;
        button.addEventListener("click", () =>
          choices.forEach((choice) => {
            const match = choice.querySelector(`input[value="${CSS.escape(option.value)}"]`);
            if (match) match.checked = true;
          })
        );
        line.append(button, " ");
      });
      (table.closest(".scroll") ?? table).before(line);
    }
  });

  // Long lists of choices are narrowed by typing.
  document.querySelectorAll("select[data-filter]").forEach((select) => {
    const options = [...select.options];
    const input = document.createElement("input");
    input.type = "search";
    input.className = "narrowing";
    input.placeholder = select.dataset.filter;
    input.setAttribute("aria-label", select.dataset.filter);
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      const kept = options.filter((option) => option.selected || option.text.toLowerCase().includes(wanted));
      const chosen = select.value;
      select.replaceChildren(...kept);
      select.value = chosen;
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
    select.before(input);
  });

  // What was wrong is read first; menus close when one leaves them.
  document.querySelector(".faults")?.focus();
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.who[open]").forEach((menu) => menu.contains(event.target) || (menu.open = false));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.who[open]").forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });
})();
