//! A picture as an SVG file's text.

use tiny_skia::{Path, PathSegment};
use uphill_envs::Colour;

use super::{
    picture::{Image, Mark, Picture, Shape, UNITS_PER_PIXEL, Writing, encode},
    typeface::missing,
};

/// The whole file.
pub(super) fn of(picture: &Picture) -> String {
    let (width, height) = (picture.width, picture.height);
    let marks: String = picture.marks.iter().map(element).collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         {marks}</svg>\n"
    )
}

fn element(mark: &Mark) -> String {
    match mark {
        Mark::Image(image) => of_image(image),
        Mark::Shape(shape) => {
            let (fill, outline) = (attributes("fill", shape), outline(&shape.outline));
            match (&shape.writing, shape.pen) {
                (Some(writing), _) if missing(&writing.text).next().is_some() => of_text(&fill, writing),
                (Some(writing), _) => {
                    let text = escaped(&writing.text);
                    format!("<path role=\"img\" aria-label=\"{text}\"{fill} d=\"{outline}\"/>\n")
                }
                (None, None) => format!("<path{fill} d=\"{outline}\"/>\n"),
                (None, Some(width)) => {
                    let (stroke, width) = (attributes("stroke", shape), pixels(width));
                    let ends = "stroke-linejoin=\"round\" stroke-linecap=\"round\"";
                    format!("<path fill=\"none\"{stroke} stroke-width=\"{width}\" {ends} d=\"{outline}\"/>\n")
                }
            }
        }
    }
}

/// Text as text: the viewer has typefaces for every script, this library has one.
fn of_text(fill: &str, Writing { text, size, turn, baseline, anchor }: &Writing) -> String {
    format!(
        "<text{fill} font-family=\"Roboto, sans-serif\" font-size=\"{}\" text-anchor=\"{anchor}\" y=\"{}\" \
         transform=\"matrix({} {} {} {} {} {})\">{}</text>\n",
        pixels(*size),
        pixels(*baseline),
        turn.sx,
        turn.ky,
        turn.kx,
        turn.sy,
        pixels(turn.tx),
        pixels(turn.ty),
        escaped(text),
    )
}

/// Pixels as a PNG within the file.
fn of_image(Image { left_top: (left, top), columns, colours }: &Image) -> String {
    let rows = colours.len() as u32 / (*columns).max(1);
    // An image without pixels shows nothing, and PNG has none.
    let Ok(png) = encode((*columns, rows), colours.iter().copied()) else { return String::new() };
    let place = format!("x=\"{left}\" y=\"{top}\" width=\"{columns}\" height=\"{rows}\"");
    format!("<image {place} preserveAspectRatio=\"none\" href=\"data:image/png;base64,{}\"/>\n", base64(&png))
}

/// RFC 4648, section 4, <https://www.rfc-editor.org/rfc/rfc4648>.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let four = |three: &[u8]| {
        let bits = (0..3).fold(0, |bits, i| bits << 8 | u32::from(three.get(i).copied().unwrap_or(0)));
        let letter = |i: usize| if i <= three.len() { LETTERS[(bits >> (18 - 6 * i) & 63) as usize] } else { b'=' };
        [0, 1, 2, 3].map(|i| char::from(letter(i)))
    };
    bytes.chunks(3).flat_map(four).collect()
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

fn attributes(name: &str, Shape { colour: Colour(red, green, blue), alpha, .. }: &Shape) -> String {
    let opacity = if *alpha < 1.0 { format!(" {name}-opacity=\"{alpha:.2}\"") } else { String::new() };
    format!(" {name}=\"#{red:02x}{green:02x}{blue:02x}\"{opacity}")
}

/// Text as XML has it; characters that XML has not become a blank.
fn escaped(text: &str) -> String {
    let blank = |c: char| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c };
    let text: String = text.chars().map(blank).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }
}
