// Examples for each view, with one that the model should refuse or find nothing in. The models are for Chinese.

import { text } from "./language.js";

const pair = (first, second, kind) => ({ texts: [first, second], label: () => text().kinds[kind] });
const short = (content) => (content.length > 14 ? `${content.slice(0, 13)}…` : content);
const single = (content) => ({ text: content, texts: [content], label: () => short(content) });

export const PAIRS = [
  pair("明天北京会下雨吗", "北京明天有雨吗", "same"),
  pair("我喜欢妈妈做的汤", "妈妈做的汤我很喜欢喝", "otherOrder"),
  pair("苹果手机怎么截图", "如何用iphone截屏", "otherWords"),
  pair("怎么换手机号码", "手机号码多少钱", "sameTopic"),
  pair("今天天气不错", "股票大跌", "unrelated"),
];

const REVIEWS = ["台灯物美价廉，推荐", "雨伞用了一天就坏，太差了", "等了很久，前台态度也不好", "快递昨天下午三点送到"].map(single);
const NEWS = ["银行推出新的小额贷款", "歌手发布第三张专辑", "两国外长举行会谈", "今天吃什么好呢"].map(single);
const INFERENCES = [
  ["老孙每个星期都去一次海边", "老孙去过海边"], ["小王昨天在海边等朋友", "小王从来没有去过海边"], ["小陈在图书馆等朋友", "小陈打算下次带家人去"],
].map(([first, second]) => ({ texts: [first, second], label: () => short(second) }));

export function TEXTS_TO_CLASSIFY(card) {
  const task = card.task || "";
  if (card.labels.includes("entailment") || /nli/.test(task)) return INFERENCES;
  if (/news|iflytek/.test(task)) return NEWS;
  return REVIEWS;
}

export const TEXTS_TO_TAG = [
  { text: "林知夏是晨光软件的校长，住在东岭市学府路，昨晚看了《渡口》。", label: () => text().kinds.manyEntities },
  { text: "王小明上周从北京大学毕业，加入上海的腾讯公司，担任记者。", label: () => text().kinds.other },
  { text: "😂 李雷和韩梅梅在中国银行门口见面", label: () => text().kinds.emoji },
  { text: "今天天气不错，适合出去走走", label: () => text().kinds.noEntity },
];

const COMPANY = "远山机械由林清扬于1980年在月湾市创办。公司最早只生产自行车，后来才有了别的产品。1986年，公司搬到了明镜湖旁边的新厂房。"
  + "如今公司有361名员工，其中三成是工程师，每年夏天都请大家去老城墙游玩。新厂房的屋顶上装着太阳能板，阴天时不够用，要从电网买电。";
const onCompany = (question, label = () => question) => ({ question, context: COMPANY, label });
export const QUESTIONS = [
  onCompany("远山机械是谁创办的？"), onCompany("公司最早只生产什么？"), onCompany("公司有多少员工？"),
  onCompany("月湾市有多少人口？", () => text().kinds.notInText),
];

export const MASKED = ["今天[MASK]气很好", "北京是中国的[MASK]都。", "他买了一本[MASK]，[MASK]在图书馆看。", "他最喜欢的颜色是[MASK]色"].map(single);

export const LINES = [
  "怎么修改手机号码", "手机号码多少钱一个", "苹果手机如何截屏", "明天北京有雨吗", "这家酒店的早餐很丰富", "股票今天大跌",
  "怎样申请退货退款", "孩子发烧了怎么办", "妈妈做的汤很好喝", "如何学好英语口语",
];
export const QUERIES = [
  { text: "换手机号要怎么办", label: () => short("换手机号要怎么办") },
  { text: "iphone截图", label: () => "iphone截图" },
  { text: "买的东西不满意想退掉", label: () => short("买的东西不满意想退掉") },
  { text: "火星离地球有多远", label: () => text().kinds.noneOfThem },
];

export const listOf = (kind, card) => {
  if (kind.path === "/similarity") return PAIRS.map(({ texts }) => texts);
  if (kind.path === "/classify") return TEXTS_TO_CLASSIFY(card).map(({ texts }) => texts);
  if (kind.path === "/ner") return TEXTS_TO_TAG.map((example) => [example.text]);
  return QUESTIONS.map(({ question, context }) => [question, context]);
};
