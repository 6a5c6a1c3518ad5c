"""Reads what Note Book keeps: a file of lines for each chat, one JSON record a line."""

import hyp_sdk as sdk


class Provider(sdk.Provider):
    """Says what is read, and from where. The host lends nothing else."""

    def describe(self):
        chats = sdk.root("chats", sdk.home(".note-book/chats"), globs=["**/*.jsonl"], depth=3)
        return sdk.description(
            "note-book",
            "Note Book",
            "0.1.0",
            summary="Chats of Note Book",
            clients=[sdk.client("Note Book", "files of lines")],
            roots=[chats],
        )


class Scan(sdk.LineScan):
    """A chat: what people asked, what the model answered, and the calls of tools in between."""

    def begin(self, unit_id, entries):
        # The file is called by the chat's id.
        self.id = entries[0].path.rsplit("/", 1)[-1].removesuffix(".jsonl")
        self.is_open = False

    def record(self, record, span):
        # A kind that is not known yet is best left alone: it is kept and counted.
        said = [sdk.said(record["text"])] if isinstance(record.get("text"), str) else []
        match record.get("type"):
            case "asked":
                self.say(record, span, "user", said)
            case "answered":
                self.say(record, span, "assistant", said)
            case "called":
                call = sdk.called(record.get("call"), record.get("tool"), record.get("input"))
                self.say(record, span, "assistant", [call])
            case "returned":
                failed = record.get("failed")
                failed = failed if isinstance(failed, bool) else None
                gave = sdk.returned(record.get("call"), record.get("text"), failed)
                self.say(record, span, "tool", [gave])
            case "title":
                self.fact(self.id, "title", record.get("text"))
                self.skip(span, "title")

    def say(self, record, span, role, parts):
        at, message_id = sdk.time(record.get("at")), sdk.plain(record.get("id"))
        if not self.is_open:
            self.is_open = True
            folder = sdk.context(cwd=sdk.plain(record.get("folder")))
            self.thread_start(
                sdk.thread(self.id, "unknown", "note-book", started_at=at, context=folder)
            )
        known = {}
        if role == "assistant":
            # One response may be several messages: its tokens count once.
            known["response_id"] = message_id
            tokens = record.get("tokens")
            if isinstance(tokens, dict):
                counts = {key: sdk.count(tokens.get(key)) for key in ("input", "output")}
                known["usage"] = sdk.usage(**counts)
            if model := sdk.plain(record.get("model")):
                known["context"] = sdk.context(model=model)
        self.message(span, role, parts, id=message_id, created_at=at, **known)

    def end(self):
        if self.is_open:
            self.thread_end()
