//! The report in a real browser: headless Chromium, by its command line. Where there is none the tests say so and pass.

#[cfg(unix)]
mod keys;
use crate::made::{self, Grid, Lead, why};
use recluster::Run;
use recluster::explain::{Fidelity, Rules};
use recluster::recursive::{ClusterTree, RecursiveTree};
use recluster::report::Report;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const MEASURE: &str = include_str!("browser/measure.js");

/// The browser's name; `CHROMIUM` may say another.
fn browser() -> Option<String> {
    let named = std::env::var("CHROMIUM").ok().into_iter();
    let usual = ["chromium", "chromium-browser", "google-chrome"].map(String::from);
    let found =
        named.chain(usual).find(|name| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success()));
    if found.is_none() {
        eprintln!("skipped: there is no Chromium here; CHROMIUM can name one");
    }
    found
}

/// Opens a page and gives its document afterwards, and what the browser logged.
fn open(browser: &str, page: &Path, more: &[&str]) -> (String, String) {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--hide-scrollbars",
        ])
        .args(["--enable-logging=stderr", "--virtual-time-budget=8000", "--window-size=1440,900"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(more)
        .arg("--dump-dom")
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// What is wrong with a page in a window `width` wide, measured by a script in a copy that allows it.
fn measured(browser: &str, html: &str, at: &str, width: u32, dark: bool) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let policy = html.find("<meta http-equiv=\"Content-Security-Policy\"").expect("a policy");
    let end = policy + html[policy..].find('>').unwrap() + 1;
    let copy = format!("{}{}<script>{MEASURE}</script>", &html[..policy], &html[end..]);
    std::fs::write(folder.path().join("page.html"), copy).unwrap();
    // A window is never narrower than 500 pixels, a frame can be.
    let frame = format!(
        "<!DOCTYPE html><body style=\"margin:0\"><script>addEventListener('message', (e) => {{ const p = document.createElement('pre'); \
         p.id = 'told'; p.textContent = e.data; document.body.append(p); }});</script>\
         <iframe src=\"page.html{at}\" style=\"width:{width}px;height:900px;border:0\"></iframe>"
    );
    std::fs::write(folder.path().join("frame.html"), frame).unwrap();
    let scheme =
        if dark { "--blink-settings=preferredColorScheme=0" } else { "--blink-settings=preferredColorScheme=1" };
    let (dom, log) = open(browser, &folder.path().join("frame.html"), &[scheme]);
    let told = dom.split("<pre id=\"told\">").nth(1).and_then(|rest| rest.split("</pre>").next());
    let text = told
        .unwrap_or_else(|| panic!("nothing was measured: {log}"))
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        .replace("&nbsp;", " ");
    serde_json::from_str(&text).unwrap()
}

fn faultless(told: &Value, what: &str) {
    let found = told["found"].as_array().unwrap();
    assert!(found.is_empty(), "{what}: {}", serde_json::to_string_pretty(found).unwrap());
}

/// A tree with names, rules, fidelity and attributions, in the words of a table that means no good.
fn rich() -> (ClusterTree, String) {
    let data = made::table(3000, 12);
    let run = Run::new();
    let mut tree = RecursiveTree::new(Lead, Grid { width: 4 }).levels(2).stability(2).fit(&data, &run).unwrap();
    for (path, name) in [
        ("0.1", "Night owls <b>&amp;</b>"),
        ("0.2.1", "بومة الليل السعيدة"),
        ("0.3.0", "一个非常非常长的名字没有空格也没有换行符号的名字在这里继续下去直到它不再适合任何地方"),
        ("0.0.0", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"),
    ] {
        tree.set_name(path, name).unwrap();
    }
    let names: Vec<String> = (0..12)
        .map(|c| match c % 4 {
            0 => format!("<script>alert({c})</script>"),
            1 => format!("{}{c}", "unbroken".repeat(30)),
            2 => format!("عمود {c} \u{202e}kcab"),
            _ => format!("q{c}"),
        })
        .collect();
    let leaves = tree.leaves().count();
    let paths: Vec<String> = tree.leaves().map(|leaf| leaf.path().to_string()).collect();
    let rules =
        Rules::new().feature_names(&names).resamples(3).find(&data, &tree.leaf_labels(), &paths, None, &run).unwrap();
    let probabilities = ndarray::Array2::from_shape_fn((3000, leaves), |(row, leaf)| {
        let own = tree.leaf_labels()[0].max(0) as usize;
        if (row * leaves / 3000 + own) % leaves == leaf { 0.8 } else { 0.2 / leaves as f64 }
    });
    let fidelity = Fidelity::of(&probabilities, &tree.leaf_labels(), &paths, None).unwrap();
    let report = Report::new(&tree, &data).title("A title — with & and <tags>").feature_names(&names);
    let rows = report.sample(300).unwrap();
    let why = why(&data, &rows, leaves);
    let html = report.rules(&rules).fidelity(&fidelity).explanation(rows, &why).render().unwrap();
    (tree, html)
}

#[test]
fn the_report_is_faultless_in_a_browser() {
    let Some(browser) = browser() else { return };
    let (_, html) = rich();
    for (width, dark) in [(1440, false), (390, true), (390, false), (820, true)] {
        let told = measured(&browser, &html, "", width, dark);
        assert_eq!((told["width"].as_u64(), told["dark"].as_bool()), (Some(u64::from(width)), Some(dark)));
        assert!(told["charts"].as_u64().unwrap() > 20 && told["contrast"].as_f64().unwrap() >= 4.5);
        faultless(&told, &format!("{width} wide, dark {dark}"));
    }
}

#[test]
fn a_slide_stands_alone() {
    let Some(browser) = browser() else { return };
    let (_, html) = rich();
    for (at, width) in
        [("#slide-1", 1440), ("#slide-2", 390), ("#slide-4", 1440), ("#slide-9", 1440), ("#slide-12", 390)]
    {
        let told = measured(&browser, &html, at, width, false);
        assert_eq!(told["slides"], 1, "{at}");
        faultless(&told, at);
    }
}

#[test]
fn nothing_is_asked_for_and_nothing_is_logged() {
    let Some(browser) = browser() else { return };
    let (_, html) = rich();
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, &html).unwrap();
    let (dom, log) = open(&browser, &page, &[]);
    assert!(!log.contains("CONSOLE"), "{log}");
    // The parser built what was written: no tag was moved, closed or made up.
    let written = html.replace('\u{a0}', "&nbsp;").replace("<div popover id", "<div popover=\"\" id");
    let dom = dom.replacen("<!DOCTYPE html>\n", "<!DOCTYPE html>", 1);
    let (dom, written) = (dom.trim_end(), written.trim_end());
    let differs = dom.bytes().zip(written.bytes()).position(|(a, b)| a != b);
    if let Some(at) = differs {
        let near =
            |text: &str| text.as_bytes()[at.saturating_sub(150)..(at + 150).min(text.len())].escape_ascii().to_string();
        panic!("parsed {}\nwritten {}", near(dom), near(written));
    }
    // The policy holds: a script and a request that got in are refused, and the browser says so.
    let bad = html.replacen(
        "<body",
        "<script>document.title = 'in'</script><img alt=\"x\" src=\"http://127.0.0.1:9/x.png\"><body",
        1,
    );
    std::fs::write(&page, bad).unwrap();
    let (dom, log) = open(&browser, &page, &[]);
    assert!(log.contains("CONSOLE") && !dom.contains("<title>in</title>"), "{log}");
}

/// Everything that can be activated, in the order of the page.
#[cfg(unix)]
const STOPS: &str = "[...document.querySelectorAll('a[href], button, summary')].filter((e) => e.checkVisibility())";

#[cfg(unix)]
#[test]
fn the_keyboard_reaches_everything_in_order_and_shows_where_it_is() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, rich().1).unwrap();
    let mut keys = keys::Keys::open(&browser, &page);
    let stops = keys.value(&format!("{STOPS}.length")).as_u64().unwrap();
    assert!(stops > 50, "{stops}");
    let mut reached = Vec::new();
    while reached.len() < stops as usize {
        keys.press("Tab");
        let at = keys.value(&format!(
            "(() => {{ const e = document.activeElement; const style = getComputedStyle(e); \
             return [{STOPS}.indexOf(e), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0, e.outerHTML.slice(0, 200), \
             e.scrollWidth > e.clientWidth]; }})()"
        ));
        assert!(at[1] == true, "nothing shows that the keyboard is at {}", at[2]);
        match at[0].as_i64().unwrap() {
            // What scrolls sideways is a stop too, so that the arrow keys move it.
            -1 => assert!(at[3] == true, "{}", at[2]),
            stop => {
                assert_eq!(stop, reached.len() as i64, "{}", at[2]);
                reached.push(stop);
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn slides_and_terms_answer_to_keys() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, rich().1).unwrap();
    let mut keys = keys::Keys::open(&browser, &page);

    // From slide to slide, to the last one and back to the page.
    keys.value("document.querySelector('.start').focus()");
    keys.press("Enter");
    let slides = keys.value("document.querySelectorAll('.slide').length").as_u64().unwrap();
    for slide in 1..slides {
        assert_eq!(keys.value("location.hash"), format!("#slide-{slide}"));
        keys.press("Tab");
        assert_eq!(keys.value("document.activeElement.textContent"), "Next", "slide {slide}");
        keys.press("Enter");
    }
    assert_eq!(keys.value("location.hash"), format!("#slide-{slides}"));
    for wanted in ["Previous", "All on one page"] {
        keys.press("Tab");
        assert_eq!(keys.value("document.activeElement.textContent"), wanted);
    }
    keys.press("Enter");
    assert_eq!(keys.value("location.hash"), "#report");

    // A term opens its meaning and closes it again.
    let open = "document.querySelectorAll(':popover-open').length";
    keys.value("document.querySelector('.term').focus()");
    for shown in [1, 0] {
        keys.press(if shown == 1 { "Enter" } else { "Escape" });
        assert_eq!(keys.value(open), shown);
    }
    assert_eq!(keys.value("document.activeElement.className"), "term");
}

/// `VNU` names the jar of the Nu validator (https://validator.github.io/validator), which needs Java.
#[test]
fn the_page_is_valid_html() {
    let Ok(jar) = std::env::var("VNU") else {
        eprintln!("skipped: VNU does not name the jar of the Nu HTML validator");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let data = made::table(60, 3);
    let one = RecursiveTree::new(Lead, Grid { width: 4 }).min_rows(100).fit(&data, &Run::new()).unwrap();
    let pages = [rich().1, Report::new(&one, &data).render().unwrap()];
    for html in pages {
        let page = folder.path().join("page.html");
        std::fs::write(&page, html).unwrap();
        let output = Command::new("java")
            .args(["-Xss64m", "-jar", &jar, "--errors-only", "--format", "gnu"])
            .arg(&page)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
