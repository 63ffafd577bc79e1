//! `assign` and `decide` through Ballista: a scheduler, two executors and clients in one process, over loopback.

mod common;

use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::scheduler_process::start_server;
use common::{Place, answer, refusal, same_bits, same_names, surrogate, table, write};
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use recluster::Run;
use recluster::explain::{Abstain, Predictor};
use recluster_datafusion::ballista::{client, registry, session_builder};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A port that nobody listens on.
fn port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A scheduler and two executors of two threads each. Gives the scheduler's address and the executors' folders.
async fn cluster(folder: &Path, abstain: Abstain) -> (String, [PathBuf; 2]) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port()));
    let config = SchedulerConfig::default()
        .with_hostname("127.0.0.1")
        .with_port(address.port())
        .with_task_distribution(TaskDistributionPolicy::RoundRobin)
        .with_override_session_builder(session_builder(abstain));
    let cluster = BallistaCluster::new_from_config(&config).await.unwrap();
    let state = cluster.cluster_state();
    tokio::spawn(async move { start_server(cluster, address, Arc::new(config)).await.unwrap() });
    let folders = ["first", "second"].map(|name| folder.join(name));
    for folder in &folders {
        std::fs::create_dir(folder).unwrap();
        let config = ExecutorProcessConfig {
            external_host: Some("127.0.0.1".into()),
            port: port(),
            grpc_port: port(),
            scheduler_host: "127.0.0.1".into(),
            scheduler_port: address.port(),
            scheduler_connect_timeout_seconds: 60,
            vcores: 2,
            work_dir: Some(folder.display().to_string()),
            override_function_registry: Some(Arc::new(registry(abstain).unwrap())),
            ..Default::default()
        };
        tokio::spawn(async move { start_executor_process(Arc::new(config)).await.unwrap() });
    }
    while state.registered_executor_metadata().await.len() < folders.len() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    (format!("df://{address}"), folders)
}

/// A session of the cluster with the table `rows`.
async fn session(url: &str, data: &Path, abstain: Abstain) -> SessionContext {
    let context = client(url, abstain).await.unwrap();
    context.register_parquet("rows", data.to_str().unwrap(), ParquetReadOptions::default()).await.unwrap();
    context
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn executors_give_the_bits_of_the_predictor() {
    let surrogate = surrogate();
    let place = Place::new(&surrogate);
    let (rows, abstain) = (20_000, Abstain::Share(0.1));
    let data = place.folder.path().join("rows");
    std::fs::create_dir(&data).unwrap();
    for (part, ids) in [0..7_000, 7_000..12_000, 12_000..19_000, 19_000..rows].into_iter().enumerate() {
        write(&data.join(format!("{part}.parquet")), ids);
    }
    let (url, folders) = cluster(place.folder.path(), abstain).await;
    let context = session(&url, &data, abstain).await;
    same_bits(&context, &place, &surrogate, abstain, rows).await;
    same_names(&context, &place).await;

    let predictor = Predictor::new(surrogate, abstain).unwrap();
    let whole = table(0..rows);
    let decided = predictor.decide_table(&whole, &Run::new()).unwrap();
    let expected: Vec<&str> = decided.iter().map(|to| to.assigned().map_or("-", |to| to.path)).collect();
    let (model, columns) = (&place.model, &place.columns);
    let query = format!("SELECT id, assign({model}, {columns}), 1 AS one FROM rows ORDER BY id");
    // The same whatever the client turns away: the executors' functions count.
    for abstain in [abstain, Abstain::Never] {
        let context = session(&url, &data, abstain).await;
        let mut next = 0;
        for batch in answer(&context, &query).await {
            assert!(batch.schema().field(1).name().starts_with("assign("), "{}", batch.schema());
            let (ids, paths) = (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_string::<i32>());
            for row in 0..batch.num_rows() {
                assert_eq!((ids.value(row), paths.value(row)), (next as i64, expected[next]));
                next += 1;
            }
        }
        assert_eq!(next, rows);
    }
    // Both executors had a part in it.
    for folder in &folders {
        assert!(std::fs::read_dir(folder).unwrap().count() > 0, "{}", folder.display());
    }

    let said = refusal(&context, &format!("SELECT assign('nowhere.json', {columns}) FROM rows")).await;
    assert!(said.contains("nowhere.json"), "{said}");
    let fewer = columns.replace("\"plan\", ", "");
    let said = refusal(&context, &format!("SELECT assign({model}, {fewer}) FROM rows")).await;
    assert!(said.contains("plan"), "{said}");
    // Executors keep a model that they have read; nobody else reads it.
    std::fs::remove_file(place.folder.path().join("it's a model.json")).unwrap();
    assert_eq!(answer(&context, &query).await.iter().map(|batch| batch.num_rows()).sum::<usize>(), rows);
}

/// The lines of the README are those of the documentation, which the compiler reads.
#[test]
fn the_readme_has_the_lines_of_the_documentation() {
    let readme = include_str!("../README.md").split_once("## Ballista").unwrap().1;
    let compiled: Vec<&str> =
        include_str!("../src/ballista.rs").lines().filter_map(|l| l.strip_prefix("//!")).collect();
    for code in readme.split("```rust\n").skip(1) {
        for line in code.split("```").next().unwrap().lines() {
            assert!(compiled.iter().any(|known| known.trim() == line.trim()), "{line}");
        }
    }
}
