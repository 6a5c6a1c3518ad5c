//! Which answer a line is of. Its id is on all lines of an answer; a gateway may give several answers the same one, or none.

use std::collections::VecDeque;

use hyp_sdk::state::{Reader, Writer};
use hyp_sdk::{Content, Message, Usage, is_telling};

/// Answers that a line may still be of: lines of one lie at most so far apart.
const REMEMBERED: usize = 64;

/// The answers of a transcript, the latest at the end.
#[derive(Debug, Default)]
pub(crate) struct Responses {
    known: VecDeque<Response>,
    /// Prompts until now.
    turn: u64,
    /// Messages with results of tools until now.
    step: u64,
}

/// The last answer that had an id.
#[derive(Debug)]
struct Response {
    id: String,
    request: Option<String>,
    turn: u64,
    step: u64,
    tokens: Option<Tokens>,
    /// What its lines are given in place of the id.
    name: String,
}

/// Tokens that the last line of an answer tells.
#[derive(Debug, Clone, Copy)]
struct Tokens {
    /// What the model was given, by how it is billed.
    given: [u64; 3],
    gave: u64,
}

impl Responses {
    /// Notes a message. Where its id was another answer's before, the request's stands for it, or else that of its
    /// first line.
    pub(crate) fn tell_apart(&mut self, message: &mut Message) {
        self.turn += u64::from(is_prompt(message));
        self.step += u64::from(has_result(message));
        let is_answer = message.role == "assistant" && message.usage.is_some();
        let id = message.response_id.take().or_else(|| is_answer.then(String::new));
        let Some(id) = id else { return };
        let request = message.request_id.as_deref();
        let line = Response {
            id,
            request: request.map(str::to_owned),
            turn: self.turn,
            step: self.step,
            tokens: message.usage.as_ref().map(Tokens::of),
            name: String::new(),
        };
        let at = self.known.iter().rposition(|known| known.id == line.id);
        let before = at.and_then(|at| self.known.remove(at));
        let response = match before {
            Some(known) if !known.is_another(&line) => {
                let request = known.request.or(line.request);
                let tokens = line.tokens.or(known.tokens);
                Response { request, tokens, name: known.name, ..line }
            }
            before => {
                let is_taken = before.is_some() || line.id.is_empty();
                let own = is_taken.then(|| request.or(message.id.as_deref())).flatten();
                let name = own.unwrap_or(&line.id).to_owned();
                Response { name, ..line }
            }
        };
        message.response_id = Some(response.name.clone()).filter(|name| !name.is_empty());
        self.known.push_back(response);
        if self.known.len() > REMEMBERED {
            self.known.pop_front();
        }
    }

    /// Writes what is known.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.number(self.turn);
        out.number(self.step);
        out.list(self.known.iter(), |out, known| {
            out.text(&known.id);
            out.maybe_text(known.request.as_deref());
            out.number(known.turn);
            out.number(known.step);
            out.maybe(known.tokens, |out, Tokens { given, gave }| {
                given.into_iter().chain([gave]).for_each(|tokens| out.number(tokens));
            });
            out.text(&known.name);
        });
    }

    /// Reads what was saved.
    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        let (turn, step) = (from.number()?, from.number()?);
        let known = from.list(|from| {
            Some(Response {
                id: from.text()?,
                request: from.maybe_text()?,
                turn: from.number()?,
                step: from.number()?,
                tokens: from.maybe(|from| {
                    let given = [from.number()?, from.number()?, from.number()?];
                    Some(Tokens { given, gave: from.number()? })
                })?,
                name: from.text()?,
            })
        })?;
        Some(Self { known, turn, step })
    }
}

impl Response {
    /// Says whether a line with the same id is of another answer: one to another request, or, where no request is
    /// known and the id is anybody's, one after another prompt, or after the result of a tool if the model was given
    /// something else by then.
    fn is_another(&self, line: &Self) -> bool {
        match (&self.request, &line.request) {
            (Some(own), Some(other)) => own != other,
            (None, None) if is_telling(&self.id) => false,
            (None, None) if self.turn != line.turn => true,
            // Two answers may follow each other there.
            (None, None) if self.step == line.step && !self.id.is_empty() => false,
            (None, None) => {
                self.tokens.zip(line.tokens).is_some_and(|(own, other)| !own.go_on_in(other))
            }
            _ => false,
        }
    }
}

impl Tokens {
    fn of(usage: &Usage) -> Self {
        let given = [usage.input, usage.cache_read, usage.cache_write];
        Self { given: given.map(Option::unwrap_or_default), gave: usage.output.unwrap_or_default() }
    }

    /// Says whether a line behind a result may be of the same answer: calls of one answer have their results between
    /// them. The model was given as much as before, then, and has not given less.
    fn go_on_in(self, other: Self) -> bool {
        let is_told = self.given != [0; 3];
        self.given == other.given
            && if is_told { self.gave <= other.gave } else { self.gave == other.gave }
    }
}

fn has_result(message: &Message) -> bool {
    message.parts.iter().any(|part| matches!(part.content, Content::ToolResult(_)))
}

/// Says whether a message is something that a person says.
fn is_prompt(message: &Message) -> bool {
    message.role == "user"
        && message.parts.iter().any(|part| !matches!(part.content, Content::ToolResult(_)))
}

#[cfg(test)]
mod tests {
    use hyp_sdk::{Part, Span, ToolResult};

    use super::*;

    fn said(role: &str, line: &str, id: Option<&str>, request: Option<&str>) -> Message {
        let mut message = Message::new(Span { input: 0, offset: 0, length: 1 }, role);
        message.id = Some(line.to_owned());
        message.response_id = id.map(str::to_owned);
        message.request_id = request.map(str::to_owned);
        message.parts.push(Part::text(line));
        message
    }

    #[test]
    fn an_answer_of_a_fixed_id_ends_where_the_model_is_given_the_result_of_its_call() {
        let result = || {
            let mut message = said("user", "result", None, None);
            message.parts =
                vec![Part::new("tool_result", Content::ToolResult(ToolResult::default()))];
            message
        };
        let line = |name: &str, input: u64, output: u64| {
            let mut message = said("assistant", name, Some("chat"), None);
            let (input, output) = (Some(input), Some(output));
            message.usage = Some(Usage { input, output, ..Usage::default() });
            message
        };
        // Two calls of one answer, their results between them; the next answer was given more; then one that told nothing.
        let cases = [
            (line("a1", 500, 7), "chat"),
            (result(), ""),
            (line("a2", 500, 40), "chat"),
            (result(), ""),
            (line("b1", 560, 3), "b1"),
            (line("b2", 560, 9), "b1"),
            (result(), ""),
            (line("c1", 0, 5), "c1"),
            (line("c2", 0, 8), "c1"),
            (result(), ""),
            (line("d1", 0, 9), "d1"),
        ];
        let mut responses = Responses::default();
        for (mut message, expected) in cases {
            responses.tell_apart(&mut message);
            assert_eq!(message.response_id.as_deref().unwrap_or_default(), expected);
            let mut out = Writer::new();
            responses.save(&mut out);
            responses = Responses::restore(&mut Reader::new(&out.finish())).unwrap();
        }
    }

    #[test]
    fn lines_without_any_id_are_one_answer_while_the_model_was_given_the_same() {
        let line = |name: &str, input: u64, output: u64| {
            let mut message = said("assistant", name, None, None);
            let (input, output) = (Some(input), Some(output));
            message.usage = Some(Usage { input, output, ..Usage::default() });
            message
        };
        let cases = [
            (line("a1", 500, 7), "a1"),
            (line("a2", 500, 7), "a1"),
            (line("a3", 500, 9), "a1"),
            (line("b1", 560, 3), "b1"),
            (said("user", "prompt", None, None), ""),
            (line("c1", 560, 3), "c1"),
            (said("assistant", "without tokens", None, None), ""),
        ];
        let mut responses = Responses::default();
        for (mut message, expected) in cases {
            responses.tell_apart(&mut message);
            assert_eq!(message.response_id.as_deref().unwrap_or_default(), expected);
        }
    }

    /// The id of a line's answer, its request, and what the answer is called.
    type Case = (Option<&'static str>, Option<&'static str>, &'static str);

    #[test]
    fn answers_of_one_id_are_told_apart_by_request_or_turn() {
        let real = "msg_01XyZ4k9Qp7Rt8Uv2W";
        #[rustfmt::skip]
        let cases: &[(&str, &[Case])] = &[
            ("lines of one answer", &[
                (Some("chat"), Some("r1"), "chat"), (Some("chat"), Some("r1"), "chat"),
            ]),
            ("another request", &[
                (Some("chat"), Some("r1"), "chat"), (Some("chat"), Some("r2"), "r2"),
                (Some("chat"), Some("r2"), "r2"), (Some("chat"), Some("r3"), "r3"),
            ]),
            ("a copy without its request", &[
                (Some(real), Some("r1"), real), (None, None, ""), (Some(real), None, real),
            ]),
            ("no requests, a fixed id", &[
                (Some("chat"), None, "chat"), (Some("chat"), None, "chat"), (None, None, ""),
                (Some("chat"), None, "3"), (Some("chat"), None, "3"),
            ]),
            ("no requests, an id of the server", &[
                (Some(real), None, real), (None, None, ""), (Some(real), None, real),
            ]),
        ];
        for (what, lines) in cases {
            let mut responses = Responses::default();
            for (at, (id, request, expected)) in lines.iter().enumerate() {
                let role = if id.is_some() { "assistant" } else { "user" };
                let mut message = said(role, &at.to_string(), *id, *request);
                responses.tell_apart(&mut message);
                assert_eq!(message.response_id.unwrap_or_default(), *expected, "{what}, line {at}");
                let mut out = Writer::new();
                responses.save(&mut out);
                let saved = out.finish();
                responses = Responses::restore(&mut Reader::new(&saved)).unwrap();
            }
        }
    }
}
