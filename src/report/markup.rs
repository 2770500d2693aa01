//! Text as HTML.

/// Text that means nothing but itself, between tags and in quoted attributes. What HTML forbids becomes U+FFFD.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// JSON that can stand in a `script` element: none of its texts ends that, or begins a comment.
pub(super) fn embedded(data: &serde_json::Value) -> String {
    // Outside of texts JSON has none of these.
    let text = data.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    text.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// A number as a person reads it: four digits that count, and no more zeros than that.
pub(super) fn number(x: f64) -> String {
    if !x.is_finite() {
        return x.to_string();
    }
    let text = match x.abs() {
        0.0 => return "0".into(),
        size if !(1e-3..1e12).contains(&size) => format!("{x:.2e}"),
        size => {
            let decimals = (3 - size.log10().floor() as i32).clamp(0, 6);
            let text = format!("{x:.*}", decimals as usize);
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
        }
    };
    text.replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use indicatif::HumanCount;

    use super::{embedded, escaped, number};

    #[test]
    fn no_text_means_anything_but_itself() {
        assert_eq!(escaped("<b a='\"'>&\u{1b}"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;\u{fffd}");
        let data = serde_json::json!({ "</script><!--": "&\u{2028}" });
        assert_eq!(embedded(&data), "{\"\\u003c/script\\u003e\\u003c!--\":\"\\u0026\\u2028\"}");
        let back: serde_json::Value = serde_json::from_str(&embedded(&data)).expect("JSON still");
        assert_eq!(back, data);
    }

    #[test]
    fn numbers_have_four_digits() {
        let numbers = [0.0, 1.0, -0.25, 499.96, 12345.6, 3e-4, 1e15].map(number);
        assert_eq!(numbers, ["0", "1", "−0.25", "500", "12346", "3.00e−4", "1.00e15"]);
        assert_eq!(
            [0, 999, 1000, 1234567].map(|count: u64| HumanCount(count).to_string()),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}
