//! Whether markup from a file is of the kind that reports are made of.

/// Elements that do something, load something, or change the page around them; no report has them in its parts.
const REFUSED: [&str; 20] = [
    "animate", "applet", "audio", "base", "body", "embed", "form", "frame", "head", "html", "iframe", "input", "link",
    "meta", "object", "script", "set", "style", "template", "video",
];

/// Attributes whose value is an address.
const ADDRESSES: [&str; 9] =
    ["action", "background", "data", "formaction", "href", "poster", "src", "srcset", "xlink:href"];

/// What is wrong with a part of a report; none where nothing in it acts or leads out of the page. Attributes stand in double
/// quotes, as this crate writes them.
pub(super) fn fault(markup: &str) -> Option<String> {
    let mut rest = markup;
    while let Some(at) = rest.find('<') {
        let tag = &rest[at + 1..];
        let name = tag.strip_prefix('/').unwrap_or(tag);
        let length = name.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let element = name[..length].to_ascii_lowercase();
        if element.is_empty() || REFUSED.contains(&element.as_str()) || element == "foreignobject" {
            return Some(format!("<{}", tag.chars().take(20).collect::<String>()));
        }
        match attributes(&name[length..]) {
            Ok(after) => rest = after,
            Err(reason) => return Some(format!("<{element}: {reason}")),
        }
    }
    None
}

/// What follows a tag, of which everything after the name is given.
fn attributes(mut rest: &str) -> Result<&str, String> {
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('>').or_else(|| rest.strip_prefix("/>")) {
            return Ok(after);
        }
        let length = rest.find(|c: char| c == '=' || c == '>' || c == '/' || c.is_whitespace()).unwrap_or(rest.len());
        let name = rest[..length].to_ascii_lowercase();
        rest = &rest[length..];
        if length == 0 || name.contains(['"', '\'', '<', '`']) || name.starts_with("on") || name == "http-equiv" {
            return Err(format!("attribute \"{name}\""));
        }
        let Some(value) = rest.strip_prefix('=') else { continue };
        let value = value.strip_prefix('"').and_then(|value| value.split_once('"'));
        let Some((value, after)) = value else { return Err(format!("attribute \"{name}\" without quotes")) };
        let within = value.starts_with('#') || value.starts_with("data:image/png;base64,");
        if ADDRESSES.contains(&name.as_str()) && !within || name == "style" && value.contains(['(', '\\', '&']) {
            return Err(format!("attribute \"{name}\" is \"{}\"", value.chars().take(40).collect::<String>()));
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn what_acts_or_leads_away_is_refused() {
        for good in [
            "",
            "a &lt; b > c",
            "<p class=\"x\">1<br>2</p><svg viewBox=\"0 0 1 1\"><path d=\"M0 0\"/></svg>",
            "<button popovertarget=\"a-1\" disabled>?</button><a href=\"#slide-2\">x</a>",
            "<img src=\"data:image/png;base64,AA==\" alt=\"a > b, onerror=1\" style=\"width:3px\">",
        ] {
            assert_eq!(fault(good), None, "{good}");
        }
        for bad in [
            "<script>1</script>",
            "<p><SCRIPT src=\"data:image/png;base64,x\">",
            "<img src=\"#\" onerror=\"alert(1)\">",
            "<svg onload=\"x\">",
            "<svg/onload=\"x\">",
            "<img src=\"x.png\">",
            "<img src=x>",
            "<img src='#'>",
            "<a href=\"javascript:alert(1)\">",
            "<a href=\"&#106;avascript:x\">",
            "<meta http-equiv=\"refresh\" content=\"0\">",
            "<iframe src=\"#\">",
            "<p style=\"background:url(https://x)\">",
            "<!-- -->",
            "<p",
            "<p class=\"x",
            "< p>",
            "<svg><foreignObject>",
        ] {
            assert!(fault(bad).is_some(), "{bad}");
        }
    }
}
