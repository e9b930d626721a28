"""Tables of everyday Chinese questions for `make_sample_pairs.py`.

A domain (weather, cooking, banking ...) has two slots and a few intents. An intent is a tuple of
templates which all ask for the same thing; each template names both slots of its domain in braces.
The marks ``?`` and ``,`` stand for the full-width marks of Chinese text.
"""

from __future__ import annotations

from typing import Dict, NamedTuple, Tuple

# Said by a person who no longer wants the answer: the same words, another meaning.
SECOND_THOUGHTS = (
    "算了不用回答",
    "不用说了我已经知道",
    "还是算了别查了",
    "哦我自己找到了不用查",
    "先别管这个了",
    "算了不想知道了",
)


class Domain(NamedTuple):
    """Two named slots with their values, and the templates of each intent."""

    name: str
    slots: Tuple[Tuple[str, Tuple[str, ...]], Tuple[str, Tuple[str, ...]]]
    intents: Dict[str, Tuple[str, ...]]


CITIES = ("北京", "上海", "广州", "成都", "西安", "武汉", "杭州", "重庆", "长沙", "昆明")

WEATHER = Domain(
    name="weather",
    slots=(
        ("city", CITIES),
        ("day", ("今天", "明天", "后天", "周一", "周三", "周五", "周末", "下周")),
    ),
    intents={
        "general": (
            "{city}{day}的天气怎么样?",
            "{day}{city}天气好不好?",
            "我想知道{city}{day}是什么天气",
            "帮我查一下{day}{city}的天气",
            "{city}那边{day}的天气预报怎么说?",
            "请问{day}{city}的天气情况如何?",
            "{day}在{city}会是个什么样的天气呢?",
        ),
        "temperature": (
            "{city}{day}的气温是多少?",
            "{day}{city}的气温有几度?",
            "我想知道{city}{day}气温多少度",
            "帮我查一下{day}{city}的气温",
            "{city}那边{day}气温大概是几度?",
            "请问{day}{city}有多少度?",
        ),
        "rain": (
            "{city}{day}会下雨吗?",
            "{day}{city}有没有雨?",
            "我想知道{city}{day}会不会下雨",
            "帮我看看{day}{city}下不下雨",
            "{city}那边{day}是不是要下雨?",
            "请问{day}{city}有雨吗?",
        ),
        "clothes": (
            "{city}{day}穿什么衣服合适?",
            "{day}在{city}应该怎么穿?",
            "我想知道{city}{day}该穿什么衣服",
            "帮我看看{day}在{city}穿哪种衣服好",
            "{day}人在{city}要穿什么才好呢?",
            "请问{day}{city}适合穿什么样的衣服?",
        ),
    },
)

TRANSPORT = Domain(
    name="transport",
    slots=(("start", CITIES[:9]), ("end", CITIES[1:])),
    intents={
        "duration": (
            "从{start}到{end}要多长时间?",
            "{start}去{end}要坐几个小时的车?",
            "我想知道{start}到{end}路上要几个小时",
            "坐车从{start}去{end}得花多少时间?",
            "请问{start}到{end}需要几个小时?",
            "要去{end},从{start}出发得花多长时间?",
        ),
        "price": (
            "从{start}到{end}的车票多少钱?",
            "{start}去{end}的票价是多少?",
            "我想知道{start}到{end}的票价",
            "买一张{start}去{end}的车票要多少钱?",
            "请问{start}到{end}的车票是什么价格?",
            "要去{end},从{start}走的票价多少钱?",
        ),
        "distance": (
            "从{start}到{end}有多少公里?",
            "{start}离{end}有多远?",
            "我想知道{start}到{end}的距离有多远",
            "{start}和{end}之间相距多少公里?",
            "请问{start}距离{end}多少公里?",
            "{end}离{start}远不远,有多少公里?",
        ),
        "first_bus": (
            "从{start}到{end}最早一班车几点开?",
            "{start}去{end}的第一班车是几点?",
            "我想知道{start}到{end}最早的班车时间",
            "早上第一班从{start}去{end}的车几点走?",
            "请问{start}到{end}的头班车几点发车?",
            "要去{end},{start}最早的一班车在几点?",
        ),
    },
)

COOKING = Domain(
    name="cooking",
    slots=(
        ("tool", ("电饭锅", "微波炉", "烤箱", "高压锅", "平底锅", "空气炸锅", "砂锅", "蒸锅")),
        ("food", ("鸡翅", "排骨", "土豆", "红薯", "玉米", "南瓜", "豆腐", "茄子", "鸡腿", "大虾")),
    ),
    intents={
        "recipe": (
            "用{tool}怎么做{food}?",
            "{tool}做{food}的方法是什么?",
            "我想学用{tool}做{food}的做法",
            "{food}用{tool}怎样做才好吃?",
            "请教我用{tool}做{food}的步骤",
            "有没有用{tool}做{food}的菜谱?",
        ),
        "minutes": (
            "用{tool}做{food}要几分钟?",
            "{tool}做{food}需要多长时间?",
            "我想知道{food}放进{tool}几分钟能熟",
            "{food}用{tool}做要多少时间才能熟?",
            "请问用{tool}把{food}做熟要多少分钟?",
            "{tool}里的{food}得做多长时间?",
        ),
        "seasoning": (
            "用{tool}做{food}要放什么调料?",
            "{tool}做{food}加哪些调料好?",
            "我想知道{tool}做{food}用什么调料",
            "{food}用{tool}做的时候放哪几种调料?",
            "请问拿{tool}做{food}需要什么调料?",
            "{tool}做{food}该准备哪些调料呢?",
        ),
        "possible": (
            "{food}可以用{tool}做吗?",
            "{tool}能不能做{food}?",
            "我想用{tool}做{food},可以吗?",
            "{food}能不能放进{tool}里做?",
            "请问{tool}可以做{food}吗?",
            "{tool}可不可以拿来做{food}呢?",
        ),
    },
)

PHONES = Domain(
    name="phones",
    slots=(
        ("device", ("手机", "平板", "电脑", "笔记本", "电视", "手表", "车机", "学习机")),
        (
            "app",
            (
                "微信",
                "浏览器",
                "输入法",
                "地图",
                "音乐软件",
                "阅读软件",
                "视频软件",
                "计算器",
                "翻译软件",
            ),
        ),
    ),
    intents={
        "broken": (
            "{device}上的{app}打不开怎么办?",
            "我{device}里的{app}突然打不开了,怎么解决?",
            "{app}在{device}上打不开,该怎么处理?",
            "请问{device}打不开{app}要怎么弄?",
            "{device}的{app}一直打不开,有什么办法?",
            "求助,{device}上{app}打不开了怎么修?",
        ),
        "install": (
            "{device}上怎么安装{app}?",
            "我想在{device}里安装一个{app},怎么弄?",
            "{app}在{device}上要怎么下载安装?",
            "请问如何给{device}装上{app}?",
            "教我把{app}安装到{device}上",
            "{device}安装{app}的步骤是什么?",
        ),
        "remove": (
            "{device}上怎么卸载{app}?",
            "我想把{device}里的{app}删掉,怎么弄?",
            "{app}在{device}上要怎么删除?",
            "请问如何卸载{device}上的{app}?",
            "教我把{app}从{device}上删除",
            "{device}卸载{app}的步骤是什么?",
        ),
        "update": (
            "{device}上怎么更新{app}?",
            "我想把{device}里的{app}升级,怎么弄?",
            "{app}在{device}上要怎么升级到新版本?",
            "请问如何更新{device}上的{app}?",
            "教我把{device}的{app}更新成最新版",
            "{device}升级{app}的步骤是什么?",
        ),
    },
)

HEALTH = Domain(
    name="health",
    slots=(
        ("who", ("孩子", "老人", "孕妇", "爸爸", "妈妈", "奶奶", "同事", "室友", "弟弟")),
        ("symptom", ("头疼", "发烧", "咳嗽", "失眠", "牙疼", "胃疼", "过敏", "感冒")),
    ),
    intents={
        "medicine": (
            "{who}{symptom}吃什么药?",
            "{who}{symptom}了用哪种药比较好?",
            "我想知道{who}{symptom}该吃什么药",
            "{symptom}的{who}能吃哪些药?",
            "请问{who}{symptom}要用什么药?",
            "{who}最近{symptom},买什么药好呢?",
        ),
        "department": (
            "{who}{symptom}挂什么科?",
            "{who}{symptom}了去医院该挂哪个科?",
            "我想知道{who}{symptom}要看哪个科",
            "带{symptom}的{who}去医院挂哪一科?",
            "请问{who}{symptom}应该看什么科?",
            "{who}最近{symptom},去医院看哪个科室?",
        ),
        "cause": (
            "{who}{symptom}是什么原因?",
            "{who}为什么会{symptom}?",
            "我想知道{who}{symptom}的原因",
            "是什么原因让{who}{symptom}的?",
            "请问{who}{symptom}是怎么引起的?",
            "{who}最近{symptom},原因是什么呢?",
        ),
        "exercise": (
            "{who}{symptom}可以运动吗?",
            "{who}{symptom}了还能不能锻炼?",
            "我想知道{who}{symptom}能不能运动",
            "{symptom}的{who}适合做运动吗?",
            "请问{who}{symptom}时可以锻炼身体吗?",
            "{who}最近{symptom},还可以去锻炼吗?",
        ),
    },
)

STUDY = Domain(
    name="study",
    slots=(
        ("grade", ("初一", "初二", "初三", "高一", "高二", "高三", "大一", "大二")),
        ("subject", ("数学", "英语", "语文", "物理", "化学", "历史", "地理", "生物", "政治")),
    ),
    intents={
        "learn": (
            "怎么学好{grade}{subject}?",
            "{grade}的{subject}怎样才能学好?",
            "我想学好{grade}的{subject},有什么方法?",
            "请问有什么办法学好{grade}{subject}?",
            "{subject}在{grade}要怎么学才好?",
            "学好{grade}{subject}的方法有哪些?",
        ),
        "exam": (
            "{grade}{subject}什么时候考试?",
            "{grade}的{subject}考试在哪一天?",
            "我想知道{grade}{subject}的考试时间",
            "请问{grade}{subject}几号考试?",
            "{subject}在{grade}是哪天考试?",
            "查一下{grade}{subject}考试的日期",
        ),
        "tutor": (
            "哪里能请到{grade}{subject}的家教?",
            "想找一位教{grade}{subject}的家教老师",
            "我要给孩子请个{grade}的{subject}家教",
            "请问怎么找{grade}{subject}家教?",
            "有没有人可以做{grade}{subject}的家教?",
            "帮忙介绍一个{grade}{subject}的家教老师",
        ),
        "textbook": (
            "{grade}{subject}的课本在哪里买?",
            "哪儿可以买到{grade}的{subject}教材?",
            "我想买一本{grade}{subject}课本,去哪买?",
            "请问{grade}{subject}的教材哪里有卖?",
            "去什么地方能买到{grade}{subject}的课本?",
            "想买{grade}的{subject}教材应该去哪里?",
        ),
    },
)

BANK = Domain(
    name="bank",
    slots=(
        (
            "bank",
            (
                "农业银行",
                "建设银行",
                "工商银行",
                "交通银行",
                "中国银行",
                "招商银行",
                "邮政银行",
                "农商银行",
            ),
        ),
        ("card", ("信用卡", "储蓄卡", "工资卡", "社保卡", "副卡", "存折", "公务卡", "学生卡")),
    ),
    intents={
        "open": (
            "怎么办理{bank}的{card}?",
            "{bank}{card}要如何申请?",
            "我想申请一张{bank}{card},怎么办理?",
            "请问在{bank}怎样申请{card}?",
            "去{bank}办{card}需要什么手续?",
            "想在{bank}新办{card}该怎么申请?",
        ),
        "lost": (
            "{bank}的{card}丢了怎么办?",
            "{bank}{card}不见了要如何挂失?",
            "我把{bank}{card}弄丢了,怎么挂失?",
            "请问在{bank}怎样挂失{card}?",
            "{card}丢失了,去{bank}怎么挂失?",
            "丢了{bank}的{card}该怎么挂失?",
        ),
        "password": (
            "{bank}的{card}忘记密码怎么办?",
            "{bank}{card}密码忘了要如何找回?",
            "我忘了{bank}{card}的密码,怎么重设?",
            "请问在{bank}怎样重设{card}的密码?",
            "{card}的密码想不起来,去{bank}怎么找回?",
            "忘记{bank}{card}密码该怎么重设?",
        ),
        "close": (
            "怎么注销{bank}的{card}?",
            "{bank}{card}不用了要如何注销?",
            "我想把{bank}{card}注销掉,怎么弄?",
            "请问在{bank}怎样注销{card}?",
            "{card}不想要了,去{bank}怎么销户?",
            "想给{bank}的{card}销户该怎么做?",
        ),
    },
)

DELIVERY = Domain(
    name="delivery",
    slots=(
        ("when", ("昨天", "前天", "上周", "月初", "周日", "中午", "国庆", "年前")),
        ("item", ("鞋子", "衣服", "耳机", "水杯", "雨伞", "书包", "台灯", "键盘", "玩具", "牛奶")),
    ),
    intents={
        "arrival": (
            "我{when}买的{item}什么时候到?",
            "{when}下单的{item}几天能送到?",
            "请问{when}买的{item}哪天送到?",
            "帮我查查{when}买的{item}几时能到",
            "{when}订的{item}还要多久才能送到?",
            "想知道{when}买的{item}什么时候送来",
        ),
        "refund": (
            "我{when}买的{item}想退货,怎么弄?",
            "{when}下单的{item}怎么退款?",
            "请问{when}买的{item}要怎么退货?",
            "{when}买的{item}退货退款要怎么申请?",
            "{when}订的{item}不想要了,怎么退货?",
            "怎样给{when}买的{item}办退货?",
        ),
        "address": (
            "我{when}买的{item}想改地址,怎么弄?",
            "{when}下单的{item}怎么修改地址?",
            "请问{when}买的{item}要怎么换收货地址?",
            "{when}买的{item}地址写错了怎么改?",
            "{when}订的{item}要换个地址,怎么操作?",
            "怎样修改{when}买的{item}的收货地址?",
        ),
        "invoice": (
            "我{when}买的{item}想开发票,怎么弄?",
            "{when}下单的{item}怎么开发票?",
            "请问{when}买的{item}要怎么开发票?",
            "{when}买的{item}没有发票,怎么补开?",
            "{when}订的{item}的发票要如何申请?",
            "怎样给{when}买的{item}申请发票?",
        ),
    },
)

REMINDERS = Domain(
    name="reminders",
    slots=(
        (
            "time",
            ("早上七点", "上午十点", "中午", "下午三点", "傍晚", "晚上八点", "明早", "后天下午"),
        ),
        (
            "task",
            ("开会", "吃药", "跑步", "上课", "接孩子", "浇花", "交作业", "买菜", "练琴", "洗车"),
        ),
    ),
    intents={
        "set": (
            "{time}提醒我{task}",
            "请在{time}叫我去{task}",
            "帮我设一个{time}{task}的提醒",
            "我{time}要{task},到时候叫我",
            "记得{time}的时候提醒我去{task}",
            "{time}要{task},麻烦你提醒我一声",
        ),
        "cancel": (
            "取消{time}{task}的提醒",
            "请把{time}{task}的提醒删掉",
            "帮我取消{time}去{task}的提醒",
            "我{time}不{task}了,取消提醒",
            "{time}的{task}取消了,不用提醒我",
            "{time}{task}的提醒不要了,删掉吧",
        ),
        "postpone": (
            "把{time}{task}的提醒推迟一小时",
            "请将{time}的{task}往后推一个小时",
            "帮我把{time}去{task}的事推迟一小时",
            "我{time}要{task},推迟一个小时提醒",
            "{time}的{task}延后一小时再提醒我",
            "{time}{task}的提醒晚一个小时吧",
        ),
    },
)

PETS = Domain(
    name="pets",
    slots=(
        ("pet", ("小猫", "小狗", "兔子", "仓鼠", "乌龟", "鹦鹉", "金鱼", "刺猬")),
        ("food", ("苹果", "牛奶", "面包", "鸡蛋", "白菜", "香蕉", "米饭", "虾皮", "饼干")),
    ),
    intents={
        "can_eat": (
            "{pet}可以吃{food}吗?",
            "{pet}能不能吃{food}?",
            "我想知道{food}能不能给{pet}吃",
            "请问{food}可以喂给{pet}吗?",
            "给{pet}喂{food}可不可以?",
            "家里的{pet}能吃{food}吗?",
        ),
        "amount": (
            "{pet}一天吃多少{food}?",
            "每天给{pet}喂多少{food}合适?",
            "我想知道{pet}每天该吃多少{food}",
            "请问{pet}一天喂多少{food}才好?",
            "{food}一天给{pet}喂多少比较好?",
            "家里的{pet}每天要吃多少{food}?",
        ),
        "refuse": (
            "{pet}不爱吃{food}怎么办?",
            "{pet}不肯吃{food},有什么办法?",
            "我家{pet}不喜欢吃{food},怎么办?",
            "请问{pet}不吃{food}该怎么处理?",
            "给{pet}喂{food}它不肯吃怎么办?",
            "遇到{pet}不愿意吃{food}要怎么办?",
        ),
    },
)

TRAVEL = Domain(
    name="travel",
    slots=(
        ("who", ("孩子", "父母", "女友", "同学", "爷爷", "客户", "表妹", "外婆")),
        ("city", CITIES),
    ),
    intents={
        "sights": (
            "带{who}去{city}有什么好玩的景点?",
            "{city}有哪些景点适合带{who}玩?",
            "我想带{who}去{city},推荐几个景点",
            "请问跟{who}到{city}该逛哪些景点?",
            "陪{who}去{city}旅游要看什么景点?",
            "和{who}去{city},哪些景点值得看?",
        ),
        "hotel": (
            "带{who}去{city}住哪家酒店好?",
            "{city}有哪些酒店适合带{who}住?",
            "我想带{who}去{city},推荐个酒店",
            "请问跟{who}到{city}该订什么酒店?",
            "陪{who}去{city}旅游住什么酒店?",
            "和{who}去{city},哪家酒店值得住?",
        ),
        "snacks": (
            "带{who}去{city}吃什么小吃好?",
            "{city}有哪些小吃适合带{who}吃?",
            "我想带{who}去{city},推荐些小吃",
            "请问跟{who}到{city}该尝哪些小吃?",
            "陪{who}去{city}旅游吃什么小吃?",
            "和{who}去{city},哪些小吃值得尝?",
        ),
        "days": (
            "带{who}去{city}玩几天合适?",
            "{city}适合带{who}玩多少天?",
            "我想带{who}去{city},安排几天好?",
            "请问跟{who}到{city}要玩几天?",
            "陪{who}去{city}旅游需要多少天?",
            "和{who}去{city},玩几天才够?",
        ),
    },
)

GAMES = Domain(
    name="games",
    slots=(
        ("game", ("拼图", "迷宫", "跑酷", "赛车", "钓鱼", "消消乐", "推箱子", "贪吃蛇")),
        (
            "level",
            ("第二关", "第三关", "第四关", "第五关", "第六关", "第七关", "第八关", "第九关"),
        ),
    ),
    intents={
        "pass": (
            "{game}{level}怎么过?",
            "{game}的{level}怎样才能通过?",
            "我想通过{game}的{level},有什么办法?",
            "请问{game}游戏{level}要怎么过?",
            "求{game}{level}的通关方法",
            "{level}过不去,{game}这关怎么过?",
        ),
        "reward": (
            "{game}{level}有什么奖励?",
            "{game}的{level}给哪些奖励?",
            "我想知道{game}{level}的奖励是什么",
            "请问{game}游戏{level}奖励什么?",
            "查一下{game}{level}的奖励",
            "打完{level},{game}会发什么奖励?",
        ),
        "skip": (
            "{game}{level}怎么跳过?",
            "{game}的{level}怎样才能跳过去?",
            "我想跳过{game}的{level},怎么弄?",
            "请问{game}游戏{level}要怎么跳过?",
            "教我跳过{game}{level}的办法",
            "{level}不想玩,{game}怎么跳过这关?",
        ),
    },
)

DOMAINS = (
    WEATHER,
    TRANSPORT,
    COOKING,
    PHONES,
    HEALTH,
    STUDY,
    BANK,
    DELIVERY,
    REMINDERS,
    PETS,
    TRAVEL,
    GAMES,
)
