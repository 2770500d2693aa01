//! The pictures of an episode, as images within the page.

use uphill_envs::counted;

use crate::envs::{Drawing, Picture, Shape};
use crate::render::RenderError;
use crate::report::base64;
use crate::{Error, Result};

/// Bytes that all images of an episode have at most.
const MOST: usize = 6 << 20;
/// Pixels of their longer sides, the first that lets them be so few.
const SIDES: [usize; 6] = [480, 320, 240, 160, 120, 80];

/// URLs of the pictures in the order in which they are drawn, and for each drawn one the place of its own: what is drawn again has
/// one image.
pub(super) fn images(frames: &[Drawing]) -> Result<(Vec<String>, std::vec::IntoIter<usize>)> {
    let (mut distinct, mut places): (Vec<&Picture>, Vec<usize>) = (Vec::new(), Vec::new());
    for shape in frames.iter().flat_map(|frame| &frame.shapes) {
        if let Shape::Picture { picture, .. } = shape {
            // Nearly all of what is drawn again is drawn at once again.
            if distinct.last() != Some(&picture) {
                distinct.push(picture);
            }
            places.push(distinct.len() - 1);
        }
    }
    let url = |png: Vec<u8>| format!("data:image/png;base64,{}", base64(&png));
    Ok((fitting(&distinct, MOST)?.into_iter().map(url).collect(), places.into_iter()))
}

/// The pictures as PNG, as large as fits in so many bytes.
fn fitting(pictures: &[&Picture], most: usize) -> Result<Vec<Vec<u8>>> {
    for side in SIDES {
        if let Some(images) = encoded(pictures, side, most)? {
            return Ok(images);
        }
    }
    let (count, most) = (counted(pictures.len(), "picture"), most >> 10);
    Err(Error::Config(format!("{count} are too many for a page, which holds {most} KiB of them: show fewer steps")))
}

/// The pictures as PNG, within sides of so many pixels, unless they are too large.
fn encoded(pictures: &[&Picture], side: usize, most: usize) -> Result<Option<Vec<Vec<u8>>>, RenderError> {
    let (mut images, mut bytes) = (Vec::new(), 0);
    for picture in pictures {
        let image = png(&picture.within(side))?;
        bytes += image.len();
        if bytes > most {
            return Ok(None);
        }
        images.push(image);
    }
    Ok(Some(images))
}

fn png(picture: &Picture) -> Result<Vec<u8>, RenderError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, picture.width() as u32, picture.height() as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(picture.rgb())?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{fitting, images};
    use crate::envs::Picture;

    /// A picture that no compression makes smaller.
    fn noise(seed: u64) -> Picture {
        let mut x = seed;
        let mut byte = || {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (x >> 56) as u8
        };
        let rgb: Vec<u8> = (0..3 * 480 * 32).map(|_| byte()).collect();
        Picture::new(480, 32, rgb).expect("a picture")
    }

    #[test]
    fn images_are_as_large_as_there_is_room_for() {
        let two = [&noise(1), &noise(2)];
        let sizes = |most: usize| fitting(&two, most).map(|images| images.iter().map(Vec::len).sum::<usize>());
        // Three bytes a pixel, and none of 480 x 32 in 40 KiB, nor of 80 x 5 in 1.
        assert!(sizes(1 << 20).expect("images") >= 2 * 3 * 480 * 32);
        assert!((20 << 10..=40 << 10).contains(&sizes(40 << 10).expect("images")));
        let error = sizes(1 << 10).expect_err("too many").to_string();
        assert!(error.contains("2 pictures are too many for a page, which holds 1 KiB of them"), "{error}");
    }

    #[test]
    fn what_stands_still_has_one_image() {
        let (a, b) = (noise(1), noise(2));
        let frames = [a.clone(), a.clone(), b, a].map(Into::into);
        let (urls, places) = images(&frames).expect("images");
        assert_eq!((urls.len(), places.collect::<Vec<_>>()), (3, vec![0, 0, 1, 2]));
    }
}
