// Entities in a text: each marked by the colour and the name of its type, and a legend of the types.

import { element } from "./dom.js";
import { current } from "./language.js";
import { markedText } from "./marks.js";

const COLOURS = 12; // of the style sheet
const CHINESE = {
  address: "地址", book: "书名", company: "公司", game: "游戏", government: "政府", movie: "电影", name: "姓名",
  organization: "组织", position: "职位", scene: "景点", PER: "人名", LOC: "地点", ORG: "机构", GPE: "行政区",
  NAME: "姓名", TITLE: "职务", EDU: "学历", CONT: "国籍", PRO: "专业", RACE: "民族", TIME: "时间", NAM: "特指", NOM: "泛指",
};

export function typeName(type) {
  const known = type.split(".").map((part) => CHINESE[part]);
  return current() === "zh" && known.every(Boolean) ? `${known.join("·")} ${type}` : type;
}

const colour = (type, types) => `entity c${Math.max(0, types.indexOf(type)) % COLOURS}`;

function mark(piece, type, types) {
  const made = element("mark", colour(type, types), piece);
  made.dataset.type = type;
  return made;
}

export const entityText = (content, entities, types) =>
  markedText("p", "marked", content, entities, (piece, { type }) => mark(piece, type, types));

export function legend(entities, types) {
  const counts = new Map();
  for (const { type } of entities) counts.set(type, (counts.get(type) || 0) + 1);
  return [...counts].map(([type, count]) => element("li", "", element("span", `swatch ${colour(type, types)}`), `${typeName(type)} × ${count}`));
}
