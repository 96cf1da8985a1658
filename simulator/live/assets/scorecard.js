/* How the talk went, in five numbers beside what people do, and the way to the session page. */

import { at, element } from "./parts.js";

export function showScorecard(lines, report) {
  at("scorecard").hidden = !lines.length && !report;
  at("scorecard").querySelector("dl").replaceChildren(...lines.map(({ name, found, people }) => {
    const line = element("div", "");
    line.append(element("dt", "", name), element("dd", "", found));
    if (people) line.append(element("dd", "people", people));
    return line;
  }));
  at("report").hidden = !report;
  if (report) at("report").href = report;
}
