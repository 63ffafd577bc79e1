use super::*;
use arrow_array::types::Int8Type;
use arrow_array::*;
use std::sync::Arc;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn values(array: impl Array + 'static) -> Values {
    let table = Table::from_record_batches(&[batch(vec![("x", Arc::new(array))])]).unwrap();
    table.columns()[0].values().clone()
}

/// Whether values are the same, NaN equal to NaN.
fn same(a: &Values, b: &Values) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

#[test]
fn numbers_of_every_width_are_read() {
    let want = Values::numbers([1.0, f64::NAN, 3.0]);
    macro_rules! check {
        ($($array:ident),*) => {$(assert!(same(&values($array::from(vec![Some(1 as _), None, Some(3 as _)])), &want));)*};
    }
    check!(Int8Array, Int16Array, Int32Array, Int64Array, UInt8Array, UInt16Array, UInt32Array, UInt64Array);
    check!(Float32Array, Float64Array);
    let zeros = Float16Array::from_iter_values([Default::default(); 2]);
    assert_eq!(values(zeros), Values::numbers([0.0, 0.0]));
    let narrow = Decimal128Array::from(vec![10, -12_345]).with_precision_and_scale(10, 2).unwrap();
    assert_eq!(values(narrow), Values::numbers([0.1, -123.45]));
    let wide = Decimal128Array::from(vec![123_456_789_012_345_678_901]).with_precision_and_scale(38, 20).unwrap();
    assert_eq!(values(wide), Values::numbers([1.234_567_890_123_456_8]));
    let whole = Decimal128Array::from(vec![12]).with_precision_and_scale(5, -3).unwrap();
    assert_eq!(values(whole), Values::numbers([12_000.0]));
    let widest = Decimal256Array::from_iter_values([5.into()]).with_precision_and_scale(76, 1).unwrap();
    assert_eq!(values(widest), Values::numbers([0.5]));
}

#[test]
fn whole_numbers_stay_exact_from_batch_to_batch() {
    let of = |numbers: Vec<Option<i64>>| batch(vec![("id", Arc::new(Int64Array::from(numbers)) as ArrayRef)]);
    let large = i64::MAX;
    let numbers = [Some(1), None, Some(large), Some(-7), None];
    let parts = [of(numbers[..2].to_vec()), of(numbers[2..3].to_vec()), of(numbers[3..].to_vec())];
    let table = Table::from_record_batches(&parts).unwrap();
    assert_eq!(table.columns()[0].values(), &Values::integers(numbers));
    assert_eq!(values(UInt64Array::from(vec![u64::MAX])).text(0).as_deref(), Some("18446744073709551615"));
}

#[test]
fn dates_are_days() {
    let day = 19_782;
    let want = Values::dates([19_782.5]);
    assert_eq!(values(Date32Array::from(vec![day])), Values::dates([19_782.0]));
    let seconds = i64::from(day) * 86_400 + 43_200;
    assert_eq!(values(Date64Array::from(vec![seconds * 1000])), want);
    assert_eq!(values(TimestampSecondArray::from(vec![seconds])), want);
    assert_eq!(values(TimestampMillisecondArray::from(vec![seconds * 1000]).with_timezone("+05:00")), want);
    assert_eq!(values(TimestampMicrosecondArray::from(vec![seconds * 1_000_000])), want);
    assert_eq!(values(TimestampNanosecondArray::from(vec![seconds * 1_000_000_000])), want);
}

#[test]
fn texts_are_read_however_they_are_kept() {
    let texts = vec![Some("b"), None, Some("a"), Some("b")];
    let want = Values::words(texts.clone());
    assert_eq!(values(StringArray::from(texts.clone())), want);
    assert_eq!(values(LargeStringArray::from(texts.clone())), want);
    assert_eq!(values(StringViewArray::from(texts.clone())), want);
    assert_eq!(values(texts.iter().copied().collect::<DictionaryArray<Int8Type>>()), want);
    // A dictionary in another order, with a text that no row has, and a missing one.
    let keys = Int8Array::from(vec![Some(2), Some(3), Some(0), Some(2)]);
    let dictionary = StringArray::from(vec![Some("a"), Some("c"), Some("b"), None]);
    assert_eq!(values(DictionaryArray::new(keys, Arc::new(dictionary))), want);
    let empty =
        DictionaryArray::new(Int8Array::from(vec![None, None]), Arc::new(StringArray::from(Vec::<&str>::new())));
    assert_eq!(values(empty), Values::words([None::<&str>, None]));
}

#[test]
fn pieces_make_the_same_table() {
    let columns = || -> Vec<(&str, ArrayRef)> {
        vec![
            ("flag", Arc::new(BooleanArray::from(vec![None, Some(true), Some(false), Some(true), None]))),
            ("word", Arc::new(StringArray::from(vec![Some("x"), Some("y"), None, Some("z"), Some("y")]))),
            ("none", Arc::new(NullArray::new(5))),
            ("number", Arc::new(Float32Array::from(vec![1.5, 2.0, 3.0, 4.0, 5.0]))),
        ]
    };
    let all = batch(columns());
    let whole = Table::from_record_batches(std::slice::from_ref(&all)).unwrap();
    assert!((0..5).all(|row| whole.column("none").unwrap().values().is_missing(row)));
    assert_eq!(whole.column("flag").unwrap().values().text(2).as_deref(), Some("no"));
    for cut in 0..=5 {
        // The second piece has its columns in another order.
        let second = all.slice(cut, 5 - cut).project(&[3, 1, 0, 2]).unwrap();
        let pieces = Table::from_record_batches(&[all.slice(0, cut), second]).unwrap();
        assert_eq!(format!("{pieces:?}"), format!("{whole:?}"));
    }
}

#[test]
fn a_column_may_be_unknown_until_it_has_values() {
    let none = batch(vec![("x", Arc::new(NullArray::new(1)) as ArrayRef)]);
    for array in [
        Arc::new(StringArray::from(vec!["a"])) as ArrayRef,
        Arc::new(Int8Array::from(vec![1])),
        Arc::new(Float64Array::from(vec![1.0])),
        Arc::new(BooleanArray::from(vec![true])),
        Arc::new(Date32Array::from(vec![1])),
    ] {
        let some = batch(vec![("x", array)]);
        let table = Table::from_record_batches(&[none.clone(), some, none.clone()]).unwrap();
        let missing: Vec<bool> = (0..3).map(|row| table.columns()[0].values().is_missing(row)).collect();
        assert_eq!(missing, [true, false, true]);
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let why = |batches: &[RecordBatch]| Table::from_record_batches(batches).unwrap_err().to_string();
    let binary = batch(vec![("raw", Arc::new(BinaryArray::from(vec![&b"x"[..]])) as ArrayRef)]);
    assert_eq!(why(&[binary]), "column \"raw\": values of the type Binary cannot be read");
    let one = |name, array: ArrayRef| batch(vec![(name, array)]);
    let words = one("x", Arc::new(StringArray::from(vec!["a"])));
    let numbers = one("x", Arc::new(Int8Array::from(vec![1])));
    assert_eq!(why(&[words.clone(), numbers]), "column \"x\": its type changes to Int8 from one batch to the next");
    let other = one("y", Arc::new(StringArray::from(vec!["a"])));
    assert!(matches!(Table::from_record_batches(&[words, other]), Err(Error::Columns { .. })));
    assert!(matches!(Table::from_record_batches(&[]), Err(Error::Empty { .. })));
}
