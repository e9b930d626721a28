"""Chinese sentences of the service: why a request is refused, and what its model cannot answer."""

from __future__ import annotations

from typing import Optional

from albert.base.sentences import translated

# By the English templates, whose values they share. Chinese may need them in another order.
CHINESE = {
    # places and fields
    "row {}": "第 {} 行",
    "the body": "请求体",
    "{} of row {}": "第 {1} 行的 {0}",
    "first": "第一段",
    "second": "第二段",
    "{} text": "{}文本",
    "context": "上下文",
    # texts and rows
    "the {} text of {} is empty": "{1}的{0}文本是空的",
    "the context of {} is empty": "{}的上下文是空的",
    "the {} of {} holds nothing that can be read, only blanks and control characters": (
        "{1}的{0}只有空白和控制字符，没有可读的内容"
    ),
    "a text of {} has {:,} characters, at most {:,} are allowed": "{}的一段文本有 {:,} 个字符，最多 {:,} 个",
    "a text of {} holds half of a surrogate pair, which is not a character": (
        "{}的一段文本含有半个代理对，不是完整的字符"
    ),
    "{} holds half of a surrogate pair, which is not a character": "{}含有半个代理对，不是完整的字符",
    "{} has no {}: write one where a word is missing": "{}没有 {}：请在要填的位置写一个",
    "{} has {:,} tokens, the model takes at most {}: shorten it": "{}有 {:,} 个 token，模型最多读 {} 个：请缩短",
    "the list has {} rows, at most {:,} are answered at a time: send it in parts": (
        "数组有 {} 行，一次最多 {:,} 行：请分几次发送"
    ),
    "over {:,}": "超过 {:,}",
    "the rows make about {:,} sequences of the model, since it reads long texts in parts; at most {:,} may wait: send "
    "fewer rows or shorter texts": "长文本分段读，这些行约合 {:,} 个序列，排队最多容纳 {:,} 个：请减少行数或缩短文本",
    # bodies
    "the body is empty: send JSON as shown in /docs": "请求体是空的：请按 /docs 发送 JSON",
    "the body is not JSON in UTF-8: see its byte {:,}": "请求体不是 UTF-8 的 JSON：见第 {:,} 个字节",
    "the body is not JSON that can be read: it is nested too deep": "请求体的 JSON 嵌套太深，无法读取",
    "the body is not JSON: at character {:,} {}": "请求体不是 JSON：第 {:,} 个字符处{}",
    "',' or '{}' is expected": "应为 ',' 或 '{}'",
    "a name in double quotes is expected": "应为双引号里的名字",
    "':' is expected": "应为 ':'",
    "a string that ends and has no control characters and no unknown escapes is expected": (
        "的字符串没有结束，或含有控制字符或不认识的转义"
    ),
    "a value is expected": "应为一个值",
    "nothing more is expected": "不应再有内容",
    "{} is not a JSON object as shown in /docs": "{}不是 /docs 所示的 JSON 对象",
    "{} is missing": "{} 缺失",
    "{} is unknown: /docs lists the known names": "{} 是不认识的字段：/docs 列出了所有字段",
    "{} appears twice": "{} 出现了两次",
    "{} must be a text": "{} 必须是字符串",
    "{} must be true or false": "{} 必须是 true 或 false",
    "{} must be a whole number": "{} 必须是整数",
    "{} does not fit: {}": "{} 的值无效：{}",
    "the body has more than {:,} bytes: send it in parts": "请求体超过 {:,} 字节：请分几次发送",
    "the body did not arrive within {:g} seconds": "请求体没有在 {:g} 秒内到齐",
    "the body must be JSON: send the header 'Content-Type: application/json'": (
        "请求体必须是 JSON：请发送请求头 'Content-Type: application/json'"
    ),
    "the body must be JSON in UTF-8: the header 'Content-Type' names another charset": (
        "请求体必须是 UTF-8 的 JSON：请求头 'Content-Type' 写的是别的编码"
    ),
    "the body must not be compressed: send no header 'Content-Encoding'": (
        "请求体不能压缩：请去掉请求头 'Content-Encoding'"
    ),
    "the body must not be compressed: 'Transfer-Encoding' may only be 'chunked'": (
        "请求体不能压缩：'Transfer-Encoding' 只能是 'chunked'"
    ),
    # who may ask, where and when
    "this service needs a token: send it in the header 'Authorization: Bearer TOKEN'": (
        "令牌缺失或不对：请在请求头 'Authorization: Bearer 令牌' 里发送"
    ),
    "the request must have one header 'Host'": "请求必须有且只有一个请求头 'Host'",
    "this service does not answer by the name {}: --allowed_hosts lists the names by which it does": (
        "本服务不接受主机名 {}：可用的名字由 --allowed_hosts 列出"
    ),
    "pages of {} may not ask this service: --allowed_hosts lists the names whose pages may": (
        "{} 的网页不能请求本服务：可以请求的名字由 --allowed_hosts 列出"
    ),
    "there is nothing at this address: /docs lists all addresses": "没有这个地址：/docs 列出了所有地址",
    "this address accepts {}": "这个地址只接受 {}",
    "the queue is full: try again in {} s": "服务正忙，排队已满：请在 {} 秒后重试",
    "too many large bodies are arriving at this moment: send it again in 1 s": "同时到达的大请求太多：请在 1 秒后重试",
    "the service has no room for another connection: try again in 1 s": "服务的连接已满：请在 1 秒后重试",
    "the service is stopping: send it again in 10 s": "服务正在停止：请在 10 秒后重试",
    "the service failed to answer this; its log says more": "服务出错，没能回答；原因见服务的日志",
    "the client hung up": "客户端已断开",
    # what a model cannot answer
    "no index is served: `python search.py index` builds one, and `serve.py --index=FOLDER` serves it": (
        "没有加载索引：`python search.py index` 建立索引，`serve.py --index=目录` 加载它"
    ),
    "a model of sentence vectors has no labels: serve a folder of fine-tuning": "句向量模型没有标签：请加载微调的目录",
    "the model does not tag texts: serve a folder that run_ner.py filled, or an export of one": (
        "这个模型不做标注：请加载 run_ner.py 写出的目录，或它的导出"
    ),
    "the model does not answer questions on a text: serve a folder that run_mrc.py filled, or an export of one": (
        "这个模型不做阅读理解：请加载 run_mrc.py 写出的目录，或它的导出"
    ),
    "the model does not classify: serve a folder of fine-tuning": "这个模型不做分类：请加载微调的目录",
    "the engine answers only from the fine-tuned head: --engine=tensorflow serves all heads of the model": (
        "这个引擎只用微调的输出层回答：--engine=tensorflow 可以使用模型的全部输出层"
    ),
    "an export of this head answers only {}: serve the checkpoint that it was made from": (
        "这种导出只能回答 {}：请加载它所来自的检查点"
    ),
    "the model has {}: serve a pre-trained one": "这个模型{}：请加载预训练模型",
    "the model has {}: serve a folder of fine-tuning": "这个模型{}：请加载微调的目录",
    "no masked-LM head, which fine-tuning leaves out": "没有 masked-LM 输出层（微调不保留它）",
    "no fine-tuned head": "没有微调的输出层",
    "no description of its labels": "没有标签的说明",
    "a fine-tuned head for {}, no classifier": "的微调输出层用于{}，不是分类",
    "sentence vectors": "句向量",
    "tags of tokens": "标注",
    "spans that answer questions": "阅读理解",
    "{}; use /classify": "{}；请用 /classify",
    "the model has {} labels, not the two of different and similar": "模型有 {} 个标签，不是“不同”和“相同”两个",
    "which of the model's labels '{}' and '{}' means similar is not known: name it under the key '{}'{}": (
        "不知道模型的标签 '{}' 和 '{}' 哪个表示相同：请用键 '{}' 写明{}"
    ),
    " in {}": "（在 {} 里）",
    # what a vector is
    "the model's own sentence vectors: {}": "模型自己的句向量：{}",
    "the model's own sentence vectors, as its export.json defines them": "模型自己的句向量，见导出的 export.json",
    "the mean of the last layer but one over all tokens, which was not trained for similarity": (
        "倒数第二层所有 token 的平均，没有为相似度训练过"
    ),
    "{}, {}, divided by its length": "{}，{}，再除以自己的长度",
    "the first token of the last layer": "最后一层的第一个 token",
    "the mean of the last layer over all tokens": "最后一层所有 token 的平均",
    "the largest values of the last layer over all tokens": "最后一层所有 token 的最大值",
    "a linear map of {} to {} numbers": "经线性变换由 {} 维变为 {} 维",
    "{} over the tokens of layer {}": "第 {1} 层各 token 的{0}",
    "mean": "平均",
    "max": "最大值",
    "cls": "第一个",
}


def in_language_of(text: str, accept_language: Optional[str]) -> str:
    """Returns a sentence in the language that a client names first: Chinese, or else English.

    Args:
      text: the sentence; a `Sentence` where it holds values.
      accept_language: the header Accept-Language, where there is one.
    """
    is_chinese = (accept_language or "").strip().lower().startswith("zh")
    return translated(text, CHINESE) if is_chinese else text
