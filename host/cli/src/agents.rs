//! Agents that are asked over HTTP which tools they offer: by the Model Context Protocol, or by the card of an A2A agent.
//!
//! Nothing that is secret goes out: no credentials, no cookies. Redirects are not followed, as they could lead to what is
//! not allowed. An answer is read up to 4 MiB, and no longer than the time that the question has.

mod tools;

use std::io::{BufRead, BufReader, Read};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use hyp_backfill::{ProbeFailure, ProbeFailureClass, ProbeReport, Prober, Probing};
use serde_json::{Value, json};
use ureq::http::{Response, Uri};
use ureq::{Agent, Body};

/// Bytes of an answer, at most.
const ANSWER: u64 = 4 << 20;

/// Pages of a list of tools, at most.
const PAGES: usize = 20;

/// Version of the Model Context Protocol that is spoken; servers answer with theirs.
const PROTOCOL: &str = "2025-06-18";

/// Header with the session that a server began.
const SESSION: &str = "mcp-session-id";

/// Where an A2A agent shows its card, below its address or that of its server; the second is the older name.
const CARDS: [&str; 2] = ["/.well-known/agent-card.json", "/.well-known/agent.json"];

/// How the standard library begins to say that a name is not known; the error has no kind of its own.
const UNKNOWN_NAME: &str = "failed to lookup address information";

/// What goes wrong: class and message.
type Wrong = (ProbeFailureClass, String);

/// A client that keeps nothing.
#[derive(Debug)]
pub(crate) struct Agents {
    allowed: Probing,
    /// For other machines: through the proxy that `HTTPS_PROXY` or `HTTP_PROXY` names, if any.
    far: Agent,
    /// For this machine.
    near: Agent,
}

/// One question, which has so much time for all its requests.
struct Question<'a> {
    agent: &'a Agent,
    url: &'a str,
    until: Instant,
    session: Option<String>,
}

impl Agents {
    /// Prepares to ask those that are allowed.
    pub(crate) fn new(allowed: Probing) -> Self {
        let config = || {
            Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .user_agent(concat!("hyp/", env!("CARGO_PKG_VERSION")))
        };
        let (far, near) = (config().build().into(), config().proxy(None).build().into());
        Self { allowed, far, near }
    }
}

impl Prober for Agents {
    fn ask(&self, url: &str, timeout_ms: u32) -> Result<ProbeReport, ProbeFailure> {
        let asked = Instant::now();
        let until = asked + Duration::from_millis(timeout_ms.into());
        let agent = if is_here(url) { &self.near } else { &self.far };
        let mut question = Question { agent, url, until, session: None };
        let names = if url.trim_end_matches('/').ends_with("/a2a") {
            question.skills(&self.allowed)
        } else {
            question.tools()
        };
        let elapsed_ms = u32::try_from(asked.elapsed().as_millis()).unwrap_or(u32::MAX);
        match names {
            Ok(names) => {
                let inferred_type = tools::inferred(&names).map(str::to_owned);
                Ok(ProbeReport { inferred_type, elapsed_ms })
            }
            Err((class, message)) => {
                let message = format!("`{url}`: {message}");
                Err(ProbeFailure { class, message, elapsed_ms })
            }
        }
    }
}

impl Question<'_> {
    /// Returns the names of the tools that an MCP server lists.
    fn tools(&mut self) -> Result<Vec<String>, Wrong> {
        let client = json!({ "name": "hyp", "version": env!("CARGO_PKG_VERSION") });
        let hello =
            json!({ "protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": client });
        self.call(1, "initialize", &hello)?;
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        self.post(&ready)?;
        let mut names = Vec::new();
        let mut params = json!({});
        for page in 0..PAGES {
            let listed = self.call(2 + page, "tools/list", &params)?;
            let tools = listed.get("tools").and_then(Value::as_array);
            let tools = tools.ok_or_else(|| malformed("it lists no tools"))?;
            names.extend(tools.iter().filter_map(|tool| name(tool, "name")));
            let Some(next) = listed.get("nextCursor").filter(|next| !next.is_null()) else { break };
            params = json!({ "cursor": next });
        }
        Ok(names)
    }

    /// Returns the skills on the card of an A2A agent.
    fn skills(&self, allowed: &Probing) -> Result<Vec<String>, Wrong> {
        let base = self.url.trim_end_matches('/');
        let server = base.find("://").and_then(|at| {
            let path = base[at + 3..].find('/')?;
            Some(&base[..at + 3 + path])
        });
        let bases = [Some(base), server].into_iter().flatten();
        let cards = bases.flat_map(|base| CARDS.map(|card| format!("{base}{card}")));
        let mut last = (ProbeFailureClass::HttpStatus, "it shows no card".to_owned());
        for card in cards.filter(|card| allowed.allows(card)) {
            let request = self.agent.get(&card).header("accept", "application/json");
            let request = request.config().timeout_global(Some(self.left()?)).build();
            match whole(request.call().map_err(unreachable)?) {
                Ok(card) => {
                    let skills = card.get("skills").and_then(Value::as_array);
                    let skills = skills.ok_or_else(|| malformed("its card has no skills"))?;
                    let names = skills.iter().flat_map(|it| [name(it, "id"), name(it, "name")]);
                    return Ok(names.flatten().collect());
                }
                Err(wrong) => last = wrong,
            }
        }
        Err(last)
    }

    /// Calls a method and returns its result.
    fn call(&mut self, id: usize, method: &str, params: &Value) -> Result<Value, Wrong> {
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let response = self.post(&call)?;
        let session = response.headers().get(SESSION).and_then(|it| it.to_str().ok());
        if let Some(session) = session {
            self.session = Some(session.to_owned());
        }
        let is_stream = response
            .headers()
            .get("content-type")
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let mut answer = if is_stream { event(checked(response)?, id)? } else { whole(response)? };
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            let message = error.get("message").and_then(Value::as_str).unwrap_or("no reason");
            return Err((ProbeFailureClass::Other, format!("{method} failed: {message}")));
        }
        let result = answer.get_mut("result").map(Value::take);
        result.ok_or_else(|| malformed("its answer has no result"))
    }

    fn post(&self, body: &Value) -> Result<Response<Body>, Wrong> {
        let mut request = self
            .agent
            .post(self.url)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        if body["method"] != "initialize" {
            request = request.header("mcp-protocol-version", PROTOCOL);
        }
        if let Some(session) = &self.session {
            request = request.header(SESSION, session);
        }
        let request = request.config().timeout_global(Some(self.left()?)).build();
        request.send(body.to_string()).map_err(unreachable)
    }

    /// Returns the time that is left.
    fn left(&self) -> Result<Duration, Wrong> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(too_late()) } else { Ok(left) }
    }
}

/// Says whether an address is of this machine.
fn is_here(url: &str) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).map(|host| host.trim_matches(['[', ']']));
    let is_loopback = |host: &str| host.parse().is_ok_and(|it: IpAddr| it.is_loopback());
    host.is_some_and(|host| host == "localhost" || is_loopback(host))
}

fn name(of: &Value, member: &str) -> Option<String> {
    of.get(member).and_then(Value::as_str).map(str::to_owned)
}

/// Refuses an answer that is none.
fn checked(response: Response<Body>) -> Result<Response<Body>, Wrong> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    Err((ProbeFailureClass::HttpStatus, format!("it answered with {status}")))
}

/// Reads an answer that is one JSON object.
fn whole(response: Response<Body>) -> Result<Value, Wrong> {
    let mut bytes = Vec::new();
    let body = checked(response)?.into_body().into_reader();
    body.take(ANSWER + 1).read_to_end(&mut bytes).map_err(|error| broken(&error))?;
    if bytes.len() as u64 > ANSWER {
        return Err(malformed("its answer is longer than 4 MiB"));
    }
    serde_json::from_slice(&bytes).map_err(|_| malformed("its answer is no JSON"))
}

/// Reads a stream of events up to the answer to a call. The server may leave the stream open.
fn event(response: Response<Body>, id: usize) -> Result<Value, Wrong> {
    let mut lines = BufReader::new(response.into_body().into_reader().take(ANSWER));
    let (mut line, mut data) = (String::new(), String::new());
    loop {
        line.clear();
        let length = lines.read_line(&mut line).map_err(|error| broken(&error))?;
        let end = line.trim_end_matches(['\r', '\n']);
        if let Some(more) = end.strip_prefix("data:") {
            data.push_str(more.strip_prefix(' ').unwrap_or(more));
            continue;
        }
        if !end.is_empty() {
            continue;
        }
        if let Ok(answer) = serde_json::from_str::<Value>(&data)
            && answer["id"] == id
        {
            return Ok(answer);
        }
        data.clear();
        if length == 0 {
            return Err(malformed("its stream ends without an answer"));
        }
    }
}

fn malformed(what: &str) -> Wrong {
    (ProbeFailureClass::Malformed, what.to_owned())
}

fn too_late() -> Wrong {
    (ProbeFailureClass::Timeout, "there was no answer in time".to_owned())
}

fn nameless() -> Wrong {
    (ProbeFailureClass::NameResolution, "nobody knows its name".to_owned())
}

fn refused() -> Wrong {
    (ProbeFailureClass::Refused, "it takes no connection".to_owned())
}

/// Says why a body could not be read to its end.
fn broken(error: &std::io::Error) -> Wrong {
    let is_late = |error: &std::io::Error| {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>());
        matches!(inner, Some(ureq::Error::Timeout(_)))
    };
    if error.kind() == std::io::ErrorKind::TimedOut || is_late(error) {
        return too_late();
    }
    if error.kind() == std::io::ErrorKind::InvalidData {
        return malformed("its answer is no text");
    }
    (ProbeFailureClass::Other, format!("its answer broke off: {error}"))
}

/// Says why there was no answer at all.
fn unreachable(error: ureq::Error) -> Wrong {
    match error {
        ureq::Error::Timeout(_) => too_late(),
        ureq::Error::HostNotFound => nameless(),
        ureq::Error::ConnectionFailed => refused(),
        ureq::Error::Io(error) => match error.kind() {
            std::io::ErrorKind::ConnectionRefused => refused(),
            std::io::ErrorKind::TimedOut => too_late(),
            _ if error.to_string().starts_with(UNKNOWN_NAME) => nameless(),
            _ => (ProbeFailureClass::Other, error.to_string()),
        },
        error => (ProbeFailureClass::Other, error.to_string()),
    }
}

#[cfg(test)]
mod tests;
