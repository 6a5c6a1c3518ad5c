//! Tests of agents that are asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use super::*;

/// What a server says to one request: the head and the body of its answer. Without one, it says nothing and waits.
type Say = fn(&str, &Value) -> Option<(&'static str, String)>;

/// Starts a server that lasts as long as the test, and returns its address.
fn server(say: Say) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream, say));
        }
    });
    address
}

fn serve(stream: TcpStream, say: Say) {
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut length) = (String::new(), 0);
    lines.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body).unwrap();
    let path = first.split(' ').nth(1).unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let Some((head, text)) = say(path, &body) else {
        // Until whoever asked has gone.
        let _ = lines.read(&mut [0]);
        return;
    };
    let mut stream = stream;
    let _ = write!(stream, "HTTP/1.1 {head}\r\nconnection: close\r\n\r\n{text}");
}

const JSON: &str = "200 OK\r\ncontent-type: application/json\r\nmcp-session-id: s1";
const STREAM: &str = "200 OK\r\ncontent-type: text/event-stream";

/// An MCP server that lists its tools on two pages, and says that there is no error.
fn mcp(path: &str, body: &Value) -> Option<(&'static str, String)> {
    if path != "/mcp" {
        return Some(("404 Not Found", String::new()));
    }
    let result = match (body["method"].as_str()?, body["params"]["cursor"].as_str()) {
        ("initialize", _) => json!({ "protocolVersion": PROTOCOL, "capabilities": {} }),
        ("tools/list", None) => json!({ "tools": [{ "name": "search" }], "nextCursor": "2" }),
        ("tools/list", Some("2")) => json!({ "tools": [{ "name": "get_signals" }] }),
        _ => return Some(("202 Accepted", String::new())),
    };
    let answer = json!({ "jsonrpc": "2.0", "id": body["id"], "result": result, "error": null });
    Some((JSON, answer.to_string()))
}

/// The same as a stream of events, with a word of the server's own before the answer.
fn mcp_in_a_stream(path: &str, body: &Value) -> Option<(&'static str, String)> {
    let (head, answer) = mcp(path, body)?;
    let events = format!(
        ": hello\n\nevent: message\ndata: {{\"method\":\"notifications/message\"}}\n\ndata: {answer}\n\n"
    );
    Some(if head == JSON { (STREAM, events) } else { (head, answer) })
}

fn card(path: &str, _: &Value) -> Option<(&'static str, String)> {
    match path {
        "/.well-known/agent.json" => {
            Some((JSON, json!({ "skills": [{ "id": "x", "name": "build_creative" }] }).to_string()))
        }
        _ => Some(("404 Not Found", String::new())),
    }
}

fn agents(allowed: &str) -> Agents {
    Agents::new(Probing { allow: vec![allowed.to_owned()], script: None })
}

fn ask(url: &str) -> Result<ProbeReport, ProbeFailure> {
    agents("*").ask(url, 1_000)
}

#[test]
fn tools_and_skills_tell_what_an_agent_is() {
    for (say, path, expected) in [
        (mcp as Say, "/mcp", "signals"),
        (mcp_in_a_stream, "/mcp", "signals"),
        (card, "/a2a", "creative"),
    ] {
        let report = ask(&(server(say) + path)).unwrap();
        assert_eq!(report.inferred_type.as_deref(), Some(expected), "{path}");
    }
}

#[test]
fn why_there_is_no_answer_is_told() {
    use ProbeFailureClass::{HttpStatus, Malformed, NameResolution, Other, Refused, Timeout};
    let no_one = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}/mcp", no_one.local_addr().unwrap());
    drop(no_one);
    let says = |say: Say| server(say) + "/mcp";
    let moved: Say = |_, _| Some(("302 Found\r\nlocation: http://127.0.0.1:1/", String::new()));
    let refuses: Say = |_, body| {
        let error = json!({ "code": -32601, "message": "no such method" });
        Some((JSON, json!({ "id": body["id"], "error": error }).to_string()))
    };
    for (url, class, message) in [
        (closed, Refused, "it takes no connection"),
        ("http://nobody.invalid/mcp".to_owned(), NameResolution, "nobody knows its name"),
        (says(|_, _| None), Timeout, "there was no answer in time"),
        (says(|_, _| Some(("401 Unauthorized", String::new()))), HttpStatus, "401 Unauthorized"),
        (says(moved), HttpStatus, "302 Found"),
        (says(|_, _| Some((JSON, "<html>".to_owned()))), Malformed, "no JSON"),
        (says(|_, _| Some((JSON, "{}".to_owned()))), Malformed, "no result"),
        (says(|_, _| Some((STREAM, "data: 1\n\n".to_owned()))), Malformed, "without an answer"),
        (says(|_, _| Some((JSON, "x".repeat(5 << 20)))), Malformed, "longer than 4 MiB"),
        (says(refuses), Other, "no such method"),
    ] {
        let failure = ask(&url).unwrap_err();
        assert_eq!(failure.class, class, "{failure:?}");
        assert!(failure.message.contains(message), "{failure:?}");
    }
}

#[test]
fn a_card_is_looked_for_where_it_may_be() {
    let base = server(card);
    let url = format!("{base}/a2a");
    let failure = agents(&url).ask(&url, 1_000).unwrap_err();
    assert_eq!(failure.class, ProbeFailureClass::HttpStatus, "{failure:?}");
}

#[test]
fn what_is_of_this_machine_needs_no_proxy() {
    let here = ["http://localhost:1/x", "http://127.0.0.1/x", "http://[::1]:80/x"];
    assert!(here.iter().all(|url| is_here(url)));
    assert!(!["https://a.example/mcp", "nothing"].iter().any(|url| is_here(url)));
}
