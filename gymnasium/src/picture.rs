//! Pictures, as Python paints them.

use uphill::envs::{EnvError, Picture};

use crate::spec::check_length;

/// The most characters of a reason.
const REASON: usize = 400;
/// Bytes of a picture before its pixels.
const HEAD: usize = 8;

/// Why an environment of this name cannot be seen.
pub(crate) fn no_picture(id: &str, reason: &str) -> EnvError {
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    EnvError::NoPicture { id: id.into(), reason: reason.chars().take(REASON).collect() }
}

/// A picture from its bytes: width and height, then three a pixel.
pub(crate) fn read_picture(bytes: &[u8]) -> Result<Picture, EnvError> {
    check_length(HEAD, bytes.len().min(HEAD))?;
    let (head, rgb) = bytes.split_at(HEAD);
    let side = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| head[at + i])) as usize;
    Picture::new(side(0), side(4), rgb)
}

#[cfg(test)]
mod tests {
    use super::{no_picture, read_picture};

    #[test]
    fn a_picture_is_read_and_half_of_one_is_an_error() {
        let bytes = [2, 0, 0, 0, 1, 0, 0, 0, 10, 20, 30, 40, 50, 60];
        let picture = read_picture(&bytes).expect("a picture");
        assert_eq!((picture.width(), picture.height(), picture.rgb()), (2, 1, &bytes[8..]));
        for cut in [0, 7, 8, 13] {
            read_picture(&bytes[..cut]).expect_err("refused");
        }
    }

    #[test]
    fn a_reason_is_a_line_of_some_length() {
        let said = no_picture("gymnasium/X-v0", &"no GL\n".repeat(1000)).to_string();
        assert!(said.starts_with("gymnasium/X-v0 has no picture to show: no GL no GL") && said.len() < 600, "{said}");
    }
}
