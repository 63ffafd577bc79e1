use super::*;
use crate::embed::{Identity, Pca};
use crate::table::{Column, Cycle, Field, Kind, Table, Values};
use ndarray::{Axis, s};

fn draws(seed: u64, n: usize) -> Vec<f64> {
    (0..n as u64).map(|i| (crate::core::random::mix(seed << 32 | i) >> 11) as f64 / (1u64 << 53) as f64).collect()
}

/// Mean squared distance of all pairs.
fn mean_square(space: &ArrayRef2<f32>) -> f64 {
    let n = space.nrows();
    let mut sum = 0.0;
    for column in space.axis_iter(Axis(1)) {
        let mean = column.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64;
        sum += 2.0 * column.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n as f64;
    }
    sum
}

fn table(n: usize, gaps: bool) -> Table {
    let hole = |i: usize, d: u64| gaps && draws(d, n)[i] < 0.1;
    let levels = |seed: u64, k: usize| draws(seed, n).into_iter().map(move |x| (x * x * k as f64) as usize);
    let open = |seed| move |(i, value): (usize, String)| Some(value).filter(|_| !hole(i, seed));
    let tools =
        levels(4, 8).map(|k| ["pen", "ink", "pen;ink", "chalk;pen", "chalk", "ink;chalk", "pen;ink;chalk", ""][k]);
    Table::new(vec![
        Column::new("amount", Values::numbers(draws(1, n).into_iter().map(|x| (6.0 * x).exp()))),
        Column::new("city", Values::words(levels(2, 5).map(|k| format!("c{k}")).enumerate().map(open(12)))),
        Column::new(
            "mood",
            Values::words(
                levels(3, 4)
                    .map(|k| ["never", "rarely", "often", "always"][k])
                    .map(String::from)
                    .enumerate()
                    .map(open(13)),
            ),
        ),
        Column::new("tools", Values::words(tools.map(|t| Some(t).filter(|t| !t.is_empty())))),
        Column::new("paid", Values::flags(draws(5, n).into_iter().map(|x| Some(x < 0.3)))),
        Column::new("when", Values::dates(draws(6, n).into_iter().map(|x| 19_000.0 + 400.0 * x))),
    ])
    .unwrap()
}

#[test]
fn every_question_has_the_same_mean_distance() {
    let table = table(2000, false);
    for field in Schema::infer(&table).fields() {
        let mut field = field.clone();
        if field.kind == Kind::Date {
            field.cycles = vec![Cycle::Week];
        }
        let schema = Schema::new(vec![field.clone()]).unwrap();
        let rows = schema.encode(&table).unwrap();
        let space = Questions::new(Identity, &schema).space(&rows, &Run::new()).unwrap();
        // Rows without an answer are imputed.
        let (questions, near) = match field.name.as_str() {
            // Days of the week have nothing in common with the rest.
            "when" => (1.0, 1e-4),
            "tools" => (1.0, 0.2),
            _ => (1.0, 1e-4),
        };
        let found = mean_square(&space);
        assert!((found - questions).abs() < near, "{}: {found}", field.name);
        assert!(space.iter().all(|x| x.is_finite()));
    }
}
#[test]
fn a_rare_answer_is_not_torn_away() {
    let field = Field::new("flag", Kind::Flag).with_levels(["no", "yes"]);
    let schema = Schema::new(vec![field]).unwrap();
    let rows = Array2::from_shape_fn((1000, 1), |(i, _)| f32::from(u8::from(i == 7)));
    let space = Questions::new(Identity, &schema).space(&rows, &Run::new()).unwrap();
    let distance = space[[7, 0]] - space[[0, 0]];
    assert!((distance * distance - 20.0).abs() < 1e-3, "{distance}");
    let same = Questions::new(Identity, &schema).space(&Array2::ones((50, 1)), &Run::new()).unwrap();
    assert!(same.iter().all(|&x| x == 0.0));
}

#[test]
fn the_order_of_rows_and_the_number_of_threads_change_no_bit() {
    let table = table(700, true);
    let schema = Schema::infer(&table);
    let rows = schema.encode(&table).unwrap();
    let turned = rows.slice(s![..;-1, ..]).to_owned();
    let questions = Questions::new(Pca::new(2), &schema);
    let one = questions.space(&rows, &Run::new()).unwrap();
    let other = questions.space(&turned, &Run::new().threads(1)).unwrap();
    assert_eq!(one, other.slice(s![..;-1, ..]));
    assert!(one.iter().all(|x| x.is_finite()));
    assert!(questions.embed(&rows.slice(s![.., 1..]).to_owned(), &Run::new()).is_err());
}

#[test]
fn a_group_counts_once_however_many_questions_it_has() {
    let n = 600;
    let answers = |seed: u64| draws(seed, n).into_iter().map(|x| x * 10.0).collect::<Vec<_>>();
    // Five columns that say the same, and one that says something else.
    let mut columns: Vec<Column> = (0..5).map(|k| Column::new(format!("a{k}"), Values::numbers(answers(1)))).collect();
    columns.push(Column::new("b", Values::numbers(answers(2))));
    let table = Table::new(columns).unwrap();
    let mut fields = Schema::infer(&table).fields().to_vec();
    fields.iter_mut().for_each(|field| field.group = Some(field.name[..1].to_string()));
    let schema = Schema::new(fields).unwrap();
    let space = Questions::new(Identity, &schema).space(&schema.encode(&table).unwrap(), &Run::new()).unwrap();
    let (a, b) = (mean_square(&space.slice(s![.., ..5])), mean_square(&space.slice(s![.., 5..])));
    assert!((a - b).abs() < 0.02 * b, "{a} {b}");
}

#[test]
fn missing_answers_are_told_from_the_others() {
    let n = 800;
    let size: Vec<f64> = draws(9, n);
    let holes = draws(10, n);
    let column = |k: u64| {
        let own = draws(20 + k, n);
        let of = |i: usize| if k == 0 && holes[i] < 0.3 { f64::NAN } else { 10.0 * size[i] + own[i] };
        Column::new(format!("q{k}"), Values::numbers((0..n).map(of).collect::<Vec<_>>()))
    };
    let table = Table::new((0..6).map(column).collect()).unwrap();
    let schema = Schema::infer(&table);
    let space = Questions::new(Identity, &schema).space(&schema.encode(&table).unwrap(), &Run::new()).unwrap();
    // The imputed answers follow the size that the other questions show.
    let hidden: Vec<usize> = (0..n).filter(|&i| holes[i] < 0.3).collect();
    let worst = hidden.iter().map(|&i| (space[[i, 0]] - space[[i, 1]]).abs()).fold(0.0, f32::max);
    assert!(worst < 0.6, "{worst}");
}

#[test]
fn rare_levels_are_taken_together() {
    let n = 2000;
    // Two frequent levels, and 500 of which four rows each have one.
    let words = (0..n).map(|i| Some(if i % 2 == 0 { format!("a{}", i % 4) } else { format!("b{}", i / 4) }));
    let rank = |i: usize| (i % 4) as f64 + draws(3, n)[i];
    let table = Table::new(vec![
        Column::new("word", Values::words(words)),
        Column::new("rank", Values::numbers((0..n).map(rank).collect::<Vec<_>>())),
    ])
    .unwrap();
    let schema = Schema::infer(&table);
    assert_eq!(schema.field("word").unwrap().levels.len(), 255);
    let space = Questions::new(Identity, &schema).space(&schema.encode(&table).unwrap(), &Run::new()).unwrap();
    assert!(space.ncols() <= 4, "{}", space.ncols());
    assert!(space.iter().all(|x| x.is_finite()));
}
