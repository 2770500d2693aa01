//! A picture as an SVG file's text.

use std::fmt::Write as _;

use tiny_skia::{Path, PathSegment};
use uphill_envs::Colour;

use super::{
    backend::{Anchor, Ink, UNITS_PER_PIXEL, Writing},
    encode,
    picture::{Mark, Picture},
    typeface::missing,
};
use crate::canvas::Point;

/// The whole file.
pub(super) fn of(picture: &Picture) -> String {
    let (width, height) = (picture.width, picture.height);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for mark in &picture.marks {
        match mark {
            Mark::Fill { outline, ink } => push_outline(&mut svg, "", outline, *ink),
            Mark::Text { writing, ink } if missing(&writing.text).next().is_some() => {
                push_text(&mut svg, writing, *ink);
            }
            Mark::Text { writing, ink } => {
                let label = format!(" role=\"img\" aria-label=\"{}\"", escaped(&writing.text));
                push_outline(&mut svg, &label, &writing.outlines, *ink);
            }
            Mark::Stroke { points, width, ink } => {
                push_pen(&mut svg, "polyline", *width, *ink);
                svg.push_str(" stroke-linejoin=\"round\" points=\"");
                for (i, point) in points.iter().enumerate() {
                    svg.push_str(if i == 0 { "" } else { " " });
                    push_point(&mut svg, *point);
                }
                svg.push_str("\"/>\n");
            }
            Mark::Strokes { lines, width, ink } => {
                push_pen(&mut svg, "path", *width, *ink);
                svg.push_str(" stroke-linecap=\"round\" d=\"");
                for (from, to) in lines {
                    svg.push('M');
                    push_point(&mut svg, *from);
                    svg.push('L');
                    push_point(&mut svg, *to);
                }
                svg.push_str("\"/>\n");
            }
            Mark::Image { left_top, columns, colours } => push_image(&mut svg, *left_top, *columns, colours),
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn push(svg: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String fails only where memory does.
    let _ = svg.write_fmt(text);
}

fn push_outline(svg: &mut String, label: &str, outline: &Path, ink: Ink) {
    push(svg, format_args!("<path{label}{} d=\"", attributes("fill", ink)));
    outline.segments().for_each(|segment| push_segment(svg, segment));
    svg.push_str("\"/>\n");
}

fn push_pen(svg: &mut String, element: &str, width: f32, ink: Ink) {
    let (ink, width) = (attributes("stroke", ink), pixels(width));
    push(svg, format_args!("<{element} fill=\"none\"{ink} stroke-width=\"{width}\""));
}

/// Text as text: the viewer has typefaces for every script, this library has one.
fn push_text(svg: &mut String, writing: &Writing, ink: Ink) {
    let turn = writing.turn;
    let anchor = match writing.anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    push(
        svg,
        format_args!(
            "<text{} font-family=\"Roboto, sans-serif\" font-size=\"{}\" text-anchor=\"{anchor}\" y=\"{}\" \
             transform=\"matrix({} {} {} {} {} {})\">{}</text>\n",
            attributes("fill", ink),
            pixels(writing.size),
            pixels(writing.baseline),
            turn.sx,
            turn.ky,
            turn.kx,
            turn.sy,
            pixels(turn.tx),
            pixels(turn.ty),
            escaped(&writing.text),
        ),
    );
}

/// Pixels as a PNG within the file.
fn push_image(svg: &mut String, (left, top): (u32, u32), columns: u32, colours: &[Colour]) {
    let rows = colours.len() as u32 / columns.max(1);
    // An image without pixels shows nothing, and PNG has none.
    let Ok(png) = encode((columns, rows), colours.iter().copied()) else { return };
    let place = format!("x=\"{left}\" y=\"{top}\" width=\"{columns}\" height=\"{rows}\"");
    push(svg, format_args!("<image {place} preserveAspectRatio=\"none\" href=\"data:image/png;base64,"));
    push_base64(svg, &png);
    svg.push_str("\"/>\n");
}

/// RFC 4648, section 4, <https://www.rfc-editor.org/rfc/rfc4648>.
fn push_base64(svg: &mut String, bytes: &[u8]) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, i| bits << 8 | u32::from(three.get(i).copied().unwrap_or(0)));
        let letters = (0..4).map(|i| LETTERS[(bits >> (18 - 6 * i) & 63) as usize]);
        let padded = letters.enumerate().map(|(i, letter)| if i <= three.len() { letter } else { b'=' });
        svg.extend(padded.map(char::from));
    }
}

fn push_segment(svg: &mut String, segment: PathSegment) {
    let (letter, points): (char, &[tiny_skia::Point]) = match &segment {
        PathSegment::MoveTo(to) => ('M', std::slice::from_ref(to)),
        PathSegment::LineTo(to) => ('L', std::slice::from_ref(to)),
        PathSegment::QuadTo(by, to) => ('Q', &[*by, *to]),
        PathSegment::CubicTo(by, and_by, to) => ('C', &[*by, *and_by, *to]),
        PathSegment::Close => ('Z', &[]),
    };
    svg.push(letter);
    for (i, point) in points.iter().enumerate() {
        svg.push_str(if i == 0 { "" } else { " " });
        push_point(svg, (point.x, point.y));
    }
}

fn push_point(svg: &mut String, (x, y): Point) {
    push(svg, format_args!("{},{}", pixels(x), pixels(y)));
}

/// A length in pixels, to a hundredth.
fn pixels(units: f32) -> f64 {
    (f64::from(units) / f64::from(UNITS_PER_PIXEL) * 100.0).round() / 100.0
}

fn attributes(name: &str, (Colour(red, green, blue), alpha): Ink) -> String {
    let opacity = if alpha < 1.0 { format!(" {name}-opacity=\"{alpha:.2}\"") } else { String::new() };
    format!(" {name}=\"#{red:02x}{green:02x}{blue:02x}\"{opacity}")
}

/// Text as XML has it; characters that XML has not become a blank.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::push_base64;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            let mut svg = String::new();
            push_base64(&mut svg, text.as_bytes());
            assert_eq!(svg, expected);
        }
    }
}
