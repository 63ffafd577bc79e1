//! Clusters of the rows of Parquet files, by SQL.
//!
//! ```text
//! recluster-datafusion MODEL DATA [--abstain SHARE] [--sql QUERY]
//! ```
//!
//! The rows of DATA (a Parquet file, or a folder of them) are the table `rows`; without a query it counts the rows of each
//! cluster.

use datafusion::error::DataFusionError;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use recluster::Saved;
use recluster::explain::{Abstain, Surrogate};
use recluster_datafusion::{columns_of, constant, register};
use std::error::Error;

const USAGE: &str = "usage: recluster-datafusion MODEL DATA [--abstain SHARE] [--sql QUERY]";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (mut places, mut abstain, mut sql) = (Vec::new(), Abstain::Never, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--abstain" => abstain = Abstain::Share(arguments.next().ok_or(USAGE)?.parse()?),
            "--sql" => sql = Some(arguments.next().ok_or(USAGE)?),
            _ => places.push(argument),
        }
    }
    let [model, data] = &places[..] else { return Err(USAGE.into()) };
    let context = SessionContext::new();
    register(&context, abstain);
    context.register_parquet("rows", data, ParquetReadOptions::default()).await?;
    let query = match sql {
        Some(query) => query,
        None => shares(&context, model).await?,
    };
    println!("{query}");
    context.sql(&query).await?.show().await?;
    Ok(())
}

/// The query of each cluster's rows and its mean confidence.
async fn shares(context: &SessionContext, model: &str) -> Result<String, DataFusionError> {
    let surrogate = Surrogate::load(model).map_err(|e| DataFusionError::Execution(format!("{model}: {e}")))?;
    let columns = match columns_of(&surrogate) {
        Some(columns) => columns.join(", "),
        // Columns go by their order.
        None => {
            let rows = context.table("rows").await?;
            let names: Vec<String> =
                rows.schema().fields().iter().map(|field| format!("\"{}\"", field.name())).collect();
            names.join(", ")
        }
    };
    let model = constant(model);
    Ok(format!(
        "SELECT get_field(found, 'path') AS cluster, count(*) AS rows, avg(get_field(found, 'confidence')) AS confidence \
         FROM (SELECT decide({model}, {columns}) AS found FROM rows) GROUP BY cluster ORDER BY cluster"
    ))
}
