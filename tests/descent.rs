//! Pictures of gradient descent, decoded again and looked at.
#![cfg(feature = "pictures")]

use std::{fs, path::Path};

use tempfile::TempDir;
use uphill::plot::{DescentOptions, DescentPanel, DescentPath, Goal, Landscape, PlotError, descent, descent_gif};

const BLUE: [u8; 3] = [0, 114, 178];
const VERMILION: [u8; 3] = [213, 94, 0];

fn bowl() -> Landscape {
    let f = |x: f64, y: f64| Ok::<f64, PlotError>(x * x + y * y);
    Landscape::sample((-2.0, 2.0), (-2.0, 2.0), (41, 41), Goal::Lowest, f).unwrap()
}

fn path(label: &str, points: &[(f64, f64)]) -> DescentPath {
    let values = points.iter().map(|(x, y)| x * x + y * y).collect();
    DescentPath { label: label.to_owned(), points: points.to_vec(), values }
}

/// One path along the diagonal, and one that leaves the map and then the numbers.
fn panels() -> Vec<DescentPanel> {
    let good = path("good", &[(-1.5, -1.5), (-1.0, -1.0), (-0.5, -0.5), (0.0, 0.0)]);
    let wild = path("wild", &[(-1.5, -1.5), (1.5, -1.5), (9.0, -1.5), (f64::NAN, f64::NAN)]);
    vec![DescentPanel { title: String::new(), paths: vec![good, wild] }]
}

fn options() -> DescentOptions {
    DescentOptions { width: 600, height: 480, title: "a bowl".into(), ..DescentOptions::default() }
}

/// Width and pixels.
fn read_png(path: &Path) -> (usize, Vec<[u8; 3]>) {
    let decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(path).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rgb).unwrap();
    (info.width as usize, rgb.as_chunks().0.to_vec())
}

/// The last picture that an animation shows, and how many it has.
fn last_of_gif(path: &Path) -> (Vec<[u8; 3]>, usize) {
    let mut decode = gif::DecodeOptions::new();
    decode.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = decode.read_info(fs::File::open(path).unwrap()).unwrap();
    let width = usize::from(decoder.width());
    let mut shown = vec![[0; 3]; width * usize::from(decoder.height())];
    let mut count = 0;
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        count += 1;
        for (i, &[red, green, blue, alpha]) in frame.buffer.as_chunks().0.iter().enumerate() {
            let (x, y) = (i % usize::from(frame.width), i / usize::from(frame.width));
            if alpha > 0 {
                let place = (y + usize::from(frame.top)) * width + x + usize::from(frame.left);
                shown[place] = [red, green, blue];
            }
        }
    }
    (shown, count)
}

#[test]
fn paths_are_drawn_where_they_went() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("bowl.png");
    descent(&bowl(), &panels(), &options()).unwrap().save(&file).unwrap();
    let (width, pixels) = read_png(&file);
    assert_eq!((width, pixels.len()), (600, 600 * 480));
    let near = |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 40);
    // Below the legend and above the numbers.
    let of = |colour: [u8; 3]| -> Vec<(usize, usize)> {
        let places = (0..pixels.len()).filter(|&i| near(pixels[i], colour)).map(|i| (i % width, i / width));
        places.filter(|&(_, y)| (80..390).contains(&y)).collect()
    };
    let (good, wild) = (of(BLUE), of(VERMILION));
    assert!(good.len() > 100 && wild.len() > 100, "{} {}", good.len(), wild.len());
    // The good one rises to the right, evenly; the wild one is level and reaches the map's right edge.
    let (left, right) = (good.iter().min().unwrap(), good.iter().max().unwrap());
    assert!(left.1 > right.1 + 60, "{left:?} {right:?}");
    let levels = wild.iter().map(|(_, y)| y).min().unwrap().abs_diff(*wild.iter().map(|(_, y)| y).max().unwrap());
    assert!(levels < 16, "{levels}");
    assert!(wild.iter().max().unwrap().0 > right.0 + 60);
    let bytes = fs::read(&file).unwrap();
    descent(&bowl(), &panels(), &options()).unwrap().save(&file).unwrap();
    assert_eq!(fs::read(&file).unwrap(), bytes);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary file was left behind");
}

#[test]
fn a_best_point_off_the_map_is_not_marked() {
    let svg = |best| descent(&bowl(), &panels(), &DescentOptions { best, ..options() }).unwrap().svg();
    assert_eq!(svg(Some((9.0, 0.0))), svg(None));
    assert_ne!(svg(Some((1.0, 0.0))), svg(None));
}

#[test]
fn an_animation_ends_on_the_picture() {
    let folder = TempDir::new().unwrap();
    let (still, moving) = (folder.path().join("a.png"), folder.path().join("a.gif"));
    descent(&bowl(), &panels(), &options()).unwrap().save(&still).unwrap();
    let mut painted = 0;
    descent_gif(&bowl(), &panels(), &options(), (6, 10), &moving, |done| painted = done).unwrap();
    let (last, frames) = last_of_gif(&moving);
    assert_eq!((frames, painted), (6 + 20, 2 * (6 + 20)));
    // Its palette has 256 colours, so edges may differ by a step of it.
    let (_, expected) = read_png(&still);
    for (i, (got, expected)) in last.iter().zip(&expected).enumerate() {
        assert!(got.iter().zip(expected).all(|(a, b)| a.abs_diff(*b) <= 43), "pixel {i}: {got:?} {expected:?}");
    }
    assert!(fs::metadata(&moving).unwrap().len() < 60_000);
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a.gif");
    let draw = |panels: &[DescentPanel], options: &DescentOptions| descent(&bowl(), panels, options).unwrap_err();
    assert!(matches!(draw(&[], &options()), PlotError::Picture { .. }));
    assert!(matches!(draw(&panels(), &DescentOptions { width: 299, ..options() }), PlotError::Option { .. }));
    assert!(matches!(draw(&panels(), &DescentOptions { height: 10_001, ..options() }), PlotError::Option { .. }));
    assert!(matches!(draw(&panels(), &DescentOptions { scale: f64::NAN, ..options() }), PlotError::Option { .. }));
    let mut short = panels();
    short[0].paths[0].values.pop();
    assert!(matches!(draw(&short, &options()), PlotError::Picture { what, .. } if what == "good"));
    let gif = |frames| descent_gif(&bowl(), &panels(), &options(), frames, &file, |_| ()).unwrap_err();
    assert!(matches!(gif((0, 10)), PlotError::Animation(_)));
    assert!(matches!(gif((5, 0)), PlotError::Animation(_)));
    let sample = |x, f: fn(f64, f64) -> f64| {
        Landscape::sample::<PlotError>(x, (0.0, 1.0), (3, 3), Goal::Highest, |x, y| Ok(f(x, y))).unwrap_err()
    };
    assert!(matches!(sample((1.0, 1.0), |x, _| x), PlotError::Picture { .. }));
    assert!(matches!(sample((0.0, 1.0), |_, _| f64::NAN), PlotError::Picture { .. }));
    assert!(!file.exists());
}
