//! The cluster of each row as a function of SQL.
//!
//! ```text
//! SELECT assign('report/model.json', plan, visits, spent) AS cluster, count(*) FROM customers GROUP BY cluster
//! ```
//!
//! `assign` gives the path of the cluster; `decide` a struct of `path`, `confidence`, `runner_up` and
//! `runner_up_confidence`, as the columns of `recluster predict`. A row that is turned away has the path `-`.
//! Both are `recluster::explain::Predictor` on blocks of rows, and give its bits.

#[cfg(feature = "ballista")]
pub mod ballista;
mod columns;
mod cross;

use columns::{numbers, table};
use datafusion::arrow::array::{ArrayRef, Float64Array, StringArray, StructArray, new_empty_array};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{DataFusionError, Result, exec_err, plan_err};
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use datafusion::prelude::SessionContext;
use recluster::explain::{Abstain, Decision, Predictor, Surrogate};
use recluster::{Run, Saved};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// Registers `assign` and `decide`, which turn rows away as `abstain` says.
pub fn register(context: &SessionContext, abstain: Abstain) {
    functions(abstain).into_iter().for_each(|function| context.register_udf(function));
}

/// The functions `assign` and `decide`, for a registry of another engine such as Ballista's.
pub fn functions(abstain: Abstain) -> [ScalarUDF; 2] {
    [What::Path, What::Decision].map(|what| ScalarUDF::from(Assign::new(what, abstain)))
}

/// What is told of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum What {
    Path,
    Decision,
}

/// The function of a model and columns. Each model is read once; register the function again to read a file that changed.
#[derive(Debug)]
struct Assign {
    what: What,
    abstain: Abstain,
    signature: Signature,
    models: Mutex<HashMap<String, Arc<Predictor>>>,
}

impl Assign {
    fn new(what: What, abstain: Abstain) -> Self {
        // The number and types of the columns are the model's to judge.
        let signature = Signature::variadic_any(Volatility::Immutable);
        Assign { what, abstain, signature, models: Mutex::default() }
    }

    fn predictor(&self, model: &ColumnarValue) -> Result<Arc<Predictor>> {
        let path = match model {
            ColumnarValue::Scalar(value) => value.try_as_str().flatten(),
            ColumnarValue::Array(_) => None,
        };
        let Some(path) = path else {
            return exec_err!("{}: the model must be the path of its file, a constant text", self.name());
        };
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = models.get(path) {
            return Ok(known.clone());
        }
        let read = Surrogate::load(path).and_then(|surrogate| Predictor::new(surrogate, self.abstain));
        let predictor = Arc::new(read.map_err(|e| self.failed(format!("{path}: {e}")))?);
        models.insert(path.to_string(), predictor.clone());
        Ok(predictor)
    }

    fn failed(&self, reason: impl std::fmt::Display) -> DataFusionError {
        DataFusionError::Execution(format!("{}: {reason}", self.name()))
    }
}

impl PartialEq for Assign {
    fn eq(&self, other: &Self) -> bool {
        (self.what, self.abstain) == (other.what, other.abstain)
    }
}

impl Eq for Assign {}

impl Hash for Assign {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.what.hash(state);
        format!("{:?}", self.abstain).hash(state);
    }
}

impl ScalarUDFImpl for Assign {
    fn name(&self) -> &str {
        match self.what {
            What::Path => "assign",
            What::Decision => "decide",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        if arguments.len() < 2 {
            return plan_err!("{} needs a model and the columns of its features", self.name());
        }
        Ok(match self.what {
            What::Path => DataType::Utf8,
            What::Decision => DataType::Struct(decision_fields()),
        })
    }

    /// Puts the columns into a struct that keeps their names: later steps of the optimizer may replace a column of a
    /// subquery by what it was computed from.
    fn simplify(&self, mut arguments: Vec<Expr>, context: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let (mut named, mut structs) = (Vec::new(), Vec::new());
        for argument in arguments.iter().skip(1) {
            if matches!(context.get_data_type(argument)?, DataType::Struct(_)) {
                structs.push(argument.clone());
                continue;
            }
            let name = match argument {
                Expr::Column(column) => column.name.clone(),
                other => other.schema_name().to_string(),
            };
            named.extend([lit(name), argument.clone()]);
        }
        if named.is_empty() {
            return Ok(ExprSimplifyResult::Original(arguments));
        }
        arguments.truncate(1);
        arguments.push(named_struct(named));
        arguments.extend(structs);
        let call = ScalarUDF::from(Assign::new(self.what, self.abstain)).call(arguments);
        Ok(ExprSimplifyResult::Simplified(call))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        if rows == 0 {
            return Ok(ColumnarValue::Array(new_empty_array(arguments.return_type())));
        }
        let predictor = self.predictor(&arguments.args[0])?;
        let failed = |e: recluster::Error| self.failed(e);
        let run = Run::new();
        let surrogate = predictor.surrogate();
        let table = table(surrogate, &arguments)?;
        let decided = match surrogate.schema() {
            Some(_) => predictor.decide_table(&table, &run).map_err(failed)?,
            None => {
                let values = numbers(surrogate.model(), &table).map_err(failed)?;
                predictor.decide(&values, &run).map_err(failed)?
            }
        };
        Ok(ColumnarValue::Array(match self.what {
            What::Path => Arc::new(paths(&decided)) as ArrayRef,
            What::Decision => Arc::new(decisions(&decided)),
        }))
    }
}

fn decision_fields() -> Fields {
    let field = |name: &str, kind| Field::new(name, kind, true);
    Fields::from(vec![
        field("path", DataType::Utf8),
        field("confidence", DataType::Float64),
        field("runner_up", DataType::Utf8),
        field("runner_up_confidence", DataType::Float64),
    ])
}

fn paths(decided: &[Decision<'_>]) -> StringArray {
    decided.iter().map(|decision| Some(decision.assigned().map_or("-", |to| to.path))).collect()
}

fn decisions(decided: &[Decision<'_>]) -> StructArray {
    let confidence: Float64Array = decided.iter().map(|decision| Some(decision.best.confidence)).collect();
    let second: StringArray = decided.iter().map(|decision| decision.runner_up.map(|to| to.path)).collect();
    let second_confidence: Float64Array =
        decided.iter().map(|decision| decision.runner_up.map(|to| to.confidence)).collect();
    let arrays: Vec<ArrayRef> =
        vec![Arc::new(paths(decided)), Arc::new(confidence), Arc::new(second), Arc::new(second_confidence)];
    StructArray::new(decision_fields(), arrays, None)
}

/// The columns of a table that a model needs, in quotes, for a call of `assign`: all of a model's whose columns have
/// names.
pub fn columns_of(surrogate: &Surrogate) -> Option<Vec<String>> {
    let names = columns::needed(surrogate)?;
    Some(names.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect())
}

/// A text as a constant of SQL.
pub fn constant(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
