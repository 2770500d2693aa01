//! What a client asks for, as far as it may ask.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use httparse::{EMPTY_HEADER, Error, Request, Status};

/// How long a client has for all of its question.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes and headers of a question at most.
const MOST: usize = 16 << 10;
const HEADERS: usize = 100;

/// What there is to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Page,
    Events,
}

/// Why a client has no answer: a status, and words for whoever looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) u16, pub(super) &'static str);

/// Reads a question to the server at this port; `None` where there is nobody to answer.
pub(super) fn read(stream: &mut TcpStream, port: u16) -> Option<Result<Asked, Refusal>> {
    let (until, mut question, mut part) = (Instant::now() + PATIENCE, Vec::new(), [0; 2048]);
    loop {
        let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
        let Some(left) = left else { return Some(Err(Refusal(408, "the request did not end in time"))) };
        stream.set_read_timeout(Some(left)).ok()?;
        match stream.read(&mut part) {
            Ok(0) => return None,
            Ok(count) => question.extend_from_slice(&part[..count]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                continue;
            }
            Err(_) => return None,
        }
        match parse(&question, port) {
            None if question.len() > MOST => return Some(Err(Refusal(431, "the request is too long"))),
            None => {}
            Some(asked) => return Some(asked),
        }
    }
}

/// What a whole question asks for; `None` of one that goes on.
fn parse(question: &[u8], port: u16) -> Option<Result<Asked, Refusal>> {
    let mut headers = [EMPTY_HEADER; HEADERS];
    let mut request = Request::new(&mut headers);
    match request.parse(question) {
        Ok(Status::Partial) => None,
        Ok(Status::Complete(_)) => Some(asked(&request, port)),
        Err(Error::TooManyHeaders) => Some(Err(Refusal(431, "the request has too many headers"))),
        Err(_) => Some(Err(Refusal(400, "this is no request of HTTP"))),
    }
}

fn asked(request: &Request<'_, '_>, port: u16) -> Result<Asked, Refusal> {
    let mut hosts = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("host"));
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(Refusal(400, "a request has one header Host"));
    };
    // A page from elsewhere whose name leads here sends its own name: it would read what only this machine may.
    let own = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    if !own.iter().any(|own| host.value.eq_ignore_ascii_case(own.as_bytes())) {
        return Err(Refusal(421, "only 127.0.0.1 and localhost are served, under this port"));
    }
    if request.method != Some("GET") {
        return Err(Refusal(405, "there is only GET: nothing can be changed here"));
    }
    match request.path {
        Some("/") => Ok(Asked::Page),
        Some("/events") => Ok(Asked::Events),
        _ => Err(Refusal(404, "there are / and /events")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, MOST, parse};

    #[test]
    fn only_what_there_is_is_asked_for_by_the_name_that_it_has() {
        let ask = |text: &str| parse(text.as_bytes(), 8080).map(|asked| asked.map_err(|refusal| refusal.0));
        let get = |path: &str, host: &str| ask(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(get("/", "127.0.0.1:8080"), Some(Ok(Asked::Page)));
        assert_eq!(get("/events", "LOCALHOST:8080"), Some(Ok(Asked::Events)));
        for host in ["evil.example", "127.0.0.1", "127.0.0.1:80", "localhost:8080.evil.example", "", "[::1]:8080"] {
            assert_eq!(get("/", host), Some(Err(421)), "{host}");
        }
        for path in ["/../config.toml", "/config.toml", "//", "/?x", "http://127.0.0.1:8080/", "*"] {
            assert_eq!(get(path, "localhost:8080"), Some(Err(404)), "{path}");
        }
        for method in ["POST", "HEAD", "OPTIONS", "DELETE", "get"] {
            assert_eq!(
                ask(&format!("{method} / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n")),
                Some(Err(405)),
                "{method}"
            );
        }
        assert_eq!(ask("GET / HTTP/1.1\r\n\r\n"), Some(Err(400)));
        assert_eq!(ask("GET / HTTP/1.1\r\nHost: localhost:8080\r\nHost: localhost:8080\r\n\r\n"), Some(Err(400)));
        assert_eq!(ask("\u{1}\u{2}\r\n\r\n"), Some(Err(400)));
        assert_eq!(ask(&format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200))), Some(Err(431)));
        // A question that goes on is none yet, however long it is: its reader gives up.
        assert_eq!(ask("GET / HTTP/1.1\r\nHost: local"), None);
        assert_eq!(ask(&format!("GET /{}", "a".repeat(2 * MOST))), None);
    }
}
