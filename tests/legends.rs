//! What pictures of runs say about them: read from their SVG.
#![cfg(feature = "pictures")]

use std::fs;

use tempfile::TempDir;
use uphill::plot::{
    DescentOptions, DescentPanel, DescentPath, Goal, Landscape, Picture, PlotError, PlotOptions, RecordedRun, curves,
    descent, descent_gif, note_on, reward_curve,
};

const METRICS: &[u8] = b"env_steps,episode_return_mean\n0,1\n500,2\n1000,3\n";

fn run(name: &str, config: &str) -> RecordedRun {
    RecordedRun::parse(name, config.as_bytes(), METRICS, "episode_return_mean").unwrap()
}

fn with_optimizer(optimizer: &str) -> RecordedRun {
    run(optimizer, &format!("env = 'CartPole-v1'\nalgo = 'ppo'\noptimizer = '{optimizer}'\nseed = 1\nlr = 3e-4"))
}

/// All lines of text in a picture, from the top.
fn lines(picture: &Picture) -> Vec<String> {
    let svg = picture.svg();
    let document = roxmltree::Document::parse(&svg).expect("well-formed XML");
    let text = |node: roxmltree::Node<'_, '_>| {
        let label = node.attribute("aria-label").map(str::to_owned);
        label.or_else(|| node.has_tag_name("text").then(|| node.text().unwrap_or_default().to_owned()))
    };
    document.descendants().filter_map(text).collect()
}

fn says(picture: &Picture, line: &str) -> bool {
    lines(picture).iter().any(|other| other == line)
}

/// Without blanks, as names are broken at them.
fn all_text(picture: &Picture) -> String {
    lines(picture).concat().replace(' ', "")
}

#[test]
fn a_legend_says_what_differs_and_only_that() {
    let world = |slip: f64, map: &str| {
        let name = format!("runs/{slip}-{}", map.len());
        let own =
            format!("[gridworld]\nid = 'GridWorld'\nslip = {slip}\nmap = \"\"\"\n{map}\"\"\"\ngoal_reward = 1.0\n");
        run(
            &name,
            &format!("env = 'GridWorld'\nalgo = 'ppo'\noptimizer = 'adam(eps=1e-5)'\nseed = 1\nlr = 1e-3\n{own}"),
        )
    };
    let drawn = |runs: &[RecordedRun]| curves(runs, &PlotOptions::default()).unwrap();
    let slips = drawn(&[0.1, 0.2, 0.3].map(|slip| world(slip, "S..G")));
    for label in ["slip 0.1", "slip 0.2", "slip 0.3"] {
        assert!(says(&slips, label), "{label}: {:?}", lines(&slips));
    }
    // Whatever version the run is of: earlier ones had a table.
    let word = r#"GridWorld(map=["S..G"], slip=0.2)"#;
    let rest = "algo = 'ppo'\noptimizer = 'adam(eps=1e-5)'\nseed = 1\nlr = 1e-3\n";
    let mixed = drawn(&[world(0.1, "S..G"), run("runs/new", &format!("env = '{word}'\n{rest}"))]);
    assert!(says(&mixed, "slip 0.1") && says(&mixed, "slip 0.2"), "{:?}", lines(&mixed));
    // What is around them is seen with their name.
    let wrapped = drawn(&[
        run("runs/new", &format!("env = '{word}'\n{rest}")),
        run("runs/wrapped", &format!("env = '{word} | time_aware'\n{rest}")),
    ]);
    assert!(says(&wrapped, "GridWorld") && says(&wrapped, "GridWorld | time_aware"), "{:?}", lines(&wrapped));
    // What they have in common stands above.
    assert!(says(&slips, "ppo · adam(eps=1e-5), seed 1, smoothed over 2% of the steps, unsmoothed behind it"));

    // Short maps are shown, of long ones it is said whose they are.
    let maps = drawn(&[world(0.1, "S.\n.G"), world(0.1, &"S........G\n".repeat(9))]);
    assert!(says(&maps, "map S. .G") && says(&maps, "map of runs/0.1-99"), "{:?}", lines(&maps));
    let both = drawn(&[world(0.1, "S.\n.G"), world(0.2, "S.\n.G"), world(0.1, "SG")]);
    assert!(says(&both, "map S. .G · slip 0.1") && says(&both, "map SG · slip 0.1"), "{:?}", lines(&both));
}

#[test]
fn a_legend_takes_words_apart_and_says_what_holds_unless_said() {
    let with = |name: &str, more: &str| {
        run(name, &format!("env = 'Pendulum-v1'\nalgo = 'ppo'\noptimizer = 'adam'\nseed = 1\n{more}"))
    };
    let labels = |runs: &[RecordedRun]| lines(&curves(runs, &PlotOptions::default()).unwrap());
    for (first, second, expected) in [
        (
            "distribution = 'squashed_diag_gaussian(log_std_init=-1, state_dependent_std=true)'",
            "distribution = 'squashed_diag_gaussian(log_std_init=-2, state_dependent_std=true)'",
            ["log_std_init -1", "log_std_init -2"],
        ),
        (
            "distribution = 'diag_gaussian(log_std_init=-1)'",
            "distribution = 'diag_gaussian'",
            ["log_std_init -1", "log_std_init 0"],
        ),
        (
            "distribution = 'gsde'",
            "",
            ["distribution gsde · log_std_init 0 · sde_sample_freq inf", "distribution auto"],
        ),
        ("model = 'mlp(critic_hidden=[8])'", "model = 'mlp'", ["critic_hidden [8]", "critic_hidden hidden"]),
        ("critic_lr_factor = 2.0", "", ["critic_lr_factor 2.0", "critic_lr_factor 1.0"]),
        ("mask_actions = false", "", ["mask_actions false", "mask_actions true"]),
        (
            "normalize_reward = true\nclip_reward = 10.0",
            "normalize_reward = false",
            ["clip_reward 10.0 · normalize_reward true", "normalize_reward false"],
        ),
        (
            "optimizer_note = 'a text that is far longer than what a label has room for, and ends so'",
            "optimizer_note = 'short'",
            ["optimizer_note a text that is far longer than what a la…", "optimizer_note short"],
        ),
    ] {
        let found = labels(&[with("r/pl1", first), with("r/pl2", second)]);
        expected.iter().for_each(|label| assert!(found.iter().any(|line| line == label), "{label}: {found:?}"));
        assert!(!found.iter().any(|line| line.contains("r/pl")), "{found:?}");
    }
}

#[test]
fn optimizers_of_the_same_links_differ_in_arguments_only() {
    let labels = |optimizers: &[&str]| {
        let runs: Vec<RecordedRun> = optimizers.iter().map(|optimizer| with_optimizer(optimizer)).collect();
        lines(&curves(&runs, &PlotOptions::default()).unwrap())
    };
    let cases: &[(&[&str], &[&str])] = &[
        (&["adam", "sgd"], &["adam", "sgd"]),
        (&["adam(eps=1e-5)", "adam(eps=1e-8)"], &["eps 1e-5", "eps 1e-8"]),
        // An argument that is not said has its default, a learning rate the setting's.
        (&["adam", "adam(eps=1e-5, lr=0.01)"], &["eps 1e-8 · lr 0.0003", "eps 1e-5 · lr 0.01"]),
        (&["adam(0.01)", "adam(lr=0.02)"], &["lr 0.01", "lr 0.02"]),
        (&["adam(lr=cosine(0.01, 0))", "adam(lr=0.01)"], &["lr cosine(0.01, 0)", "lr 0.01"]),
        (
            &["clip_by_global_norm(0.5) | adam(lr=0.01)", "clip_by_global_norm(0.7) | adam(lr=0.01)"],
            &["clip_by_global_norm max_norm 0.5", "clip_by_global_norm max_norm 0.7"],
        ),
        (&["lookahead(adam(lr=0.01))", "lookahead(adam(lr=0.02))"], &["adam lr 0.01", "adam lr 0.02"]),
        // Of other links, or words of somebody's own, the whole.
        (&["adam(lr=0.01)", "adam(lr=0.02)", "sgd"], &["adam(lr=0.01)", "adam(lr=0.02)", "sgd"]),
        (&["mine(a=1)", "mine(a=2)"], &["mine(a=1)", "mine(a=2)"]),
    ];
    for (optimizers, expected) in cases {
        let found = labels(optimizers);
        let lacking = expected.iter().find(|label| !found.iter().any(|line| line == **label));
        assert_eq!(lacking, None, "{optimizers:?}: {found:?}");
    }
    assert!(labels(&["adam(eps=1e-5)", "adam(eps=1e-8)"]).iter().any(|line| line.starts_with("ppo · adam, seed 1")));
}

#[test]
fn every_curve_is_named_however_many_and_however_long_their_names_are() {
    let long = |i: usize| {
        let optimizer = ["adam", "sgd", "lion", "nadam", "radam", "adamw", "yogi"][i % 7];
        format!(
            "zero_non_finite | clip_by_global_norm(0.{i}1) | add_noise(eta=0.0{i}1, gamma=0.55) | centralize | \
             {optimizer}(lr=warmup(0.1, cosine(3.{i}e-4, 1e-6)))"
        )
    };
    let specs: Vec<String> = (0..14).map(long).collect();
    let unbroken: Vec<String> = (0..14).map(|i| format!("{i}{}", "x".repeat(300))).collect();
    let many: Vec<String> = (0..126).map(|i| format!("optimizer{i}")).collect();
    for (names, (width, height)) in [
        (&specs, (1000, 600)),
        (&specs, (500, 300)),
        (&unbroken, (1000, 600)),
        (&many, (1000, 600)),
        (&many, (240, 180)),
    ] {
        let runs: Vec<RecordedRun> = names.iter().map(|name| with_optimizer(name)).collect();
        let picture = curves(&runs, &PlotOptions { width, height, ..PlotOptions::default() }).unwrap();
        let text = all_text(&picture);
        for name in names {
            assert!(text.contains(&name.replace(' ', "")), "{width}: {name} is not in {text}");
        }
        assert_eq!(picture.width(), width);
    }
    // Few short names leave the picture as it was asked for.
    assert_eq!(curves(&[with_optimizer("adam")], &PlotOptions::default()).unwrap().height(), 600);
    let more: Vec<RecordedRun> = (0..127).map(|i| with_optimizer(&format!("optimizer{i}"))).collect();
    let error = curves(&more, &PlotOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "the curves cannot be drawn: 127 of them cannot be told apart; 126 can");
}

#[test]
fn a_picture_is_what_its_name_says() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("curves.SVG");
    reward_curve(&[with_optimizer("adam")], &PlotOptions::default(), &path).unwrap();
    let svg = fs::read_to_string(&path).unwrap();
    assert!(roxmltree::Document::parse(&svg).unwrap().root_element().has_tag_name("svg"));
    let path = folder.path().join("curves.png");
    reward_curve(&[with_optimizer("adam")], &PlotOptions::default(), &path).unwrap();
    assert!(fs::read(&path).unwrap().starts_with(b"\x89PNG"));
    for name in ["a.pdf", "a.jpg", "a", "a.png.gif"] {
        let error = Picture::check_path(folder.path().join(name)).unwrap_err().to_string();
        assert!(error.ends_with("the name of a picture must end in .png or .svg"), "{error}");
    }
    assert!(matches!(Picture::check_path("no/such/folder/a.png"), Err(PlotError::Write { .. })));
    assert!(Picture::check_path("a.svg").is_ok());
}

fn way(label: &str) -> DescentPath {
    DescentPath { label: label.into(), points: vec![(-1.5, -1.5), (0.0, 0.5)], values: vec![4.5, 0.25] }
}

fn bowl() -> Landscape {
    Landscape::sample::<PlotError>((-2.0, 2.0), (-2.0, 2.0), (41, 41), Goal::Lowest, |x, y| Ok(x * x + y * y)).unwrap()
}

#[test]
fn a_descent_is_drawn_as_svg_too_with_its_map_as_areas() {
    let panel = DescentPanel { title: String::new(), paths: vec![way("adam"), way("sgd")] };
    let picture = descent(&bowl(), &[panel], &DescentOptions::default()).unwrap();
    let svg = picture.svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    // The lowest band lies below all others, and so covers the map.
    let ground = document.descendants().find(|node| node.attribute("fill") == Some("#fcfcfc")).expect("the map");
    let numbers = ground.attribute("d").unwrap().split(|c: char| c.is_ascii_alphabetic() || c == ',');
    let numbers: Vec<u32> = numbers.filter(|number| !number.is_empty()).map(|number| number.parse().unwrap()).collect();
    let side = |first: usize| {
        let along = || numbers.iter().skip(first).step_by(2);
        (along().min().unwrap(), along().max().unwrap())
    };
    let ((left, right), (top, bottom)) = (side(0), side(1));
    assert!(right - left > 500 && bottom - top > 400);
    assert!(*right < picture.width() && *bottom < picture.height());
    let darkest = document.descendants().filter(|node| node.attribute("fill") == Some("#b0b0b0")).count();
    assert!(darkest > 0);
    let strokes = |colour: &str| document.descendants().filter(|node| node.attribute("stroke") == Some(colour)).count();
    assert!(strokes("#0072b2") > 0 && strokes("#d55e00") > 0);
    assert!(says(&picture, "adam") && says(&picture, "sgd"));
}

#[test]
fn paths_of_a_descent_do_not_look_alike_and_animations_are_gif() {
    let panel = |count: usize| DescentPanel {
        title: String::new(),
        paths: (0..count).map(|i| way(&format!("optimizer {i}"))).collect(),
    };
    let draw = |count| descent(&bowl(), &[panel(count)], &DescentOptions::default());
    let svg = draw(8).unwrap().svg();
    // The eighth has the first's colour, and dashes, so more lines.
    let blue = |svg: &str| svg.matches("stroke=\"#0072b2\"").count();
    assert!(blue(&svg) > 2 * blue(&draw(7).unwrap().svg()), "{}", blue(&svg));
    assert!(draw(21).is_ok());
    assert!(draw(22).unwrap_err().to_string().contains("more than 21 names"));
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a.mp4");
    let error = descent_gif(&bowl(), &[panel(1)], &DescentOptions::default(), (1, 10), &file, |_| ()).unwrap_err();
    assert!(error.to_string().ends_with("the name of an animation must end in .gif"), "{error}");
    let low = DescentOptions { height: 300, ..DescentOptions::default() };
    let mut long = panel(21);
    long.paths.iter_mut().for_each(|path| path.label = format!("{} of a {} name", path.label, "long, ".repeat(20)));
    assert!(matches!(descent(&bowl(), &[long], &low), Err(PlotError::Size { side: "height", .. })));
}

#[test]
fn characters_that_the_typeface_lacks_are_named_and_drawn_as_their_numbers() {
    let title = "世界 и κόσμος, naïve – “a”\n🌍\u{fe0f} مرحبا";
    let options = PlotOptions { title: Some(title.into()), ..PlotOptions::default() };
    let picture = curves(&[with_optimizer("adam")], &options).unwrap();
    let note = picture.note("a.png").expect("a note");
    for named in
        ["世 (U+4E16)", "界 (U+754C)", "🌍 (U+1F30D)", "م (U+0645)", "an .svg would show the characters themselves"]
    {
        assert!(note.contains(named), "{named}: {note}");
    }
    assert!(!note.contains("U+FE0F") && !note.contains("U+000A") && !note.contains("ï"), "{note}");
    assert_eq!(note_on(title, "a.png"), picture.note("a.png"));
    // An SVG's is of SVG alone.
    let of_svg = picture.note("a.svg").expect("a note");
    assert!(
        of_svg.contains("世 (U+4E16)") && of_svg.ends_with("an .svg shows them in a typeface of the viewer's"),
        "{of_svg}"
    );
    assert!(!of_svg.contains("png"), "{of_svg}");
    // SVG has the text itself, PNG something that tells one character from another.
    assert!(lines(&picture).iter().any(|line| line.contains("世界")), "{:?}", lines(&picture));
    assert!(picture.svg().contains("<text fill=\"#222222\" font-family"));
    let other = PlotOptions { title: Some(title.replace('世', "界")), ..options };
    assert_ne!(picture.png().unwrap(), curves(&[with_optimizer("adam")], &other).unwrap().png().unwrap());

    let latin = curves(&[with_optimizer("adam")], &PlotOptions::default()).unwrap();
    assert_eq!((latin.note("a.png"), note_on("CartPole-v1 · γ = 0.99", "a.png")), (None, None));
    assert!(!latin.svg().contains("<text"));
}
