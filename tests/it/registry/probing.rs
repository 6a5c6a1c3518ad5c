//! Agents that are asked over the network, some at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Registry, counts, expected};

/// Agents on this machine, and how many of them were being asked at one moment.
#[derive(Default)]
struct Busy {
    now: BTreeSet<String>,
    most: usize,
    asked: BTreeMap<String, usize>,
}

/// Starts a server of agents; each offers the tool that its path ends with, or none.
fn agents() -> (String, Arc<Mutex<Busy>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let busy: Arc<Mutex<Busy>> = Arc::default();
    let of_server = Arc::clone(&busy);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let busy = Arc::clone(&of_server);
            std::thread::spawn(move || answer(&stream, &busy));
        }
    });
    (base, busy)
}

fn answer(stream: &TcpStream, busy: &Mutex<Busy>) {
    let mut lines = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    if lines.read_line(&mut first).is_err() {
        return;
    }
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let header = line.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body).unwrap();
    let call: Value = serde_json::from_slice(&body).unwrap();
    let path = first.split(' ').nth(1).unwrap().to_owned();
    let tool = path.rsplit('/').next().unwrap_or_default();
    let result = match call["method"].as_str().unwrap() {
        "initialize" => {
            let mut busy = busy.lock().unwrap();
            busy.now.insert(path.clone());
            busy.most = busy.most.max(busy.now.len());
            *busy.asked.entry(path.clone()).or_default() += 1;
            json!({ "capabilities": {} })
        }
        "tools/list" => {
            std::thread::sleep(Duration::from_millis(40));
            busy.lock().unwrap().now.remove(&path);
            let tools = if tool == "none" { json!([]) } else { json!([{ "name": tool }]) };
            json!({ "tools": tools })
        }
        _ => Value::Null,
    };
    let text = json!({ "jsonrpc": "2.0", "id": call["id"], "result": result }).to_string();
    let mut stream = stream;
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
}

/// Has the registry know agents by their addresses, and nothing of them.
fn discover(registry: &Registry, urls: impl Iterator<Item = String>) {
    let values: Vec<String> = urls.map(|url| format!("('{url}', 'mcp')")).collect();
    let rows = values.join(", ");
    registry.change(&format!(
        "delete from discovered_agents; delete from member_profiles; \
         delete from agent_capabilities_snapshot; \
         insert into discovered_agents (agent_url, protocol) values {rows};"
    ));
}

#[test]
fn agents_are_asked_five_at_a_time_and_each_once() {
    let registry = Registry::new("agents.sql");
    let (base, busy) = agents();
    let tools = ["get_products", "build_creative", "get_signals", "none"];
    discover(&registry, (0..40).map(|at| format!("{base}/agent-{at}/{}", tools[at % 4])));
    registry.run("registry-state", &["--commit"]);
    registry.settle(&format!("[probe]\nallow = [{base:?}]\n"));
    let told = registry.run("registry-reprobe", &["--commit"]);
    let outcomes = expected(&[
        ("newly_classified.creative", 10),
        ("newly_classified.sales", 10),
        ("newly_classified.signals", 10),
        ("still_unknown", 10),
    ]);
    assert_eq!(counts(&told["outcomes"]), outcomes, "{told}");
    let busy = busy.lock().unwrap();
    assert!((2..=5).contains(&busy.most), "{}", busy.most);
    assert!(busy.asked.len() == 40 && busy.asked.values().all(|times| *times == 1));
}

#[test]
fn a_thousand_agents_have_exact_tallies() {
    let registry = Registry::new("agents.sql");
    let url = |at: usize| format!("https://agent-{at}.example/mcp");
    discover(&registry, (0..1_000).map(url));
    registry.run("registry-state", &["--commit"]);
    let answers: BTreeMap<String, Value> = (0..1_000)
        .map(|at| {
            let answer = match at % 5 {
                0 => json!({ "inferred_type": "sales", "elapsed_ms": at }),
                1 => json!({ "inferred_type": "signals", "elapsed_ms": at }),
                2 => json!({ "elapsed_ms": at }),
                3 => json!({ "failure": "timeout", "elapsed_ms": 30_000 }),
                _ => json!({ "failure": "name-resolution", "elapsed_ms": at }),
            };
            (url(at), answer)
        })
        .collect();
    let script = registry.sandbox.beside("answers.json");
    std::fs::write(&script, serde_json::to_string(&answers).unwrap()).unwrap();
    registry.settle(&format!("[probe]\nallow = [\"*\"]\nscript = {script:?}\n"));
    for concurrency in ["concurrency=5", "concurrency=1"] {
        let told = registry.run("registry-reprobe", &["--set", concurrency]);
        assert_eq!(told["source_rows"], 1_000);
        let outcomes = [
            ("newly_classified.sales", 200),
            ("newly_classified.signals", 200),
            ("still_unknown", 200),
        ];
        assert_eq!(counts(&told["outcomes"]), expected(&outcomes), "{told}");
        let failed = [("dns_failed", 200), ("probe_failed", 200)];
        assert_eq!(counts(&told["failed"]), expected(&failed));
    }
}
