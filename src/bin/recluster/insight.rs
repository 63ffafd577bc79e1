//! What a fit says of its clusters: rules, differences and fidelity.

use crate::args;
use crate::output::quoted;
use crate::source::Source;
use recluster::Run;
use recluster::explain::{
    ClusterRules, Difference, Differences, Fidelity, Outside, OutsideMeasure, OutsideVariable, Rules, Surrogate,
};
use recluster::recursive::{ClusterTree, LevelFidelity, NodeFidelity};
use serde_json::{Value, json};

/// The rules of the leaves.
pub(crate) fn rules(
    args: &args::Fit,
    data: &Source,
    tree: &ClusterTree,
    run: &Run,
) -> recluster::Result<Vec<ClusterRules>> {
    let mut rules = Rules::new();
    if let Some(resamples) = args.resamples {
        rules = rules.resamples(resamples);
    }
    match (data.questions(), &data.names) {
        (Some(questions), _) => rules = rules.schema(&questions.schema),
        (None, Some(names)) => rules = rules.feature_names(names),
        (None, None) => {}
    }
    let names: Vec<String> = tree.leaves().map(|leaf| leaf.path().to_string()).collect();
    rules.find(&data.values, &tree.leaf_labels(), &names, data.weights.as_deref(), run)
}

/// What tells each leaf from the one that is most like it.
pub(crate) fn differences(
    data: &Source,
    tree: &ClusterTree,
    surrogate: &Surrogate,
    run: &Run,
) -> recluster::Result<Vec<Difference>> {
    let labels = tree.leaf_labels();
    let mut compared = Differences::new(surrogate, &data.values, &labels)?;
    if let Some(weights) = &data.weights {
        compared = compared.weights(weights)?;
    }
    let leaves = tree.leaves().count();
    let stage = run.stage("differences", leaves);
    let mut found = Vec::with_capacity(leaves);
    for leaf in 0..leaves {
        if let Some(other) = compared.nearest(leaf, run)? {
            found.push(compared.between(leaf, other, run)?);
        }
        stage.step(leaf + 1)?;
    }
    Ok(found)
}

/// The lines of rules.csv, in which no cluster has a name yet.
pub(crate) fn lines(rules: &[ClusterRules]) -> String {
    let mut text = "cluster,rule,conditions,precision,recall,lift,held_out_rows,returned,name\n".to_string();
    for cluster in rules {
        for (number, rule) in (1..).zip(&cluster.rules) {
            let words: Vec<&str> = rule.conditions.iter().map(|condition| condition.words.as_str()).collect();
            text += &format!("{},{number},{},", cluster.name, quoted(&words.join(" and ")));
            text += &format!("{:.4},{:.4},{:.3},{},", rule.precision, rule.recall, rule.lift, rule.rows);
            text += &rule.returned.map_or(String::new(), |share| format!("{share:.2}"));
            text.push_str(",\n");
        }
    }
    text
}

/// How outside variables differ between the leaves; none without such columns.
pub(crate) fn outside(data: &Source, tree: &ClusterTree, run: &Run) -> recluster::Result<Vec<OutsideVariable>> {
    match &data.outside {
        Some(found) if found.values.ncols() > 0 => {
            Outside::new().of(&found.schema, &found.values, &tree.leaf_labels(), data.weights.as_deref(), run)
        }
        _ => Ok(Vec::new()),
    }
}

/// The lines of outside.csv: one for each figure, in all rows and in each leaf.
pub(crate) fn lines_of_outside(variables: &[OutsideVariable], tree: &ClusterTree) -> String {
    let leaves: Vec<String> = tree.leaves().map(|leaf| leaf.path().to_string()).collect();
    let number = |number: Option<f64>| number.map_or(String::new(), |number| number.to_string());
    let mut text = "variable,figure,cluster,rows,estimate,low,high,index,q_value,differs\n".to_string();
    for variable in variables {
        let of_variable = match &variable.test {
            Some(_) => format!("{},{}", number(variable.q_value), variable.differs),
            None => ",".to_string(),
        };
        for part in &variable.parts {
            let figure = match part.measure {
                OutsideMeasure::Share => part.level.clone().unwrap_or_default(),
                other => format!("{other:?}").to_lowercase(),
            };
            let head = format!("{},{}", quoted(&variable.name), quoted(&figure));
            text += &format!("{head},all,{},{},,,,{of_variable}\n", variable.rows, number(part.all));
            for (leaf, cell) in leaves.iter().zip(&part.cells) {
                let [low, high] = cell.interval.map_or([None; 2], |ends| ends.map(Some)).map(number);
                text += &format!("{head},{leaf},{},{},{low},{high},", cell.rows, number(cell.estimate));
                let differs = cell.q_value.map_or(String::new(), |_| cell.differs.to_string());
                text += &format!("{},{},{differs}\n", number(cell.index), number(cell.q_value));
            }
        }
    }
    text
}

pub(crate) fn facts_of_outside(variables: &[OutsideVariable]) -> Value {
    let variable = |own: &OutsideVariable| {
        let test = own.test.map(|test| {
            json!({"statistic": test.statistic, "degrees": test.degrees, "p_value": test.p_value, "effect": test.effect})
        });
        json!({"variable": own.name, "rows": own.rows, "test": test, "q_value": own.q_value, "differs": own.differs})
    };
    variables.iter().map(variable).collect()
}

pub(crate) fn facts_of_rules(rules: &[ClusterRules]) -> Value {
    let rule = |rule: &recluster::explain::Rule| {
        let words: Vec<&str> = rule.conditions.iter().map(|condition| condition.words.as_str()).collect();
        json!({"conditions": words, "precision": rule.precision, "recall": rule.recall, "returned": rule.returned})
    };
    let cluster = |own: &ClusterRules| {
        let rules: Vec<Value> = own.rules.iter().map(rule).collect();
        json!({"path": own.name, "rules": rules, "precision": own.precision, "recall": own.recall})
    };
    rules.iter().map(cluster).collect()
}

pub(crate) fn facts_of_fidelity(levels: &[LevelFidelity], siblings: &[NodeFidelity]) -> Value {
    let levels: Vec<Value> = levels
        .iter()
        .map(|own| json!({"level": own.level, "accuracy": own.fidelity.accuracy, "clusters": clusters(&own.fidelity)}))
        .collect();
    let siblings: Vec<Value> = siblings
        .iter()
        .map(|own| {
            let (path, fidelity) = (own.path.to_string(), &own.fidelity);
            json!({"node": path, "accuracy": fidelity.accuracy, "clusters": clusters(fidelity)})
        })
        .collect();
    json!({"levels": levels, "siblings": siblings})
}

fn clusters(fidelity: &Fidelity) -> Vec<Value> {
    let cluster = |own: &recluster::explain::ClusterFidelity| {
        json!({"path": own.name, "auc": own.auc, "average_precision": own.average_precision, "precision": own.precision,
            "recall": own.recall, "f1": own.f1, "brier": own.brier, "explainable": own.explainable})
    };
    fidelity.clusters.iter().map(cluster).collect()
}
