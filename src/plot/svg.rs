//! A picture as an SVG file's text.

use tiny_skia::{Path, PathSegment};
use uphill_envs::Colour;

use super::{
    Picture,
    picture::{Shape, UNITS_PER_PIXEL, Writing},
    typeface::missing,
};

/// The whole file.
pub(super) fn of(picture: &Picture) -> String {
    let (width, height) = (picture.width, picture.height);
    let shapes: String = picture.shapes.iter().map(element).collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         {shapes}</svg>\n"
    )
}

fn element(shape: &Shape) -> String {
    let Colour(red, green, blue) = shape.colour;
    let kind = if shape.pen.is_some() { "stroke" } else { "fill" };
    let opacity = if shape.alpha < 1.0 { format!(" {kind}-opacity=\"{:.2}\"", shape.alpha) } else { String::new() };
    let ink = format!("{kind}=\"#{red:02x}{green:02x}{blue:02x}\"{opacity}");
    let outline = outline(&shape.outline);
    match (&shape.writing, shape.pen) {
        (Some(writing), _) if missing(&writing.text).next().is_some() => of_text(&ink, writing),
        (Some(Writing { text, .. }), _) => {
            format!("<path role=\"img\" aria-label=\"{}\" {ink} d=\"{outline}\"/>\n", escaped(text))
        }
        (None, None) => format!("<path {ink} d=\"{outline}\"/>\n"),
        (None, Some(width)) => {
            let width = pixels(width);
            let ends = "stroke-linejoin=\"round\" stroke-linecap=\"round\"";
            format!("<path fill=\"none\" {ink} stroke-width=\"{width}\" {ends} d=\"{outline}\"/>\n")
        }
    }
}

/// Text as text: the viewer has typefaces for every script, this library has one.
fn of_text(ink: &str, Writing { text, size, turn, anchor }: &Writing) -> String {
    let (size, x, y, text) = (pixels(*size), pixels(turn.tx), pixels(turn.ty), escaped(text));
    let turn = format!("matrix({} {} {} {} {x} {y})", turn.sx, turn.ky, turn.kx, turn.sy);
    let font = format!("font-family=\"Roboto, sans-serif\" font-size=\"{size}\" text-anchor=\"{anchor}\"");
    format!("<text {ink} {font} transform=\"{turn}\">{text}</text>\n")
}

fn outline(path: &Path) -> String {
    let segment = |segment| match segment {
        PathSegment::MoveTo(to) => format!("M{}", point(to)),
        PathSegment::LineTo(to) => format!("L{}", point(to)),
        PathSegment::QuadTo(by, to) => format!("Q{} {}", point(by), point(to)),
        PathSegment::CubicTo(by, and_by, to) => format!("C{} {} {}", point(by), point(and_by), point(to)),
        PathSegment::Close => "Z".to_owned(),
    };
    path.segments().map(segment).collect()
}

fn point(point: tiny_skia::Point) -> String {
    format!("{},{}", pixels(point.x), pixels(point.y))
}

/// A length in pixels, to a hundredth.
fn pixels(units: f32) -> f64 {
    (f64::from(units) / f64::from(UNITS_PER_PIXEL) * 100.0).round() / 100.0
}

/// Text as XML has it; characters that XML has not become a blank.
fn escaped(text: &str) -> String {
    let blank = |c: char| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c };
    let text: String = text.chars().map(blank).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
