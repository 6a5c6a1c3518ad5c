//! A web server on this machine, for the time of a test.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use sha2::{Digest, Sha256};

/// What is answered to a path.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn ok(kind: &str, body: &[u8]) -> Self {
        let headers =
            vec![("content-type", kind.to_owned()), ("content-length", body.len().to_string())];
        Self { status: "200 OK", headers, body: body.to_vec() }
    }

    pub(crate) fn empty(status: &'static str, header: &'static str, value: &str) -> Self {
        let headers = vec![("content-length", "0".to_owned()), (header, value.to_owned())];
        Self { status, headers, body: Vec::new() }
    }
}

#[derive(Default)]
struct Shared {
    replies: BTreeMap<String, Reply>,
    /// Paths and headers of what was asked, in order.
    asked: Vec<String>,
    is_over: bool,
}

/// A server that is gone when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared: Arc<Mutex<Shared>> = Arc::default();
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if of_thread.lock().unwrap().is_over {
                    break;
                }
                // A client that hangs up early is its own affair.
                let _ = answer(&of_thread, &stream.unwrap());
            }
        });
        Self { address, shared, thread: Some(thread) }
    }

    /// Returns host and port.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// Returns the address of a path, which begins with `/`.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers a path, from now on, with this.
    pub(crate) fn put(&self, path: &str, reply: Reply) {
        self.shared.lock().unwrap().replies.insert(path.to_owned(), reply);
    }

    /// Puts a component under a tag of a repository, as `wkg oci push` does; returns its manifest.
    pub(crate) fn push(&self, repository: &str, tag: &str, component: &[u8]) -> String {
        let layer = digest(component);
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.wasm.config.v0+json",
                "digest": digest(b"{}"), "size": 2,
            },
            "layers": [{ "mediaType": "application/wasm", "digest": layer, "size": component.len() }],
        });
        self.put(
            &format!("/v2/{repository}/blobs/{layer}"),
            Reply::ok("application/octet-stream", component),
        );
        let manifest = manifest.to_string();
        self.put_manifest(repository, tag, &manifest);
        manifest
    }

    /// Puts a manifest under a tag and its digest.
    pub(crate) fn put_manifest(&self, repository: &str, tag: &str, manifest: &str) {
        let reply = Reply::ok("application/vnd.oci.image.manifest.v1+json", manifest.as_bytes());
        for version in [tag.to_owned(), digest(manifest.as_bytes())] {
            self.put(&format!("/v2/{repository}/manifests/{version}"), reply.clone());
        }
    }

    /// Returns what was asked so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shared.lock().unwrap().asked.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.lock().unwrap().is_over = true;
        // Wakes the thread, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Returns `sha256:…` of some bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let digits: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

fn answer(shared: &Mutex<Shared>, mut stream: &TcpStream) -> std::io::Result<()> {
    let lines = BufReader::new(stream).lines();
    let head: Vec<String> =
        lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let reply = {
        let mut shared = shared.lock().unwrap();
        shared.asked.push(head.join("\n"));
        shared.replies.get(&path).cloned()
    };
    let reply = reply.unwrap_or_else(|| Reply::empty("404 Not Found", "x-path", &path));
    write!(stream, "HTTP/1.1 {}\r\nconnection: close\r\n", reply.status)?;
    for (name, value) in &reply.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(&reply.body)
}
