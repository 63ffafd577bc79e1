//! What the first page and the first screen of a card say: rules, stability, verdicts, names.

use super::tests::{Keep, Thirds, data, fitted, why};
use super::*;
use crate::explain::Rules;
use crate::recursive::{Grade, Judge, Proposal, RecursiveTree, Separation, Verdict};
use crate::{Error, Run};
use ndarray::{Array2, s};

/// Keeps three clusters: the first is separated from the second, the third and the second are what it says.
struct Says(Grade);
impl Judge for Says {
    fn judge(&self, _proposal: &Proposal<'_>, _run: &Run) -> Result<Verdict> {
        let pair = |of: usize, from: usize, grade: Grade, p_value: f64| {
            let boundary = (grade != Grade::NotFoundAgain).then_some(0.25);
            Separation { of: vec![of], from: vec![from], grade, p_value, boundary }
        };
        let pairs = vec![pair(0, 1, Grade::Separated, 0.001), pair(2, 1, self.0, 0.4)];
        Ok(Verdict::keep("tested").with_separations(pairs))
    }
}

/// A tree whose stability was measured and whose clusters were tested.
fn sure_of(data: &Array2<f32>, grade: Grade) -> ClusterTree {
    RecursiveTree::new(Keep, Thirds).levels(1).stability(4).judge(Says(grade)).fit(data, &Run::new()).unwrap()
}

fn sure(data: &Array2<f32>) -> ClusterTree {
    sure_of(data, Grade::Continuum)
}

const NAMES: [&str; 6] = ["visits <a>", "b", "c", "d", "e", "f"];

fn rules(data: &Array2<f32>, tree: &ClusterTree) -> Vec<ClusterRules> {
    let paths: Vec<String> = tree.leaves().map(|leaf| leaf.path().to_string()).collect();
    let rules = Rules::new().feature_names(NAMES).resamples(4);
    rules.find(data, &tree.leaf_labels(), &paths, None, &Run::new()).unwrap()
}

/// The card of one cluster, without the buttons around words of the glossary.
fn card(html: &str, path: &str) -> String {
    let start = html.find(&format!("id=\"cluster-{path}\"")).unwrap();
    let rest = &html[start..];
    let card = rest[..rest.find("</article>").unwrap()].replace('\u{a0}', " ").replace("</button>", "");
    card.split("<button")
        .map(|part| part.split_once("\">").filter(|_| part.starts_with(" type")).map_or(part, |p| p.1))
        .collect()
}

#[test]
fn a_card_says_who_how_sure_and_what_to_do() {
    let data = data();
    let tree = sure(&data);
    let rules = rules(&data, &tree);
    let explained: Vec<u32> = (0..180).collect();
    let why = why(&data, &explained, 3);
    let html =
        Report::new(&tree, &data).feature_names(NAMES).rules(&rules).explanation(explained, &why).render().unwrap();
    let [first_child, second_child, third_child] = [0, 1, 2].map(|c| tree.root().split().unwrap().child_of(c).unwrap());
    let verdict = |leaf: usize| match leaf {
        own if own == first_child => (format!("<b>Separated</b> from 0.{second_child}"), "kind of its own"),
        own if own == second_child => (format!("<b>Continuum</b> with 0.{third_child}"), "segment of a range"),
        _ => (format!("<b>Continuum</b> with 0.{second_child}"), "segment of a range"),
    };
    for (leaf, node) in tree.leaves().enumerate() {
        let card = card(&html, &node.path().to_string());
        let best = &rules[leaf].rules[0];
        for condition in &best.conditions {
            assert!(card.contains(&format!("<b>{}</b>", condition.words.replace('<', "&lt;").replace('>', "&gt;"))));
        }
        let [first, next] = [
            sure::of_hundred(Text::english(), best.precision),
            Text::english().whole(best.recall).replace('\u{a0}', " "),
        ];
        for part in [
            "Who they are",
            "How sure we are",
            "What to do with them",
            "95 % interval",
            &format!("Of 100 rows that fit this rule {first} are in the cluster; it covers {next} of the cluster"),
            "<b>Highly stable</b>: found again in 4 of 4 runs on 80 % of the rows",
            "<b>The model</b> puts ",
            &verdict(leaf).0,
            verdict(leaf).1,
            "class=\"proposed\">visits &lt;a&gt; ",
        ] {
            assert!(card.contains(part), "{part} of leaf {leaf}");
        }
    }
    for part in [
        "3 of 3 clusters are stable or highly stable over 4 runs.",
        "Of 3 clusters 1 is separated from all its siblings and 2 run over into a sibling (continuum).",
        "are in a cluster; the others fit none",
        "<dt>Rule</dt>",
        "<dt>Stability</dt><dd>4 runs, each on 80\u{a0}% of a node's rows",
        "<dt>Evidence</dt>",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("<a>") && !html.contains("<script"));
    let tree = sure_of(&data, Grade::NotFoundAgain);
    let html = Report::new(&tree, &data).render().unwrap();
    assert!(html.contains("2 are separated from all their siblings and 1 was not found again on other rows."));
    let last = card(&html, &format!("0.{third_child}"));
    let compared = format!("<b>Not found again</b> on other rows; it was compared with 0.{second_child}");
    assert!(last.contains(&compared));
    assert!(last.contains("Do not build on it yet"));
}

#[test]
fn without_rules_stability_and_tests_the_report_says_so() {
    let data = data();
    let html = Report::new(&fitted(&data), &data).render().unwrap();
    for part in [
        "Not measured: recluster fit --stability 10",
        "Not tested: recluster fit --evidence mark",
        "Stability was not measured.",
        "Separation was not tested.",
        "Furthest from usual: ",
        "neither its stability nor its separation was tested",
    ] {
        assert!(html.contains(part), "{part}");
    }
    for part in ["<dt>Rule</dt>", "<dt>Stability</dt>", "<dt>Consensus</dt>", "<b>The model</b>", "class=\"proposed\""]
    {
        assert!(!html.contains(part), "{part}");
    }
    // A leaf without rules, and a rule that nothing was measured on.
    let tree = sure(&data);
    let mut odd = rules(&data, &tree);
    odd[0].rules.clear();
    let rule = &mut odd[1].rules[0];
    (rule.rows, rule.precision, rule.recall, rule.conditions[0].column) = (0, 0.0, f64::NAN, usize::MAX);
    let html = Report::new(&tree, &data).rules(&odd).render().unwrap();
    assert!(card(&html, "0.0").contains("No short rule says which rows these are"));
    assert!(card(&html, "0.1").contains("None of the rows that the rule has not seen fits it"));
    assert!(!card(&html, "0.1").contains("class=\"proposed\""));
}

#[test]
fn names_given_stand_wherever_a_cluster_does_and_absurd_ones_do_no_harm() {
    let data = data();
    let mut tree = sure(&data);
    let rules = rules(&data, &tree);
    tree.set_name("0.0", "Night owls").unwrap();
    tree.set_name("0.1", format!("</style><script>\u{202e}\n\"'&{}", "x".repeat(9000))).unwrap();
    tree.set_name("0.2", " \n ").unwrap();
    let html = Report::new(&tree, &data).feature_names(NAMES).rules(&rules).render().unwrap();
    // First page, tree (title and text), table, legend of the map, card.
    assert!(html.matches("Night owls").count() >= 6, "{}", html.matches("Night owls").count());
    assert!(card(&html, "0.0").contains("<bdi class=\"given\">Night owls</bdi>"));
    assert!(html.contains("&lt;/style&gt;&lt;script&gt;") && html.matches("</style>").count() == 1);
    assert!(!html.contains("<script") && !html.contains('\u{202e}') && !html.contains(&"x".repeat(100)));
    // A blank name is none: one is proposed.
    assert!(card(&html, "0.2").contains("class=\"proposed\""));
    // Pixels have no names to propose.
    let html = Report::new(&tree, &data).image(3, 2).rules(&rules).render().unwrap();
    assert!(!html.contains("class=\"proposed\"") && card(&html, "0.2").contains("<b>line 1, place 1 "));
}

#[test]
fn what_is_said_of_clusters_does_not_depend_on_the_order_of_rows() {
    let render = |data: &Array2<f32>| {
        let tree = sure(data);
        let rules = rules(data, &tree);
        Report::new(&tree, data).feature_names(NAMES).rules(&rules).render().unwrap()
    };
    let data = data();
    assert!(render(&data) == render(&data.slice(s![..;-1, ..]).to_owned()));
}

#[test]
fn fidelity_and_the_nearest_cluster_are_told_and_must_fit() {
    use crate::boost::Boost;
    use crate::explain::Differences;
    let (data, run) = (data(), Run::new());
    let tree = sure(&data);
    let (model, levels) = tree.surrogate_with_fidelity(&data, None, &Boost::new().rounds(5), &run).unwrap();
    let (labels, fidelity) = (tree.leaf_labels(), &levels.last().unwrap().fidelity);
    let compared = Differences::new(&model, &data, &labels).unwrap();
    let found = [compared.between(0, 1, &run).unwrap()];
    let html = Report::new(&tree, &data).feature_names(NAMES).fidelity(fidelity).differences(&found).render().unwrap();
    let first = card(&html, "0.0");
    assert!(first.contains("<b>On rows that it has not seen</b> a model finds "));
    assert!(first.contains("Nearest cluster: <a href=\"#cluster-0.1\">0.1</a>"));
    assert!(first.contains("<li>visits &lt;a&gt;: "));
    assert!(!card(&html, "0.1").contains("Nearest cluster"));
    let mut short = fidelity.clone();
    short.clusters.pop();
    assert!(matches!(Report::new(&tree, &data).fidelity(&short).render(), Err(Error::Shape { .. })));
    let own = rules(&data, &tree);
    assert!(matches!(Report::new(&tree, &data).rules(&own[1..]).render(), Err(Error::Shape { .. })));
}
