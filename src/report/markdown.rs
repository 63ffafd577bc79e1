//! The page as Markdown: what it says, without pictures, for readers and programs that take text.

/// Elements that are no part of the text: what is in them is left out.
const AWAY: [&str; 4] = ["head", "nav", "figure", "style"];
/// What the lines of a list begin with, and those of one within an item.
const ITEM: &str = "- ";
const INNER: &str = "  - ";
/// Elements without an end.
const VOID: [&str; 4] = ["img", "meta", "br", "hr"];

/// What a page that the report wrote says, as Markdown: headings, sentences, lists and tables, for readers and programs that
/// take text. A chart is its text alternative; pictures are left out. Signs that mean something in Markdown are escaped, and
/// `&lt;` stays, so that a name is no markup here either. O(length).
///
/// ```
/// use ndarray::Array2;
/// use recluster::report::{Report, markdown};
/// use recluster::{Run, cluster::KMeans, embed::Identity, recursive::RecursiveTree};
/// let data = Array2::from_shape_fn((90, 2), |(i, j)| (i / 30 * 50 + i % 7 + j) as f32);
/// let tree = RecursiveTree::new(Identity, KMeans::new(3)).levels(1).fit(&data, &Run::new())?;
/// let page = Report::new(&tree, &data).title("Customers").render()?;
/// assert!(markdown(&page).starts_with("# Customers\n"));
/// # Ok::<(), recluster::Error>(())
/// ```
pub fn markdown(page: &str) -> String {
    let mut text = Writer::default();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        text.words(&rest[..start]);
        let Some(length) = rest[start..].find('>') else { break };
        let tag = &rest[start + 1..start + length];
        rest = &rest[start + length + 1..];
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap_or("");
        let control = attribute(tag, "popover").is_some() || attribute(tag, "class") == Some("start");
        let away = AWAY.contains(&name) || name == "svg" || control;
        if !away || tag.starts_with('/') {
            text.tag(name, tag);
            continue;
        }
        if let Some(label) = attribute(tag, "aria-label").filter(|_| name == "svg") {
            text.chart(label);
        }
        rest = after(rest, name);
    }
    text.end()
}

/// The value of a tag's attribute; empty where it has none of its own.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    // Between quotes stand values, and every other part has names alone.
    let mut parts = tag.split('"');
    while let (Some(names), value) = (parts.next(), parts.next()) {
        let mut names = names.split_ascii_whitespace();
        match value {
            Some(value) if names.next_back().and_then(|last| last.strip_suffix('=')) == Some(name) => {
                return Some(value);
            }
            _ if names.any(|bare| bare == name) => return Some(""),
            _ => {}
        }
    }
    None
}

/// What follows the end of the element that was opened last.
fn after<'a>(mut rest: &'a str, name: &str) -> &'a str {
    let mut depth = 1usize;
    while depth > 0 {
        let Some(start) = rest.find('<') else { return "" };
        rest = &rest[start + 1..];
        let closes = rest.starts_with('/');
        let own =
            rest.trim_start_matches('/').strip_prefix(name).is_some_and(|next| next.starts_with([' ', '>', '\n']));
        match (own, closes) {
            (true, true) => depth -= 1,
            (true, false) if !VOID.contains(&name) => depth += 1,
            _ => {}
        }
    }
    rest.find('>').map_or("", |end| &rest[end + 1..])
}

/// Writes blocks, a line at a time.
#[derive(Default)]
struct Writer {
    out: String,
    /// What the line begins with.
    lead: &'static str,
    line: String,
    /// Rows of the table at hand.
    table: Option<Vec<Vec<String>>>,
    /// Whether the blocks before are items of the same list.
    list: bool,
    /// Whether a term is being explained, so that a list is a part of it.
    inner: bool,
    /// What ends the marked pieces of text that are open, by element.
    open: Vec<(String, &'static str)>,
}

impl Writer {
    fn words(&mut self, words: &str) {
        for (i, word) in words.split([' ', '\n', '\t']).enumerate() {
            if i > 0 && !self.line.is_empty() && !self.line.ends_with(' ') {
                self.line.push(' ');
            }
            let mut escaped = String::with_capacity(word.len());
            for letter in word.replace("&quot;", "\"").chars() {
                if matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#') {
                    escaped.push('\\');
                }
                escaped.push(letter);
            }
            self.line.push_str(&escaped);
        }
    }

    fn tag(&mut self, name: &str, tag: &str) {
        let closes = tag.starts_with('/');
        match name {
            "h1" | "h2" | "h3" | "h4" => self.block(match (closes, name) {
                (true, _) => "",
                (_, "h1") => "# ",
                (_, "h2") => "## ",
                (_, "h3") => "### ",
                _ => "#### ",
            }),
            "li" => self.block(match (closes, self.inner) {
                (true, _) => "",
                (_, true) => INNER,
                _ => ITEM,
            }),
            "dt" if closes => self.line.push_str("**: "),
            "dt" => {
                self.block(ITEM);
                self.line.push_str("**");
            }
            // It goes on behind its dt.
            "dd" if !closes => self.inner = true,
            "table" if closes => self.write_table(),
            "table" => {
                self.block("");
                self.table = Some(Vec::new());
            }
            "tr" if !closes => self.table.iter_mut().for_each(|rows| rows.push(Vec::new())),
            "td" | "th" if closes => {
                let cell = std::mem::take(&mut self.line).trim().to_string();
                if let Some(row) = self.table.as_mut().and_then(|rows| rows.last_mut()) {
                    row.push(cell);
                }
            }
            // A block within a cell or an item is a part of it.
            "dd" => {
                self.inner = false;
                self.block("");
            }
            "p" | "div" | "ul" | "dl" | "section" | "article" | "header" | "footer" => self.block(""),
            "b" | "code" | "span" => self.mark(name, tag, closes),
            _ => {}
        }
    }

    /// Bold, code, and small tags in brackets.
    fn mark(&mut self, name: &str, tag: &str, closes: bool) {
        if closes {
            if let Some(at) = self.open.iter().rposition(|open| open.0 == name) {
                let end = self.open.remove(at).1;
                let spaces = self.line.len() - self.line.trim_end().len();
                self.line.truncate(self.line.len() - spaces);
                self.line.push_str(end);
                self.line.push_str(&" ".repeat(spaces));
            }
            return;
        }
        let class = attribute(tag, "class").unwrap_or("");
        let (start, end) = match name {
            "b" => ("**", "**"),
            "code" => ("`", "`"),
            _ if class.split(' ').any(|own| own == "tag") => ("(", ")"),
            _ => ("", ""),
        };
        if name == "span" && !self.line.is_empty() && !self.line.ends_with([' ', '(']) {
            self.line.push(' ');
        }
        self.line.push_str(start);
        self.open.push((name.to_string(), end));
    }

    /// Ends the line at hand and begins another.
    fn block(&mut self, lead: &'static str) {
        if self.table.is_some() {
            if !self.line.is_empty() && !self.line.ends_with(' ') {
                self.line.push(' ');
            }
            return;
        }
        let line = std::mem::take(&mut self.line);
        let line = line.trim();
        if !line.is_empty() {
            let item = [ITEM, INNER].contains(&self.lead);
            let next = item && self.list;
            if !next && !self.out.is_empty() {
                self.out.push('\n');
            }
            self.out.push_str(self.lead);
            self.out.push_str(line);
            self.out.push('\n');
            self.list = item;
            self.lead = lead;
        } else if !lead.is_empty() || ![ITEM, INNER].contains(&self.lead) {
            // An item may begin with a block of its own.
            self.lead = lead;
        }
    }

    fn chart(&mut self, label: &str) {
        self.block("");
        self.line.push('*');
        self.words(label);
        self.line.push('*');
        self.block("");
    }

    fn write_table(&mut self) {
        let rows = self.table.take().unwrap_or_default();
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        if columns == 0 {
            return;
        }
        self.out.push('\n');
        for (i, row) in rows.iter().enumerate() {
            let cells = (0..columns).map(|c| row.get(c).map_or("", String::as_str));
            self.out.push_str(&format!("| {} |\n", cells.collect::<Vec<_>>().join(" | ")));
            if i == 0 {
                self.out.push_str(&format!("|{}\n", " --- |".repeat(columns)));
            }
        }
        self.list = false;
    }

    fn end(mut self) -> String {
        self.block("");
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_lists_tables_and_charts() {
        let page = "<html><head><title>x</title></head><body><header><h1><bdi>A &amp; B_c</bdi></h1></header><p>One <b>two </b>three\n four</p>\
            <ul><li>a</li><li><p>b <code>c d</code></p></li></ul><nav>away<nav>in</nav></nav><dl><dt>Seed</dt><dd>7</dd><dt>Map</dt><dd><ul><li>Umap</li></ul></dd></dl><a class=\"start\" href=\"#x\">away</a><div><b>5</b><span>rows</span></div>\
            <svg aria-label=\"Bars: a|b\"><text>no</text></svg><div id=\"t\" popover>no</div>\
            <table><thead><tr><th>k</th><th>n</th></tr></thead><tbody><tr><td><div>p | q</div><div>r <span class=\"tag\">proposed</span></div></td><td>1</td></tr></tbody></table>\
            <p>&lt;script&gt;</p></body></html>";
        let wanted = "# A &amp; B\\_c\n\nOne **two** three four\n\n- a\n- b `c d`\n- **Seed**: 7\n- **Map**:\n  - Umap\n\n**5** rows\n\n*Bars: a\\|b*\n\n\
            | k | n |\n| --- | --- |\n| p \\| q r (proposed) | 1 |\n\n&lt;script&gt;\n";
        assert_eq!(markdown(page), wanted);
    }

    #[test]
    fn an_attributes_value_is_no_attribute() {
        let cell = |title: &str| {
            format!(
                "<table><thead><tr><th title=\"{title}\">k</th><th>n</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>"
            )
        };
        for title in ["my popover list", "popover", "a class= b"] {
            assert!(markdown(&cell(title)).contains("| k | n |"), "{title}: {}", markdown(&cell(title)));
        }
        assert_eq!(attribute("p id=\"a\" popover", "popover"), Some(""));
        assert_eq!(attribute("p id=\"class=\" class=\"b\"", "class"), Some("b"));
        assert_eq!(attribute("p id=\"a\"", "class"), None);
    }

    #[test]
    fn pieces_that_do_not_end_are_no_panic() {
        for page in [
            "",
            "<",
            "<p",
            "<svg",
            "<svg>",
            "<b>x",
            "</b></p></table>",
            "<table><td>x</td></table>",
            "<div popover>",
            "a<nav>b",
        ] {
            let _ = markdown(page);
        }
    }
}
