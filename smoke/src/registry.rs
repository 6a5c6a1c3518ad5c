//! Plugins out of a real OCI registry: Debian's `docker-registry`, on this machine, for the time of the check.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::hyp::{self, Hyp};

/// A registry that ends with the check.
struct Registry {
    process: Child,
    host: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn check() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let Some(registry) = Registry::start(folder.path())? else {
        return hyp::skip("docker-registry is not installed");
    };
    let good = fs::read(hyp::repository().join("tests/guests/dist/good.wasm"))?;
    registry.push("guests/good", "1", &good)?;
    let source = format!("oci://{}/guests/good:1", registry.host);

    let hyp = Hyp::new()?;
    let (_, told) = hyp.output("install", &["plugin", "install", &source, "--yes"])?;
    ensure!(told.contains(&digest(&good)), "the digest is shown\n{told}");
    let (_, told) = hyp.output("update", &["plugin", "update"])?;
    ensure!(told.contains("is what is there"), "{told}");

    // The tag moves: the installed file stays until an update, which shows it.
    let mut moved = good.clone();
    moved.extend(b"\0\x06\x05moved");
    registry.push("guests/good", "1", &moved)?;
    hyp.run("verify", &["plugin", "verify"])?;
    let (_, told) = hyp.output("update", &["plugin", "update"])?;
    for digest in [digest(&good), digest(&moved)] {
        ensure!(told.contains(&digest), "both digests are shown\n{told}");
    }
    // A file that somebody changed is not loaded.
    fs::write(hyp.store().join("plugins/good.wasm"), &good)?;
    ensure!(hyp.run("verify", &["plugin", "verify"]).is_err(), "another file is refused");
    hyp.output("update", &["plugin", "update"])?;
    hyp.run("verify", &["plugin", "verify"])?;

    drop(registry);
    let down = hyp.output("update", &["plugin", "update"]).err().context("nobody is there")?;
    ensure!(down.to_string().contains("cannot fetch"), "{down}");
    Ok(())
}

impl Registry {
    /// Starts the registry, if it is installed, and waits until it says that it listens.
    fn start(folder: &Path) -> Result<Option<Self>> {
        // Whoever else binds this port in between makes the check fail, not pass.
        let host = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let config = folder.join("config.yml");
        fs::write(
            &config,
            format!(
                "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {host}\n",
                folder.join("blobs").display()
            ),
        )?;
        let started = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut process = match started {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            started => started?,
        };
        let stderr = process.stderr.take().context("its words are piped")?;
        let registry = Self { process, host };
        let mut said = String::new();
        let mut lines = BufReader::new(stderr).lines();
        while !said.contains("listening on") {
            let line = lines.next().with_context(|| format!("the registry ended: {said}"))??;
            said.push_str(&line);
        }
        // Somebody has to listen to what it goes on saying, or it would wait.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Some(registry))
    }

    /// Pushes a component as `wkg oci push` does.
    fn push(&self, repository: &str, tag: &str, component: &[u8]) -> Result<()> {
        const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
        let config = b"{}";
        for blob in [component, config] {
            let uploads = format!("/v2/{repository}/blobs/uploads/");
            let head = self.send("POST", &uploads, "text/plain", b"")?;
            let location = head
                .lines()
                .find_map(|line| {
                    line.to_lowercase().starts_with("location:").then(|| line[9..].trim())
                })
                .context("the registry names where to upload")?;
            let path = location.split_once(&self.host).map_or(location, |(_, path)| path);
            let path = format!("{path}&digest={}", digest(blob));
            self.send("PUT", &path, "application/octet-stream", blob)?;
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.wasm.config.v0+json",
                "digest": digest(config),
                "size": config.len(),
            },
            "layers": [{
                "mediaType": "application/wasm",
                "digest": digest(component),
                "size": component.len(),
            }],
        });
        let path = format!("/v2/{repository}/manifests/{tag}");
        self.send("PUT", &path, MANIFEST, manifest.to_string().as_bytes())?;
        Ok(())
    }

    /// Sends a request and returns the head of the answer; fails unless it is one of success.
    fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<String> {
        let mut stream = TcpStream::connect(&self.host)?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: {kind}\r\n\
             content-length: {}\r\n\r\n",
            self.host,
            body.len()
        )?;
        stream.write_all(body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(answer.starts_with("HTTP/1.1 2"), "{method} {path}\n{answer}");
        Ok(answer)
    }
}

fn digest(bytes: &[u8]) -> String {
    let digits: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}
