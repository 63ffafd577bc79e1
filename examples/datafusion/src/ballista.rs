//! The functions in the three places where Ballista looks for them: each executor, the scheduler, and the client.
//!
//! An executor:
//!
//! ```no_run
//! # use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
//! # use recluster::explain::Abstain;
//! # use recluster_datafusion::ballista::registry;
//! # use std::sync::Arc;
//! # async fn executor() -> Result<(), Box<dyn std::error::Error>> {
//! let config = ExecutorProcessConfig {
//!     bind_host: "0.0.0.0".into(),
//!     scheduler_host: "scheduler".into(),
//!     override_function_registry: Some(Arc::new(registry(Abstain::Never)?)),
//!     ..Default::default()
//! };
//! start_executor_process(Arc::new(config)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The scheduler, under the name by which executors call it back:
//!
//! ```no_run
//! # use ballista_scheduler::{cluster::BallistaCluster, config::SchedulerConfig, scheduler_process::start_server};
//! # use recluster::explain::Abstain;
//! # use recluster_datafusion::ballista::session_builder;
//! # use std::sync::Arc;
//! # async fn scheduler() -> Result<(), Box<dyn std::error::Error>> {
//! let config = SchedulerConfig::default()
//!     .with_hostname("scheduler")
//!     .with_override_session_builder(session_builder(Abstain::Never));
//! let cluster = BallistaCluster::new_from_config(&config).await?;
//! start_server(cluster, "0.0.0.0:50050".parse()?, Arc::new(config)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The client:
//!
//! ```no_run
//! # use datafusion::prelude::ParquetReadOptions;
//! # use recluster::explain::Abstain;
//! # use recluster_datafusion::ballista::client;
//! # async fn program() -> Result<(), Box<dyn std::error::Error>> {
//! let context = client("df://scheduler:50050", Abstain::Never).await?;
//! context.register_parquet("customers", "/shared/customers", ParquetReadOptions::default()).await?;
//! let found = context.sql("SELECT id, assign('/shared/model.json', plan, spent) FROM customers").await?;
//! found.show().await?;
//! # Ok(())
//! # }
//! ```
//!
//! A plan carries no more of a function than its name. So it is the executors' `abstain` that turns rows away, and the
//! executors' files that are read. Give the same `abstain` everywhere all the same: a call whose columns are all
//! constants is computed by the client.

use crate::{functions, register};
use ballista::prelude::SessionContextExt;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_core::utils::{default_config_producer, default_session_builder};
use ballista_scheduler::SessionBuilder;
use datafusion::common::Result;
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion::prelude::{SessionConfig, SessionContext};
use recluster::explain::Abstain;
use std::sync::Arc;

/// What an executor knows functions by: Ballista's, `assign` and `decide`. For
/// `ExecutorProcessConfig::override_function_registry`.
///
/// All tasks of the executor share it, so that each reads a model once, and keeps it: give a changed model another path.
pub fn registry(abstain: Abstain) -> Result<BallistaFunctionRegistry> {
    Ok(BallistaFunctionRegistry::from(&state(default_config_producer(), abstain)?))
}

/// What the scheduler makes the state of a session by: Ballista's own, with `assign` and `decide`. For
/// `SchedulerConfig::with_override_session_builder`.
pub fn session_builder(abstain: Abstain) -> SessionBuilder {
    Arc::new(move |config| state(config, abstain))
}

/// A session of the scheduler at `url`, such as `df://scheduler:50050`, that knows `assign` and `decide`.
///
/// For a session with a state of your own call [`register`] on what `SessionContext::remote_with_state` gives, not
/// before: it puts Ballista's functions in the place of those of the state.
pub async fn client(url: &str, abstain: Abstain) -> Result<SessionContext> {
    let context = SessionContext::remote(url).await?;
    register(&context, abstain);
    Ok(context)
}

fn state(config: SessionConfig, abstain: Abstain) -> Result<SessionState> {
    let mut state = default_session_builder(config)?;
    for function in functions(abstain) {
        state.register_udf(Arc::new(function))?;
    }
    Ok(state)
}
