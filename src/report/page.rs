//! The frame of a page: its style, its script, and what it may do.

use sha2::{Digest, Sha256};

use super::markup::{embedded, escaped};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// What a page has besides that follows a run.
const LIVE: &str = include_str!("live.js");

/// A page.
pub(super) struct Page<'p> {
    /// What stands at its head, as text.
    pub(super) title: &'p str,
    /// What it shows, as HTML.
    pub(super) body: &'p str,
    /// What its script reads.
    pub(super) data: &'p serde_json::Value,
    /// Whether it is served, and follows the run.
    pub(super) live: bool,
}

impl Page<'_> {
    /// The page, whole. Of all that could run or be fetched its policy lets this one script and this one style, by what they
    /// are.
    pub(super) fn html(&self) -> String {
        let (title, body, data) = (escaped(self.title), self.body, embedded(self.data));
        let (style, script, version) = (digest(STYLE), digest(SCRIPT), env!("CARGO_PKG_VERSION"));
        let (connects, follows, ends) = match self.live {
            true => (
                format!(" '{}'; connect-src 'self'", digest(LIVE)),
                format!("<script>{LIVE}</script>\n"),
                "This page asks `uphill watch` on this machine, and no other place, for anything.",
            ),
            false => (String::new(), String::new(), "This page needs no connection and makes none."),
        };
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{style}'; img-src data:; \
             script-src '{script}'{connects}; base-uri 'none'; form-action 'none'\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta name=\"color-scheme\" content=\"light dark\"/>\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <header><h1>{title}</h1></header>\n<main>\n{body}</main>\n\
             <footer>Made by uphill {version}. {ends}</footer>\n\
             <script type=\"application/json\" id=\"data\">{data}</script>\n<script>{SCRIPT}</script>\n{follows}</body>\n</html>\n"
        )
    }
}

/// How a policy names a script or a style: `sha256-` and the digest of its bytes in base64.
fn digest(text: &str) -> String {
    format!("sha256-{}", base64(&Sha256::digest(text.as_bytes())))
}

/// RFC 4648, section 4.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| -> [char; 4] {
        let all = three.iter().chain([0, 0].iter()).take(3).fold(0u32, |all, &byte| all << 8 | u32::from(byte));
        std::array::from_fn(|i| match i <= three.len() {
            true => char::from(ALPHABET[(all >> (18 - 6 * i) & 63) as usize]),
            false => '=',
        })
    };
    bytes.chunks(3).flat_map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::base64;

    /// RFC 4648, section 10.
    #[test]
    fn base64_is_that_of_the_standard() {
        let known = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        known.iter().for_each(|(text, coded)| assert_eq!(base64(text.as_bytes()), *coded));
    }
}
