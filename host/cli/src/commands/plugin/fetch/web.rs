//! GET over HTTPS, with bounds; over HTTP where both ends are this machine.

use std::io::Read;
use std::time::Duration;

use ureq::Agent;
use url::{Host, Url};

use super::{FetchError, LIMIT};

/// Redirects that are followed, at most.
const HOPS: usize = 5;

/// Who asks, for the server's log.
const WHO: &str = concat!("hyp/", env!("CARGO_PKG_VERSION"));

/// A client that keeps nothing: no cookies, no passwords, no cache.
pub(super) struct Web {
    /// For other machines: through the proxy that `HTTPS_PROXY` names, if any.
    far: Agent,
    /// For this machine.
    near: Agent,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) url: &'a Url,
    /// Media type that is wanted.
    pub(super) accept: &'a str,
    /// Word that the registry gave to anybody.
    pub(super) token: Option<&'a str>,
    /// Bytes that may come.
    pub(super) limit: u64,
    /// True where the bytes are known by their digest, so that it does not matter who sends them.
    pub(super) is_checked: bool,
}

/// What came.
pub(super) struct Answer {
    pub(super) bytes: Vec<u8>,
    content_type: String,
}

/// Brings the file that an address names.
pub(super) fn download(web: &Web, address: &str) -> Result<Vec<u8>, FetchError> {
    let url = parse(address)?;
    let ask = Ask {
        url: &url,
        accept: "application/wasm, */*",
        token: None,
        limit: LIMIT,
        is_checked: false,
    };
    let answer = web.get(ask)?;
    let starts_a_page = answer.bytes.trim_ascii_start().first() == Some(&b'<');
    if answer.content_type.starts_with("text/html") || starts_a_page {
        return Err(FetchError::Page { address: address.to_owned() });
    }
    Ok(answer.bytes)
}

/// Reads an address, and refuses those that would tell others what comes or who asks.
pub(super) fn parse(address: &str) -> Result<Url, FetchError> {
    let refused =
        |reason: &str| FetchError::Address { address: address.to_owned(), reason: reason.into() };
    let url = Url::parse(address).map_err(|error| refused(&error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it holds a password, which would be kept in plugins.lock"));
    }
    if url.scheme() == "http" && !is_here(&url) {
        return Err(FetchError::Plain { address: address.to_owned() });
    }
    Ok(url)
}

/// Says whether an address is of this machine.
pub(super) fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Web {
    pub(super) fn new() -> Self {
        let config = || {
            Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .user_agent(WHO)
                .timeout_connect(Some(Duration::from_secs(15)))
                .timeout_recv_response(Some(Duration::from_secs(60)))
                .timeout_global(Some(Duration::from_secs(600)))
        };
        Self { far: config().build().into(), near: config().proxy(None).build().into() }
    }

    /// Asks, and follows the server's redirects as far as they can be trusted.
    pub(super) fn get(&self, ask: Ask<'_>) -> Result<Answer, FetchError> {
        let mut url = ask.url.clone();
        for _ in 0..=HOPS {
            let token = ask.token.filter(|_| is_same_server(&url, ask.url));
            let mut response = self.send(&url, ask.accept, token)?;
            let status = response.status().as_u16();
            let header = |name: &str| {
                let value = response.headers().get(name)?;
                Some(value.to_str().ok()?.to_owned())
            };
            if let 301 | 302 | 303 | 307 | 308 = status {
                let to = header("location").and_then(|to| url.join(&to).ok());
                let to = to.ok_or_else(|| unreachable(&url, "it redirects to nowhere".into()))?;
                check_redirect(&url, &to, ask.is_checked)?;
                url = to;
                continue;
            }
            if status != 200 {
                let challenge = header("www-authenticate");
                return Err(FetchError::Status { address: url.into(), status, challenge });
            }
            let content_type = header("content-type").unwrap_or_default();
            let length = header("content-length").and_then(|it| it.parse::<u64>().ok());
            let too_large = || FetchError::TooLarge { source_name: url.to_string() };
            if length.is_some_and(|length| length > ask.limit) {
                return Err(too_large());
            }
            let mut bytes = Vec::new();
            let mut body = response.body_mut().as_reader().take(ask.limit + 1);
            body.read_to_end(&mut bytes).map_err(|error| unreachable(&url, error.to_string()))?;
            if bytes.len() as u64 > ask.limit {
                return Err(too_large());
            }
            return Ok(Answer { bytes, content_type });
        }
        Err(unreachable(ask.url, format!("it redirects more than {HOPS} times")))
    }

    fn send(
        &self,
        url: &Url,
        accept: &str,
        token: Option<&str>,
    ) -> Result<ureq::http::Response<ureq::Body>, FetchError> {
        let agent = if is_here(url) { &self.near } else { &self.far };
        let mut request = agent.get(url.as_str()).header("accept", accept);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.call().map_err(|error| unreachable(url, error.to_string()))
    }
}

/// Refuses a redirect that a person did not agree to with the address.
fn check_redirect(from: &Url, to: &Url, is_checked: bool) -> Result<(), FetchError> {
    let what = match to.scheme() {
        "https" | "http" if is_here(to) && !is_here(from) => "on this machine",
        "http" if !is_here(to) => "not encrypted",
        "https" | "http" if is_checked || is_same_server(from, to) => return Ok(()),
        "https" | "http" => "another server",
        _ => "no web address",
    };
    Err(FetchError::Redirect { address: from.to_string(), to: to.to_string(), what })
}

fn is_same_server(a: &Url, b: &Url) -> bool {
    a.origin() == b.origin()
}

fn unreachable(url: &Url, reason: String) -> FetchError {
    FetchError::Unreachable { address: url.to_string(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_followed_where_it_can_be_trusted() {
        #[rustfmt::skip]
        let cases = [
            // from                  to                        checked  refused because it is
            ("https://a.example/x", "https://a.example/y",     false,   None),
            ("https://a.example/x", "https://b.example/x",     false,   Some("another server")),
            ("https://a.example/x", "https://a.example:44/x",  false,   Some("another server")),
            ("https://a.example/x", "https://b.example/x",     true,    None),
            ("https://a.example/x", "http://a.example/x",      true,    Some("not encrypted")),
            ("https://a.example/x", "https://127.0.0.1/x",     true,    Some("on this machine")),
            ("https://a.example/x", "http://[::1]:80/x",       true,    Some("on this machine")),
            ("http://localhost/x",  "http://localhost/y",      false,   None),
            ("https://a.example/x", "file:///etc/passwd",      true,    Some("no web address")),
        ];
        for (from, to, is_checked, expect) in cases {
            let url = |text| Url::parse(text).unwrap();
            let verdict = check_redirect(&url(from), &url(to), is_checked);
            let what = verdict.err().map(|error| match error {
                FetchError::Redirect { what, .. } => what,
                other => panic!("{other}"),
            });
            assert_eq!(what, expect, "{from} -> {to}");
        }
    }

    #[test]
    fn an_address_is_encrypted_or_of_this_machine_and_holds_no_password() {
        #[rustfmt::skip]
        let cases = [
            ("https://a.example/x.wasm",        "fine"),
            ("http://127.8.0.1:5000/x.wasm",    "fine"),
            ("http://localhost/x.wasm",         "fine"),
            ("http://a.example/x.wasm",         "`http://a.example/x.wasm` is not encrypted"),
            ("http://localhost.a.example/x",    "`http://localhost.a.example/x` is not encrypted"),
            ("https://me:pw@a.example/x.wasm",
             "`https://me:pw@a.example/x.wasm` is no address of a component: it holds a password, which would be kept in plugins.lock"),
            ("https://",                        "`https://` is no address of a component: empty host"),
        ];
        for (address, expect) in cases {
            let verdict = parse(address).map_or_else(|error| error.to_string(), |_| "fine".into());
            assert_eq!(verdict, expect);
        }
    }
}
