/* How the talk went, in five numbers beside what people do, the way to the session page, and the same take before others. */

import { at, element } from "./parts.js";

/** rivals: the names of agents that the take may be put before; ask(number) asks for one. */
export function showScorecard(lines, report, rivals, ask) {
  at("scorecard").hidden = !lines.length && !report;
  at("scorecard").querySelector("dl").replaceChildren(...lines.map(drawn));
  at("report").hidden = !report;
  if (report) at("report").href = report;
  at("rivals").replaceChildren(...rivals.map((name, number) => {
    const box = element("section", "rival"), button = element("button", "second", `The same take before ${name}`);
    button.type = "button";
    button.disabled = !ask;
    button.addEventListener("click", () => {
      button.disabled = true;
      button.textContent = `Playing it before ${name} …`;
      ask(number);
    });
    box.dataset.name = name;
    box.append(button);
    return box;
  }));
}

/** What a rival came to, in the place of its button. */
export function showRival({ number, problem, scorecard, report }) {
  const box = at("rivals").children[number];
  if (!box) return;
  const list = element("dl", "");
  list.append(...scorecard.map(({ name, found }) => drawn({ name, found })));
  box.replaceChildren(element("h3", "", `The same take before ${box.dataset.name}`), list);
  if (problem) box.append(element("p", "quiet", `It could not be completed: ${problem}`));
  if (!report) return;
  const link = element("a", "", "Open its session");
  link.href = report;
  link.target = "_blank";
  box.append(link);
}

function drawn({ name, found, people }) {
  const line = element("div", "");
  line.append(element("dt", "", name), element("dd", "", found));
  if (people) line.append(element("dd", "people", people));
  return line;
}
