//! The pages that are read one after another: each begins with something to run, which runs; and every page's links lead somewhere.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

mod programs;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Markdown files of a folder and those below.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(pages(&path));
        } else if path.extension().is_some_and(|ending| ending == "md") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The blocks of a page in this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(found) = line.strip_prefix("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            if found == language {
                blocks.push(block.join("\n"));
            }
        }
    }
    blocks
}

#[test]
fn what_the_pages_say_to_run_runs() {
    let uphill = programs::example("uphill").get_program().to_owned();
    let mut of = Vec::new();
    for folder in ["docs/guide", "docs/migrating"] {
        of.extend(pages(&root().join(folder)));
    }
    assert!(of.len() >= 8, "{of:?}");
    // Two at a time.
    let next = Mutex::new(of.into_iter());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let page = next.lock().expect("no page has failed").next();
                    let Some(page) = page else { return };
                    run(&page, &uphill);
                }
            });
        }
    });
}

/// Runs what a page says to, one block after another, in a folder that has the configurations of a clone.
fn run(page: &Path, uphill: &OsStr) {
    let home = tempfile::tempdir().expect("a folder");
    let bin = home.path().join("bin");
    fs::create_dir(&bin).expect("a folder");
    fs::hard_link(uphill, bin.join("uphill")).or_else(|_| fs::copy(uphill, bin.join("uphill")).map(drop)).expect("it");
    fs::create_dir(home.path().join("configs")).expect("a folder");
    for config in fs::read_dir(root().join("configs")).expect("configurations") {
        let config = config.expect("a file").path();
        fs::copy(&config, home.path().join("configs").join(config.file_name().expect("a name"))).expect("a copy");
    }
    let text = fs::read_to_string(page).expect("a page");
    let after_title = text.lines().skip(1).find(|line| line.starts_with("```"));
    assert_eq!(after_title, Some("```sh"), "{} begins with something to run", page.display());
    let commands = blocks(&text, "sh").join("\n");
    let path = std::env::var("PATH").unwrap_or_default();
    let ran = Command::new("sh")
        .args(["-euc", &commands])
        .current_dir(home.path())
        .env("PATH", format!("{}:{path}", bin.display()))
        .output()
        .expect("a shell");
    assert!(ran.status.success(), "{}: {}", page.display(), String::from_utf8_lossy(&ran.stderr));
}

/// What a heading is linked to by.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The headings of a page as anchors.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut within = false;
    let mut found = BTreeSet::new();
    for line in page.lines() {
        within ^= line.starts_with("```");
        if let Some((marks, heading)) = line.split_once(' ')
            && !within
            && !marks.is_empty()
            && marks.chars().all(|c| c == '#')
        {
            found.insert(anchor(heading));
        }
    }
    found
}

/// Where a page's links lead, without those to other places of the web.
fn links(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut within, mut rest) = (false, String::new());
    for line in page.lines() {
        within ^= line.starts_with("```");
        if !within {
            rest.push_str(line);
            rest.push('\n');
        }
    }
    // What stands between backticks is no link.
    let plain: String = rest.split('`').step_by(2).collect();
    let mut parts = plain.split("](").skip(1);
    found.extend(parts.by_ref().filter_map(|part| part.split_once(')')).map(|(link, _)| link.to_string()));
    found.retain(|link| !link.contains("://") && !link.starts_with("mailto:") && !link.contains(' '));
    found
}

#[test]
fn links_lead_somewhere() {
    let mut of = pages(&root().join("docs"));
    for page in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "envs/README.md", "examples/worlds/README.md"] {
        of.push(root().join(page));
    }
    let (mut wrong, mut count) = (Vec::new(), 0);
    for page in of {
        let text = fs::read_to_string(&page).expect("a page");
        // The book has the front page as its own.
        let is_summary = page.ends_with("SUMMARY.md");
        for link in links(&text) {
            count += 1;
            let (target, place) = link.split_once('#').map_or((&*link, None), |(target, place)| (target, Some(place)));
            let file = match target {
                "" => page.clone(),
                "README.md" if is_summary => root().join("README.md"),
                _ => page.parent().expect("a folder").join(target),
            };
            if !file.exists() {
                wrong.push(format!("{}: {link}", page.display()));
            } else if let Some(place) = place
                && file.extension().is_some_and(|ending| ending == "md")
                && !anchors(&fs::read_to_string(&file).expect("a page")).contains(place)
            {
                wrong.push(format!("{}: {link}: no such heading", page.display()));
            }
        }
    }
    assert!(count > 100, "{count}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_page_is_in_the_book_once() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).expect("a summary");
    let named = links(&summary);
    let once: BTreeSet<&String> = named.iter().collect();
    assert_eq!(once.len(), named.len(), "a page is there twice");
    for page in pages(&root().join("docs")) {
        let name = page.strip_prefix(root().join("docs")).expect("a page").to_string_lossy().into_owned();
        assert!(name == "SUMMARY.md" || once.contains(&name), "{name} is not in docs/SUMMARY.md");
    }
}
