//! Pages of runs: they hold what the folders hold, ask nobody for anything, and take no text of a user's for their own.
#![cfg(feature = "pictures")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use uphill::report::{ReportOptions, html};
use uphill::{Catalogue, Config, RunFolder, Trainer};

/// A run of two updates in a folder of this name.
fn trained(home: &Path, name: &str, seed: u64) -> PathBuf {
    let a2c = Config::for_algo("a2c").expect("an algorithm");
    let config = Config {
        env: "CartPole-v1".into(),
        steps: 400,
        envs: 2,
        n_steps: 100,
        hidden: vec![4],
        eval_every: 200,
        eval_episodes: 2,
        seed,
        ..a2c
    };
    let folder = home.join(name);
    let mut run = RunFolder::create(&folder, &config, false).expect("a folder");
    let mut trainer = Trainer::new(&config).expect("a trainer");
    while let Some(metrics) = trainer.step().expect("an update") {
        run.log(&metrics).expect("a row");
        run.save_if_due(&mut trainer).expect("saved");
    }
    run.finish(trainer).expect("an end");
    folder
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn page(folders: &[PathBuf]) -> String {
    html(folders, &ReportOptions::default(), &Catalogue::default()).expect("a page")
}

fn refused(folders: &[PathBuf]) -> String {
    html(folders, &ReportOptions::default(), &Catalogue::default()).expect_err("no page").to_string()
}

/// What stands between these two, from the first of them on.
fn between<'p>(page: &'p str, start: &str, end: &str) -> &'p str {
    let after = page.split_once(start).unwrap_or_else(|| panic!("no {start}")).1;
    after.split_once(end).unwrap_or_else(|| panic!("no {end}")).0
}

/// What the page's script reads.
fn data(page: &str) -> Value {
    serde_json::from_str(between(page, "id=\"data\">", "</script>")).expect("JSON")
}

/// The page without its style and script, whose brackets are none of the markup's, as a tree: it is well formed.
fn tree(page: &str) -> String {
    let style = between(page, "<style>", "</style>");
    let script = page.rsplit_once("<script>").expect("a script").1.split_once("</script>").expect("its end").0;
    page.replace(style, "").replace(script, "")
}

fn summary(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("summary.json")).expect("a summary")).expect("JSON")
}

#[test]
fn a_page_holds_what_the_folder_holds() {
    let home = home();
    let folder = trained(home.path(), "a", 3);
    let page = page(std::slice::from_ref(&folder));
    assert_eq!(page, self::page(std::slice::from_ref(&folder)), "the same folder, the same bytes");
    let data = data(&page);
    let charts = data["charts"].as_array().expect("charts");
    let numbers = |of: &Value| -> Vec<f64> {
        of.as_array().expect("numbers").iter().map(|x| x.as_f64().expect("a number")).collect()
    };
    // Each column that has values, with these.
    let mut reader = csv::Reader::from_path(folder.join("metrics.csv")).expect("metrics");
    let header = reader.headers().expect("a header").clone();
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("rows");
    assert_eq!(rows.len(), 2);
    let column =
        |i: usize| rows.iter().filter(move |row| !row[i].is_empty()).map(move |row| row[i].parse().expect("a number"));
    let mut drawn = 0;
    for (i, name) in header.iter().enumerate().filter(|(_, name)| !["update", "env_steps", "episodes"].contains(name)) {
        let chart = charts.iter().find(|chart| chart["column"] == name);
        let values: Vec<f64> = column(i).collect();
        assert_eq!(chart.is_some(), !values.is_empty(), "{name}");
        if let Some(chart) = chart {
            assert_eq!(numbers(&chart["series"][0]["y"]), values, "{name}");
            drawn += 1;
        }
    }
    assert!(drawn > 8, "{drawn} charts");
    assert_eq!(numbers(&charts[1]["series"][0]["x"]), [200.0, 400.0], "evaluations are the second chart");
    assert_eq!(charts[0]["threshold"], 475.0);
    // Its result, and an episode: a frame for the start and one a step.
    let summary = summary(&folder);
    let best = summary["eval"]["return_min"].as_f64().expect("a return");
    assert!(page.contains(&format!("lowest {best}, over 100 episodes")), "{summary}");
    let frames = data["replays"][0]["frames"].as_array().expect("frames").len();
    assert!(page.contains(&format!("{} steps, return {}.", frames - 1, frames - 1)), "a pole up for {frames} frames");
    assert!(page.contains("n_steps = 100\n"), "config.toml as it is");
    for said in ["<dd>cpu</dd>", "<dd>3</dd>", concat!("<dd>", env!("CARGO_PKG_VERSION"), "</dd>")] {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn several_runs_have_a_table_and_share_their_charts() {
    let home = home();
    let folders = [trained(home.path(), "a", 1), trained(home.path(), "b", 2)];
    let page = page(&folders);
    let results = between(&page, "id=\"results\"", "</table>");
    for folder in &folders {
        let mean = summary(folder)["eval"]["return_mean"].as_f64().expect("a return");
        assert!(results.contains(&format!("data-value=\"{mean}\"")), "{mean} in {results}");
    }
    assert!(!page.contains("id=\"differences\""), "seeds are no settings");
    let data = data(&page);
    for chart in data["charts"].as_array().expect("charts") {
        let runs: Vec<&Value> = chart["series"].as_array().expect("curves").iter().map(|line| &line["run"]).collect();
        assert_eq!(runs, [0, 1], "{}", chart["column"]);
    }
    assert_eq!(page.matches("aria-pressed").count() - page.matches("'aria-pressed'").count() - 2, 2, "an entry a run");
    let config = fs::read_to_string(folders[1].join("config.toml")).expect("settings");
    fs::write(folders[1].join("config.toml"), config.replace("gamma = 0.99", "gamma = 0.5")).expect("written");
    let page = self::page(&folders);
    assert!(between(&page, "id=\"differences\"", "</table>").contains("<td>0.5</td>"));
}

#[test]
fn a_page_is_well_formed_and_asks_nobody_for_anything() {
    let home = home();
    let folders = [trained(home.path(), "a", 1), trained(home.path(), "b", 2)];
    for page in [page(&folders), page(&folders[..1])] {
        let text = tree(&page);
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        let tree = roxmltree::Document::parse_with_options(&text, options).unwrap_or_else(|e| panic!("{e}\n{text}"));
        for element in tree.descendants() {
            let fetches = ["src", "href", "srcset", "action", "style", "onclick"];
            assert!(element.attributes().all(|attribute| !fetches.contains(&attribute.name())), "{element:?}");
            let name = element.tag_name().name();
            assert!(!["link", "iframe", "object", "embed", "base", "form"].contains(&name), "{element:?}");
        }
        let policy = tree.descendants().find_map(|one| one.attribute("http-equiv").and(one.attribute("content")));
        let policy = policy.expect("a policy");
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
        let own = page.replace("http://www.w3.org/2000/svg", "");
        assert!(["http:", "https:", "url(", "@import", "fetch(", "//cdn"].iter().all(|other| !own.contains(other)));
        let ids: Vec<&str> = tree.descendants().filter_map(|one| one.attribute("id")).collect();
        assert!(ids.iter().all(|id| ids.iter().filter(|other| other == &id).count() == 1), "{ids:?}");
    }
}

/// Where there is a browser to do it: `scripts/look-at-report.py` says what it needs.
#[test]
fn a_person_can_use_a_page() {
    let there = |program: &str| Command::new(program).arg("--version").output().is_ok_and(|said| said.status.success());
    if !["chromium", "chromedriver", "python3"].into_iter().all(there) {
        return;
    }
    let home = home();
    let folders = [trained(home.path(), "a", 1), trained(home.path(), "b", 2)];
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/look-at-report.py");
    for (name, page) in [("one.html", page(&folders[..1])), ("two.html", page(&folders))] {
        let file = home.path().join(name);
        fs::write(&file, page).expect("written");
        let used =
            Command::new("python3").arg(script).args([&file, &home.path().join("pictures")]).output().expect("python");
        let said = String::from_utf8_lossy(&used.stdout);
        assert!(used.status.success(), "{name}: {said}{}", String::from_utf8_lossy(&used.stderr));
        assert!(said.contains("nothing is fetched but"), "{name}: to the end: {said}");
    }
}

#[cfg(unix)]
#[test]
fn names_mean_nothing_but_themselves() {
    let home = home();
    let hostile = "</script><script>alert(1)<!-- '\"&amp; <img src=x onerror=alert(2)>".replace('/', "\u{2215}");
    let folders = [trained(home.path(), &hostile, 1), trained(home.path(), "LEGEND", 2)];
    let config = fs::read_to_string(folders[1].join("config.toml")).expect("settings");
    let map = "env = \"</script><b id='x'>\"";
    fs::write(folders[1].join("config.toml"), config.replace("env = \"CartPole-v1\"", map)).expect("written");
    assert!(fs::read_to_string(folders[1].join("config.toml")).expect("settings").contains(map));
    let title = Some("<title>&'\"</title>".to_string());
    let options = ReportOptions { title: title.clone(), ..ReportOptions::default() };
    let page = html(&folders, &options, &Catalogue::default()).expect("a page");
    let (scripts, ends) = (page.matches("<script").count(), page.matches("</script").count());
    assert_eq!((scripts, ends), (2, 2), "the page's own");
    assert!(!page.contains("<img") && !page.contains("<b id") && !page.contains("<!--"));
    let text = tree(&page);
    let parsing = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let tree = roxmltree::Document::parse_with_options(&text, parsing).expect("well formed");
    let texts: Vec<&str> = tree.descendants().filter_map(|one| one.text()).collect();
    for shown in [&*hostile, "</script><b id='x'>", title.as_deref().expect("one")] {
        assert!(texts.iter().any(|text| text.contains(shown)), "{shown} is there, as text");
    }
    let line = &data(&page)["charts"][0]["series"][0];
    assert!(line["name"].as_str().expect("a name").ends_with(&hostile), "{line}");
    // What cannot be played says why.
    assert!(page.contains("No episode is shown: "), "an environment that there is not");
}

#[test]
fn what_is_no_run_is_refused_and_what_is_not_there_yet_is_said() {
    let home = home();
    let folder = trained(home.path(), "a", 1);
    let one = std::slice::from_ref(&folder);
    fs::remove_file(folder.join("summary.json")).expect("removed");
    fs::remove_file(folder.join("policy.safetensors")).expect("removed");
    let page = page(one);
    assert!(page.contains("there is no summary.json") && page.contains("No episode is shown: "));
    fs::write(folder.join("summary.json"), "{").expect("written");
    assert!(refused(one).contains("summary.json: this is not JSON"), "{}", refused(one));
    fs::write(folder.join("summary.json"), "[]").expect("written");
    assert!(refused(one).contains("it must hold a JSON object"), "{}", refused(one));
    fs::remove_file(folder.join("summary.json")).expect("removed");
    fs::write(folder.join("metrics.csv"), "env_steps,entropy\n1,x\n").expect("written");
    assert!(
        refused(one).contains("metrics.csv, line 2, column 2 (`entropy`): `x` is not a finite"),
        "{}",
        refused(one)
    );
    assert!(refused(&[home.path().join("none")]).contains("there is no such folder"));
    assert!(refused(&[]).contains("0 runs: a page shows 1 to 32"));
    assert!(refused(&vec![folder; 33]).contains("33 runs"));
}

#[test]
fn a_run_that_is_named_twice_is_shown_once() {
    let home = home();
    trained(home.path(), "one", 21);
    let said = Command::new(env!("CARGO_BIN_EXE_uphill"))
        .current_dir(home.path())
        .args(["report", "one", "./one/../one", "--max-steps", "0", "--out", "page.html"])
        .output()
        .expect("the program runs");
    assert!(said.status.success());
    let note = "./one/../one is the same run as one: it is shown once";
    assert!(String::from_utf8_lossy(&said.stderr).contains(note), "{}", String::from_utf8_lossy(&said.stderr));
    let page = data(&fs::read_to_string(home.path().join("page.html")).expect("a page"));
    let charts = page["charts"].as_array().expect("charts");
    assert!(!charts.is_empty());
    assert!(charts.iter().all(|chart| chart["series"].as_array().is_some_and(|series| series.len() == 1)), "{page}");
}
