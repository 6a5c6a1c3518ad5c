"""Reads what gptme keeps: a folder for each conversation, with a file of lines in it, one message a line.

What tools gave back is of the role `system` in older files, and `tool` in newer ones. Times without a zone are the
machine's own, which nobody noted: they are taken for UTC.
"""

import hyp_sdk as sdk

ROLES = ("user", "assistant", "system", "tool")

# Names of the counts of tokens, as the contract has them.
COUNTS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_creation_tokens",
    "reasoning": "reasoning_tokens",
}


class Provider(sdk.Provider):
    """Says what is read, and from where."""

    def describe(self):
        logs = sdk.root(
            "logs",
            sdk.variable("GPTME_LOGS_HOME"),
            sdk.data_home("gptme/logs"),
            globs=["*/conversation.jsonl"],
            depth=2,
        )
        return sdk.description(
            "gptme",
            "gptme",
            "0.1.0",
            summary="Conversations of gptme",
            clients=[sdk.client("gptme", "a file of lines for each conversation")],
            roots=[logs],
        )


class Scan(sdk.LineScan):
    """A conversation."""

    def begin(self, unit_id, entries):
        # The folder is called by the conversation's name.
        self.id = entries[0].path.rsplit("/", 2)[-2]
        self.is_open = False

    def record(self, record, span):
        role, content = record.get("role"), record.get("content")
        if role not in ROLES or not isinstance(content, str):
            return
        at = sdk.time(record.get("timestamp"))
        if not self.is_open:
            self.is_open = True
            self.thread_start(sdk.thread(self.id, "gptme", "gptme", started_at=at))
        known = {}
        if role == "assistant":
            known = of_answer(record.get("metadata"))
        if role == "tool":
            part = sdk.returned(record.get("call_id"), content)
        else:
            part = sdk.said(content)
        self.message(span, role, [part], created_at=at, **known)

    def end(self):
        if self.is_open:
            self.thread_end()


def of_answer(metadata):
    """Returns model and tokens of an answer. Older files have the tokens beside the model."""
    if not isinstance(metadata, dict):
        return {}
    usage = metadata.get("usage")
    usage = usage if isinstance(usage, dict) else metadata
    counts = {name: sdk.count(usage.get(key)) for name, key in COUNTS.items()}
    known = {}
    if any(count is not None for count in counts.values()):
        known["usage"] = sdk.usage(**counts)
    if model := sdk.plain(metadata.get("model")):
        known["context"] = sdk.context(model=model)
    return known
