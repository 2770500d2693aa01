//! Answers on this machine's own address, and keeps whoever is slow, silent or not honest from keeping others waiting: each has
//! a thread of its own for a bounded time, and there are so many of them at most.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{Builder, sleep};
use std::time::{Duration, Instant};

use super::request::{self, Asked, Refusal};
use super::watched::Watched;
use crate::{Error, Result};

/// Clients at a time.
const MOST: usize = 64;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long an open page is left without a word: a client that has gone is noticed by then.
const SILENCE: Duration = Duration::from_secs(5);
/// How long a client that is refused may go on talking.
const SPARED: Duration = Duration::from_millis(500);
/// How long it takes to notice a new client, or that it is over.
const PAUSE: Duration = Duration::from_millis(20);

/// A port that is listened at.
pub(super) struct Server {
    listener: TcpListener,
    port: u16,
}

impl Server {
    /// Takes a port, or with 0 one that is free.
    ///
    /// # Errors
    /// [`Error::Config`] if it cannot be had.
    pub(super) fn bind(port: u16) -> Result<Self> {
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(Self { port: listener.local_addr()?.port(), listener })
        });
        bound.map_err(|e| {
            let remedy = "give --port another number, or leave it out for one that is free";
            Error::Config(match e.kind() {
                ErrorKind::AddrInUse => format!("--port {port} is taken by another program: {remedy}"),
                ErrorKind::PermissionDenied => format!("--port {port} is not for every user: {remedy}"),
                _ => format!("--port {port} cannot be listened at ({e}): {remedy}"),
            })
        })
    }

    /// Where a browser finds it.
    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Answers whoever asks until it is over.
    ///
    /// # Errors
    /// [`Error::Config`] if the port is lost.
    pub(super) fn answer(&self, watched: &Arc<Watched>, is_over: impl Fn() -> bool) -> Result<()> {
        // Each client holds one.
        let clients = Arc::new(());
        while !is_over() {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                // Nobody, somebody who has gone again, or for the moment too many open files.
                Err(e) if e.kind() != ErrorKind::InvalidInput => {
                    sleep(PAUSE);
                    continue;
                }
                Err(e) => return Err(Error::Config(format!("port {} was lost: {e}", self.port))),
            };
            if Arc::strong_count(&clients) > MOST {
                // A few bytes wait for nobody.
                let _ = stream.set_nonblocking(true);
                let _ = refuse(&stream, Refusal(503, "too many clients at a time"), Instant::now());
                continue;
            }
            let (port, watched, client) = (self.port, watched.clone(), clients.clone());
            let serve = move || {
                // Whoever hangs up has had enough.
                let _ = serve(stream, port, &watched);
                drop(client);
            };
            if Builder::new().name("client".into()).spawn(serve).is_err() {
                sleep(PAUSE);
            }
        }
        Ok(())
    }
}

/// Answers one client.
fn serve(mut stream: TcpStream, port: u16, watched: &Watched) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    let Some(asked) = request::read(&mut stream, port) else { return Ok(()) };
    let until = Instant::now() + PATIENCE;
    match asked {
        Ok(Asked::Page) => {
            let now = watched.now();
            let length = format!("Content-Length: {}\r\n", now.page.len());
            write(&stream, head("200 OK", "text/html; charset=utf-8", &length).as_bytes(), until)?;
            write(&stream, now.page.as_bytes(), until)?;
        }
        Ok(Asked::Events) => {
            write(&stream, head("200 OK", "text/event-stream", "").as_bytes(), until)?;
            let mut known = 0;
            loop {
                let next = watched.next(known, SILENCE);
                let until = Instant::now() + PATIENCE;
                match next {
                    Some((version, now)) => {
                        known = version;
                        write(&stream, format!("id: {version}\ndata: ").as_bytes(), until)?;
                        write(&stream, now.event.as_bytes(), until)?;
                        write(&stream, b"\n\n", until)?;
                    }
                    None => write(&stream, b":\n\n", until)?,
                }
            }
        }
        Err(refusal) => {
            refuse(&stream, refusal, until)?;
            stream.shutdown(Shutdown::Write)?;
            // What is left unread would break the connection before the words arrive.
            stream.set_read_timeout(Some(SPARED))?;
            let (until, mut part) = (Instant::now() + SPARED, [0; 2048]);
            while stream.read(&mut part)? > 0 && Instant::now() < until {}
        }
    }
    stream.shutdown(Shutdown::Write)
}

fn refuse(stream: &TcpStream, Refusal(status, words): Refusal, until: Instant) -> std::io::Result<()> {
    let allow = if status == 405 { "Allow: GET\r\n" } else { "" };
    let more = format!("{allow}Content-Length: {}\r\n", words.len() + 1);
    let head = head(&format!("{status} {}", reason(status)), "text/plain; charset=utf-8", &more);
    write(stream, format!("{head}{words}\n").as_bytes(), until)
}

/// The head of an answer. None is kept by anybody, nor shown in a frame of another page.
fn head(status: &str, kind: &str, more: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}Cache-Control: no-store\r\nConnection: close\r\n\
         Content-Security-Policy: frame-ancestors 'none'\r\nCross-Origin-Resource-Policy: same-origin\r\n\
         Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n\r\n"
    )
}

/// RFC 9110, section 15.
fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        _ => "Service Unavailable",
    }
}

/// Writes all of it until then, however slowly it is taken.
fn write(mut stream: &TcpStream, mut bytes: &[u8], until: Instant) -> std::io::Result<()> {
    while !bytes.is_empty() {
        let left = until.checked_duration_since(Instant::now()).unwrap_or_default();
        stream.set_write_timeout(Some(left.max(Duration::from_millis(1))))?;
        match stream.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
        if !bytes.is_empty() && Instant::now() >= until {
            return Err(ErrorKind::TimedOut.into());
        }
    }
    Ok(())
}
