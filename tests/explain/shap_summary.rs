//! What an explanation says in short.

use ndarray::{Array1, Array2, Array3, Axis, array};
use recluster::Explanation;
use recluster::explain::{attribution_matrix, dependence, mean_absolute};

#[test]
fn the_partner_is_the_feature_that_the_attribution_turns_with() {
    // Attribution of column 0: its value, with the sign of column 2.
    let rows = Array2::from_shape_fn((400, 4), |(i, j)| match j {
        0 if i % 50 == 0 => f32::NAN,
        0 => (i * 37 % 101) as f32,
        _ => ((i * 7919 + j * 104_729 + i * i * j) % 97) as f32 - 48.0,
    });
    let of = |i: usize| if rows[[i, 0]].is_nan() { 0.0 } else { f64::from(rows[[i, 0]] * rows[[i, 2]].signum()) };
    let values = Array3::from_shape_fn((400, 4, 1), |(i, j, _)| if j == 0 { of(i) } else { 0.0 });
    let why = Explanation::new(values, Array1::zeros(1)).unwrap();
    let found = dependence(&rows, &why, 0, 0).unwrap();
    assert_eq!((found.partner, found.attributions.len()), (Some(2), 400));
    assert!(found.strength > 0.5 && found.strength <= 1.0, "{}", found.strength);
    assert!(found.values[0].is_nan());
    // In another order of the rows.
    let order: Vec<usize> = (0..400).map(|i| i * 7 % 400).collect();
    let turned = Explanation::new(why.values().select(Axis(0), &order), Array1::zeros(1)).unwrap();
    let again = dependence(&rows.select(Axis(0), &order), &turned, 0, 0).unwrap();
    assert_eq!((again.partner, again.strength.to_bits()), (found.partner, found.strength.to_bits()));
    // Nothing to explain, nobody explains it.
    let none = dependence(&rows, &why, 0, 1).unwrap();
    assert_eq!((none.partner, none.strength), (None, 0.0));
    assert!(dependence(&rows, &why, 1, 0).is_err() && dependence(&rows, &why, 0, 4).is_err());
    assert!(dependence(&rows.slice(ndarray::s![..3, ..]), &why, 0, 0).is_err());
}

#[test]
fn attributions_stand_side_by_side() {
    let why = Explanation::new(array![[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 1e300]]], Array1::zeros(2)).unwrap();
    assert_eq!(attribution_matrix(&why, Some(0)).unwrap(), array![[1.0f32, 3.0], [5.0, 7.0]]);
    assert_eq!(attribution_matrix(&why, None).unwrap(), array![[1.0f32, 3.0, 2.0, 4.0], [5.0, 7.0, 6.0, f32::MAX]]);
    assert!(attribution_matrix(&why, Some(2)).is_err());
}

#[test]
fn mean_sizes_do_not_depend_on_the_order_of_rows() {
    let rows = Array2::from_shape_fn((50, 3), |(i, j)| ((i * 31 + j * 17) % 53) as f32);
    let values = Array3::from_shape_fn((50, 3, 2), |(i, j, o)| ((i * 37 + j * 11 + o * 7) % 19) as f64 / 7.0 - 1.0);
    let why = Explanation::new(values, Array1::zeros(2)).unwrap();
    let order: Vec<usize> = (0..50).map(|i| i * 7 % 50).collect();
    let turned = Explanation::new(why.values().select(Axis(0), &order), Array1::zeros(2)).unwrap();
    let found = mean_absolute(&rows, &why).unwrap();
    assert_eq!(mean_absolute(&rows.select(Axis(0), &order), &turned).unwrap(), found);
    let plain = why.values().mapv(f64::abs).mean_axis(Axis(0)).unwrap();
    assert!((&plain - &found).iter().all(|gap| gap.abs() < 1e-12));
    assert!(mean_absolute(&rows.slice(ndarray::s![..9, ..]), &why).is_err());
}
