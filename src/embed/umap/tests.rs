//! Inner steps against what umap-learn computes from the same rows.

use super::*;
use crate::neighbors::Nearest;
use crate::neighbors::Search;
use serde_json::Value;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../../../tests/fixtures/embed.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn digits(count: usize) -> Array2<f32> {
    let symbol = |c: u8| if c >= b'a' { c - b'a' + 10 } else { c - b'0' };
    let text = include_str!("../../../tests/fixtures/embed_digits.txt");
    let values: Vec<f32> =
        text.lines().take(count).flat_map(|line| line.bytes().take(64).map(|c| f32::from(symbol(c)))).collect();
    Array2::from_shape_vec((count, 64), values).unwrap()
}

fn iris() -> Array2<f32> {
    let values = numbers(&fixture()["iris_rows"]);
    Array2::from_shape_vec((values.len() / 4, 4), values.iter().map(|&x| x as f32).collect()).unwrap()
}

/// Neighbours in the rows' own order, so that figures can be compared row by row.
fn nearby_of(rows: &Array2<f32>) -> fuzzy::Nearby {
    let found = Nearest::new(15).search(Search::Exact).find(rows, &Run::new()).unwrap();
    let mut nearby = fuzzy::Nearby { starts: vec![0], ..Default::default() };
    for i in 0..rows.nrows() {
        nearby.neighbours.extend(found.indices.row(i).iter().skip(1));
        nearby.distances.extend(found.distances.row(i).iter().skip(1));
        nearby.starts.push(nearby.neighbours.len());
    }
    nearby
}

#[test]
fn curves_are_those_of_umap_learn() {
    for row in fixture()["curve"].as_array().unwrap() {
        let row = numbers(row);
        let (a, b) = curve::fit(row[0], row[1]);
        assert!((a - row[2]).abs() < 1e-3 * row[2] && (b - row[3]).abs() < 1e-3, "{row:?}: {a} {b}");
    }
}

#[test]
fn widths_and_graph_are_those_of_umap_learn() {
    let fixture = fixture();
    for (name, rows) in [("iris", iris()), ("digits", digits(400))] {
        let expected = &fixture[name];
        let nearby = nearby_of(&rows);
        let n = rows.nrows();
        for (i, d) in numbers(&expected["distances"]).iter().enumerate().filter(|(i, _)| i % 15 > 0) {
            let found = f64::from(nearby.distances[i / 15 * 14 + i % 15 - 1]);
            assert!((found - d).abs() < 1e-4 * d.max(1.0), "{name}: neighbour {i}: {found} {d}");
        }
        let widths = fuzzy::smooth(&nearby, 15, 1.0);
        for (i, (sigma, rho)) in numbers(&expected["sigma"]).iter().zip(numbers(&expected["rho"])).enumerate() {
            assert!((widths[i].0 - sigma).abs() < 1e-3 * sigma, "{name}: sigma of {i}: {} {sigma}", widths[i].0);
            assert!((widths[i].1 - rho).abs() < 1e-5 * rho.max(1.0), "{name}: rho of {i}: {} {rho}", widths[i].1);
        }
        let graph = fuzzy::union(&nearby, &widths, 1.0);
        let mut dense = vec![0.0f64; n * n];
        for i in 0..n {
            for at in graph.range(i) {
                dense[i * n + graph.columns[at] as usize] = f64::from(graph.weights[at]);
            }
        }
        let (row, column) = (numbers(&expected["row"]), numbers(&expected["column"]));
        let mut theirs = vec![0.0f64; n * n];
        for ((&i, &j), w) in row.iter().zip(&column).zip(numbers(&expected["weight"])) {
            theirs[i as usize * n + j as usize] = w;
            theirs[j as usize * n + i as usize] = w;
        }
        // Over edges of either graph; neighbours at equal distances may be chosen differently.
        let (mut squares, mut edges) = (0.0, 0);
        for (a, b) in dense.iter().zip(&theirs).filter(|(a, b)| **a > 0.0 || **b > 0.0) {
            squares += (a - b) * (a - b);
            edges += 1;
        }
        let all = (squares / (n * n) as f64).sqrt();
        let own = (squares / edges as f64).sqrt();
        assert!(all < 0.005, "{name}: RMS {all}");
        println!("{name}: RMS over all pairs {all:.2e}, over edges {own:.2e}");
        for i in 0..n {
            for j in 0..n {
                assert_eq!(dense[i * n + j], dense[j * n + i]);
            }
        }
    }
}

#[test]
fn memberships_with_the_row_itself_sum_to_one_plus_the_logarithm() {
    let rows = iris();
    let found = Nearest::new(10).search(Search::Exact).find(&rows, &Run::new()).unwrap();
    for i in 0..rows.nrows() {
        let distances: Vec<f32> = found.distances.row(i).iter().skip(1).copied().collect();
        let rho = fuzzy::nearest_distance(&distances, 1.0);
        let sigma = fuzzy::width(&distances, rho, libm::log2(10.0), 0.0);
        let sum: f64 = distances.iter().map(|&d| f64::from(fuzzy::membership(d, sigma, rho))).sum();
        assert!((sum - libm::log2(10.0)).abs() < 1e-3, "row {i}: {sum}");
    }
}

#[test]
fn fractional_connectivity_is_interpolated() {
    let d = [0.0f32, 1.0, 2.0, 4.0];
    assert_eq!(fuzzy::nearest_distance(&d, 0.0), 0.0);
    assert_eq!(fuzzy::nearest_distance(&d, 0.5), 0.5);
    assert_eq!(fuzzy::nearest_distance(&d, 1.0), 1.0);
    assert_eq!(fuzzy::nearest_distance(&d, 2.5), 3.0);
    assert_eq!(fuzzy::nearest_distance(&d, 3.0), 4.0);
    assert_eq!(fuzzy::nearest_distance(&d, 9.0), 4.0);
    assert_eq!(fuzzy::nearest_distance(&[0.0, 0.0], 1.0), 0.0);
    assert_eq!(fuzzy::nearest_distance(&[], 1.0), 0.0);
}

#[test]
fn an_edge_fires_as_often_as_its_weight_says() {
    for weight in [1.0f32, 0.5, 0.3, 0.01] {
        let rate = layout::rate(weight, 1.0);
        let fired = (1..=500).filter(|&t| layout::fires(rate, t)).count() as f64;
        assert!((fired - 500.0 * f64::from(weight)).abs() <= 1.0, "{weight}: {fired}");
    }
}

/// A graph of the fixture, both directions of each edge.
fn graph_of(edges: &Value, n: usize) -> fuzzy::Graph {
    let mut rows = vec![Vec::new(); n];
    let ends = numbers(&edges["row"]).into_iter().zip(numbers(&edges["column"]));
    for ((i, j), weight) in ends.zip(numbers(&edges["weight"])) {
        let (i, j) = (i as usize, j as usize);
        rows[i].push((j as u32, weight as f32));
        rows[j].push((i as u32, weight as f32));
    }
    let mut graph = fuzzy::Graph { starts: vec![0], ..Default::default() };
    for mut row in rows {
        row.sort_by_key(|edge| edge.0);
        graph.columns.extend(row.iter().map(|edge| edge.0));
        graph.weights.extend(row.iter().map(|edge| edge.1));
        graph.starts.push(graph.columns.len());
    }
    graph
}

#[test]
fn targets_bend_the_graph_as_in_umap_learn() {
    let theirs: Value = serde_json::from_str(include_str!("../../../tests/fixtures/umap.json")).unwrap();
    let classes: Vec<i32> = numbers(&theirs["classes"]).into_iter().map(|x| x as i32).collect();
    let values: Vec<f32> = numbers(&theirs["numbers"]).into_iter().map(|x| x as f32).collect();
    let n = classes.len();
    // Rows as they stand are their own groups, so that figures can be compared row by row.
    let canonical = Canonical { order: (0..n as u32).collect(), starts: (0..=n as u32).collect() };
    let graph = graph_of(&theirs["rows_graph"], n);
    for (target, name) in [(Target::classes(&classes), "by_class"), (Target::numbers(&values), "by_number")] {
        for (weight, expected) in theirs[name].as_object().unwrap() {
            let bent = target.clone().weight(weight.parse().unwrap()).bend(&graph, &canonical, 15);
            let expected = graph_of(expected, n);
            assert_eq!((&bent.starts, &bent.columns), (&expected.starts, &expected.columns), "{name} {weight}");
            let difference =
                bent.weights.iter().zip(&expected.weights).map(|(a, b)| (a - b).abs()).fold(0.0f32, f32::max);
            println!("{name} {weight}: {} edges, at most {difference:.1e} apart", bent.columns.len() / 2);
            assert!(difference < 1e-4, "{name} {weight}: {difference}");
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn bits_do_not_depend_on_the_processor() {
    use crate::core::simd::narrowed::to_baseline;
    // Searched neighbours, and sketches of bytes and of fractions; few rows go through the exact search.
    let table = |n: usize, columns: usize, whole: bool| {
        ndarray::Array2::from_shape_fn((n, columns), |(i, j)| {
            let x = ((i % 40) * (j + 3) % 97) as f32 + ((i * 31 + j * 17) % 101) as f32 * 0.25;
            if whole { x.floor() } else { x }
        })
    };
    for (rows, columns, whole, epochs) in [(5000, 110, true, 8), (5000, 110, false, 8), (600, 30, false, 60)] {
        let rows = table(rows, columns, whole);
        let fit = || {
            let model = super::Umap::new().n_epochs(epochs).fit(&rows, &crate::Run::new()).unwrap();
            let new =
                model.transform(&rows.slice(ndarray::s![..50, ..]).mapv(|x| x + 1.0), &crate::Run::new()).unwrap();
            (model.embedding().clone(), new)
        };
        assert_eq!(fit(), to_baseline(fit));
    }
}
