//! Which answer a line is of. Its id is on all lines of an answer; a gateway may give several answers the same one.

use std::collections::VecDeque;

use hyp_sdk::state::{Reader, Writer};
use hyp_sdk::{Content, Message};

/// Answers that a line may still be of: lines of one lie at most so far apart.
const REMEMBERED: usize = 64;

/// An id of the server's has so many letters and digits in a row; others may be counted or fixed, and tell nothing.
const TELLING: usize = 12;

/// The answers of a transcript, the latest at the end.
#[derive(Debug, Default)]
pub(crate) struct Responses {
    known: VecDeque<Response>,
    /// Prompts until now.
    turn: u64,
}

/// The last answer that had an id.
#[derive(Debug)]
struct Response {
    id: String,
    request: Option<String>,
    turn: u64,
    /// What its lines are given in place of the id.
    name: String,
}

impl Responses {
    /// Notes a message. Where its id was another answer's before, the request's stands for it, or else that of its
    /// first line.
    pub(crate) fn tell_apart(&mut self, message: &mut Message) {
        if is_prompt(message) {
            self.turn += 1;
        }
        let Some(id) = message.response_id.take() else { return };
        let request = message.request_id.as_deref();
        let at = self.known.iter().rposition(|known| known.id == id);
        let mut response = match at.and_then(|at| self.known.remove(at)) {
            Some(known) if !known.is_another(request, self.turn) => known,
            before => {
                let own = before.and_then(|_| request.or(message.id.as_deref()));
                let name = own.unwrap_or(&id).to_owned();
                Response { id, request: None, turn: self.turn, name }
            }
        };
        response.request = response.request.or_else(|| request.map(str::to_owned));
        message.response_id = Some(response.name.clone());
        self.known.push_back(response);
        if self.known.len() > REMEMBERED {
            self.known.pop_front();
        }
    }

    /// Writes what is known.
    pub(crate) fn save(&self, out: &mut Writer) {
        out.number(self.turn);
        out.list(self.known.iter(), |out, known| {
            out.text(&known.id);
            out.maybe_text(known.request.as_deref());
            out.number(known.turn);
            out.text(&known.name);
        });
    }

    /// Reads what was saved.
    pub(crate) fn restore(from: &mut Reader<'_>) -> Option<Self> {
        let turn = from.number()?;
        let known = from.list(|from| {
            let (id, request) = (from.text()?, from.maybe_text()?);
            Some(Response { id, request, turn: from.number()?, name: from.text()? })
        })?;
        Some(Self { known, turn })
    }
}

impl Response {
    /// Says whether a line with the same id is of another answer: one to another request, or, where no request is
    /// known and the id is anybody's, one after another prompt.
    fn is_another(&self, request: Option<&str>, turn: u64) -> bool {
        match (self.request.as_deref(), request) {
            (Some(own), Some(other)) => own != other,
            (None, None) => self.turn != turn && !is_telling(&self.id),
            _ => false,
        }
    }
}

/// Says whether a message is something that a person says.
fn is_prompt(message: &Message) -> bool {
    message.role == "user"
        && message.parts.iter().any(|part| !matches!(part.content, Content::ToolResult(_)))
}

fn is_telling(id: &str) -> bool {
    id.split(|it: char| !it.is_ascii_alphanumeric()).any(|stretch| stretch.len() >= TELLING)
}

#[cfg(test)]
mod tests {
    use hyp_sdk::{Part, Span};

    use super::*;

    fn said(role: &str, line: &str, id: Option<&str>, request: Option<&str>) -> Message {
        let mut message = Message::new(Span { input: 0, offset: 0, length: 1 }, role);
        message.id = Some(line.to_owned());
        message.response_id = id.map(str::to_owned);
        message.request_id = request.map(str::to_owned);
        message.parts.push(Part::text(line));
        message
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
