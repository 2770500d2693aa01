//! `uphill watch`: the page of a run follows it, and nobody who asks for anything else gets it or keeps others waiting.
#![cfg(feature = "cli")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

mod programs;
mod running;

use running::Running;

/// Long enough that it does not end by itself.
const ENDLESS: &str = "--env CartPole-v1 --steps 100000000 --envs 4 --n-steps 32 --hidden 8";
const SHORT: &str = "--env GridWorld-4x4-v0 --steps 1500 --hidden 8 --n-steps 64 --eval-every 500 --eval-episodes 2";

impl Running {
    fn new(home: &Path, arguments: &str) -> Self {
        let mut program = programs::example("uphill");
        program.current_dir(home).args(arguments.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::null());
        Self(program.spawn().expect("it starts"))
    }

    /// Ctrl-C, and the code that it ends with then.
    #[cfg(unix)]
    fn interrupt(mut self) -> Option<i32> {
        assert!(Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().expect("kill runs").success());
        self.0.wait().expect("it ends").code()
    }
}

/// Someone who watches, and where the page is.
struct Watching {
    program: Running,
    port: u16,
    _said: BufReader<ChildStdout>,
}

impl Watching {
    fn new(home: &Path, arguments: &str) -> Self {
        let mut program = Running::new(home, &format!("watch {arguments}"));
        let mut said = BufReader::new(program.0.stdout.take().expect("a pipe"));
        let mut line = String::new();
        said.read_line(&mut line).expect("a line");
        let port = line.trim().strip_suffix('/').and_then(|line| line.rsplit_once("http://127.0.0.1:"));
        let port = port.and_then(|(_, port)| port.parse().ok()).unwrap_or_else(|| panic!("no address: {line}"));
        Self { program, port, _said: said }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("someone listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        stream
    }

    /// What a whole request is answered with.
    fn answer(&self, request: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(request).expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    fn get(&self, path: &str) -> String {
        self.answer(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", self.port).as_bytes())
    }

    fn events(&self) -> Events {
        let mut stream = self.connect();
        let ask = format!("GET /events HTTP/1.1\r\nHost: localhost:{}\r\nAccept: text/event-stream\r\n\r\n", self.port);
        stream.write_all(ask.as_bytes()).expect("asked");
        let mut events = Events(BufReader::new(stream));
        let head: Vec<String> = std::iter::from_fn(|| Some(events.line()).filter(|line| !line.is_empty())).collect();
        assert!(head[0] == "HTTP/1.1 200 OK" && head.contains(&"Content-Type: text/event-stream".into()), "{head:?}");
        events
    }
}

struct Events(BufReader<TcpStream>);

impl Events {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line within a minute");
        line.trim_end().into()
    }

    /// The next event.
    fn next(&mut self) -> Value {
        let begun = Instant::now();
        loop {
            // Lines without a word would keep it waiting for ever.
            assert!(begun.elapsed() < Duration::from_secs(120), "two minutes without an event");
            if let Some(data) = self.line().strip_prefix("data: ") {
                return serde_json::from_str(data).expect("JSON in a line");
            }
        }
    }

    /// The next event of which this holds.
    fn once(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let event = self.next();
            if holds(&event) {
                return event;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "two minutes later: {}", event["state"]);
        }
    }
}

/// How many steps a chart goes to.
fn steps(event: &Value) -> f64 {
    let first = &event["charts"][0]["series"][0]["x"];
    first.as_array().and_then(|x| x.last()).and_then(Value::as_f64).unwrap_or(0.0)
}

fn wait_for(file: &Path) {
    let begun = Instant::now();
    while !file.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "a minute later there is no {}", file.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(unix)]
#[test]
fn a_page_follows_a_run_from_before_its_first_row_to_after_its_end() {
    let home = tempfile::tempdir().expect("a folder");
    let run = home.path().join("r");
    // A run that has begun and has no row yet.
    let train = Running::new(home.path(), &format!("train {ENDLESS} --out r --quiet"));
    wait_for(&run.join("config.toml"));
    let kept = fs::read(run.join("config.toml")).expect("settings");
    fs::create_dir(home.path().join("fresh")).expect("a folder");
    fs::write(home.path().join("fresh/config.toml"), kept).expect("a file");
    let fresh = Watching::new(home.path(), "fresh");
    let event = fresh.events().next();
    assert_eq!((&event["state"], &event["age"], steps(&event)), (&"training".into(), &Value::Null, 0.0));
    assert!(fresh.get("/").contains("<title>CartPole-v1: ppo with adam"), "what it is is known");

    let watching = Watching::new(home.path(), "r");
    let mut events = watching.events();
    let first = steps(&events.once(|event| steps(event) > 0.0));
    let event = events.once(|event| steps(event) > first);
    assert!(event["state"] == "training" && event["age"].as_f64().is_some(), "{}", event["state"]);
    assert!(event["parts"]["facts"].as_str().expect("text").contains("under way"));
    // The page is the same, and of now.
    let page = watching.get("/");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html"), "{}", &page[..200]);
    assert!(page.contains("connect-src 'self'") && page.contains("new EventSource('events')"));
    assert!(page.contains("\"column\":\"episode_return_mean\""));
    // Interrupted, and resumed for longer than before.
    assert_eq!(train.interrupt(), Some(130));
    let event = events.once(|event| event["state"] == "interrupted");
    let last = steps(&event);
    let resumed = Running::new(home.path(), "resume r --quiet");
    events.once(|event| event["state"] == "training" && steps(event) > last);
    drop(resumed);
    assert_eq!(watching.program.interrupt(), Some(130));
    assert_eq!(fresh.program.interrupt(), Some(130));
}

#[test]
fn an_open_page_is_told_that_training_has_ended() {
    let home = tempfile::tempdir().expect("a folder");
    let train = Running::new(home.path(), &format!("train {SHORT} --out r --quiet"));
    wait_for(&home.path().join("r/config.toml"));
    let watching = Watching::new(home.path(), "r");
    let before = |home: &Path| {
        let names = fs::read_dir(home.join("r")).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    let event = watching.events().once(|event| event["state"] == "ended");
    assert_eq!(steps(&event), 1536.0);
    assert!(event["replays"][0]["frames"].as_array().is_some_and(|frames| frames.len() > 1), "an episode is played");
    assert!(event["parts"]["facts"].as_str().expect("text").contains("over 100 episodes"));
    assert!(event["parts"]["evaluations"].as_str().expect("text").contains("id=\"evaluations\""));
    let mut train = train;
    assert!(train.0.wait().expect("it ends").success());
    // One that has ended already is the same, and watching leaves nothing behind.
    let (names, again) = (before(home.path()), Watching::new(home.path(), "r"));
    let known = again.events().next();
    assert_eq!((&known["charts"], &known["state"]), (&event["charts"], &event["state"]));
    assert_eq!(before(home.path()), names);
}

#[test]
fn only_this_machine_s_own_questions_are_answered() {
    let home = tempfile::tempdir().expect("a folder");
    let mut train = Running::new(home.path(), &format!("train {SHORT} --out r --quiet"));
    assert!(train.0.wait().expect("it ends").success());
    let watching = Watching::new(home.path(), "r");
    let port = watching.port;
    let status = |request: String| watching.answer(request.as_bytes()).chars().take(12).collect::<String>();
    for host in ["evil.example".into(), format!("evil.example:{port}"), "127.0.0.1".into(), format!("0.0.0.0:{port}")] {
        for path in ["/", "/events"] {
            assert_eq!(status(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")), "HTTP/1.1 421", "{host}{path}");
        }
    }
    assert_eq!(status("GET / HTTP/1.1\r\n\r\n".into()), "HTTP/1.1 400");
    for method in ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"] {
        let request = format!("{method} / HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: 9\r\n\r\nsome body");
        assert_eq!(status(request), "HTTP/1.1 405", "{method}");
    }
    for path in ["/config.toml", "/../r/config.toml", "/%2e%2e/", "/events/", "http://evil.example/"] {
        assert_eq!(status(format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n")), "HTTP/1.1 404", "{path}");
    }
    assert_eq!(status("\u{16}\u{3}\u{1} this is TLS\r\n\r\n".into()), "HTTP/1.1 400");
    let second = ["watch".into(), "r".into(), "--port".into(), port.to_string()];
    let second = programs::example("uphill").current_dir(home.path()).args(second).output().expect("it runs");
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!((second.status.code(), second.stdout.len()), (Some(1), 0));
    let taken =
        format!("error: --port {port} is taken by another program: give --port another number, or leave it out");
    assert!(said.starts_with(&taken), "{said}");
}

#[test]
fn clients_that_are_slow_or_send_too_much_keep_nobody_waiting() {
    let home = tempfile::tempdir().expect("a folder");
    let mut train = Running::new(home.path(), &format!("train {SHORT} --out r --quiet"));
    assert!(train.0.wait().expect("it ends").success());
    let watching = Watching::new(home.path(), "r");
    // Half a question each, and one that never ends.
    let mut silent: Vec<TcpStream> = (0..20).map(|_| watching.connect()).collect();
    silent.iter_mut().for_each(|stream| stream.write_all(b"GET / HTTP/1.1\r\nHo").expect("written"));
    let long = format!("GET / HTTP/1.1\r\nHost: localhost:{}\r\nX: {}", watching.port, "a".repeat(64 << 10));
    let mut stream = watching.connect();
    // It is refused before it has ended.
    let _ = stream.write_all(long.as_bytes());
    let mut answer = [0; 12];
    if stream.read_exact(&mut answer).is_ok() {
        assert_eq!(&answer, b"HTTP/1.1 431");
    }
    // Those who ask for events and read none.
    let deaf: Vec<TcpStream> = (0..20).map(|_| watching.events().0.into_inner()).collect();
    assert!(watching.get("/").starts_with("HTTP/1.1 200 OK"), "others are answered");
    // More than there is room for are sent away at once, and there is room again when the others have gone.
    let more: Vec<TcpStream> = (0..80).map(|_| watching.connect()).collect();
    let sent_away = |mut stream: &TcpStream| {
        let mut answer = [0; 12];
        stream.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
        stream.read_exact(&mut answer).is_ok_and(|()| &answer == b"HTTP/1.1 503")
    };
    assert!(more.iter().any(sent_away), "there is a bound");
    drop((more, deaf, silent));
    let begun = Instant::now();
    while !watching.get("/").starts_with("HTTP/1.1 200 OK") {
        assert!(begun.elapsed() < Duration::from_secs(60), "a minute later there is no room");
        std::thread::sleep(Duration::from_millis(100));
    }
}
