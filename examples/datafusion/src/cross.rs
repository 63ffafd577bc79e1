//! Arrays of DataFusion's arrow as arrays of the library's, which is another version: the values are copied.

use arrow_array::{ArrayRef, BooleanArray, LargeStringArray, NullArray, make_array};
use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::{DataType as To, TimeUnit as ToUnit};
use datafusion::arrow::array::{Array, ArrayRef as FromRef, AsArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, exec_err};
use std::sync::Arc;

/// The same values; missing where they are, and where `nulls` of a struct around them says so.
pub(crate) fn crossed(array: &FromRef, nulls: Option<&NullBuffer>) -> Result<ArrayRef> {
    let nulls = NullBuffer::union(array.nulls(), nulls);
    let valid = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
    Ok(match array.data_type() {
        DataType::Null => Arc::new(NullArray::new(array.len())),
        DataType::Boolean => {
            let flags = array.as_boolean().values();
            let of = |row: usize| valid(row).then(|| flags.value(row));
            Arc::new((0..array.len()).map(of).collect::<BooleanArray>())
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
            let texts = cast(array, &DataType::LargeUtf8)?;
            let texts = texts.as_string::<i64>();
            let of = |row: usize| (valid(row) && texts.is_valid(row)).then(|| texts.value(row));
            Arc::new((0..array.len()).map(of).collect::<LargeStringArray>())
        }
        kind => {
            let Some(to) = fixed(kind) else {
                return exec_err!("values of the type {kind} cannot be read");
            };
            // Values of a fixed width are one run of bytes, which begins at the array's first row.
            let data = array.to_data();
            let width = kind.primitive_width().unwrap_or(0);
            let first = data.offset() * width;
            let bytes = &data.buffers()[0].as_slice()[first..first + array.len() * width];
            let bits = nulls.as_ref().map(|_| (0..array.len()).map(valid).collect::<BooleanArray>());
            let bits = bits.map(|bits| bits.values().inner().clone());
            let built = ArrayData::builder(to).len(array.len()).add_buffer(Buffer::from(bytes)).null_bit_buffer(bits);
            match built.build() {
                Ok(data) => make_array(data),
                Err(e) => return exec_err!("values of the type {kind}: {e}"),
            }
        }
    })
}

/// The library's name of a type of fixed width.
fn fixed(kind: &DataType) -> Option<To> {
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::Second => ToUnit::Second,
        TimeUnit::Millisecond => ToUnit::Millisecond,
        TimeUnit::Microsecond => ToUnit::Microsecond,
        TimeUnit::Nanosecond => ToUnit::Nanosecond,
    };
    Some(match kind {
        DataType::Int8 => To::Int8,
        DataType::Int16 => To::Int16,
        DataType::Int32 => To::Int32,
        DataType::Int64 => To::Int64,
        DataType::UInt8 => To::UInt8,
        DataType::UInt16 => To::UInt16,
        DataType::UInt32 => To::UInt32,
        DataType::UInt64 => To::UInt64,
        DataType::Float16 => To::Float16,
        DataType::Float32 => To::Float32,
        DataType::Float64 => To::Float64,
        DataType::Decimal32(digits, scale) => To::Decimal32(*digits, *scale),
        DataType::Decimal64(digits, scale) => To::Decimal64(*digits, *scale),
        DataType::Decimal128(digits, scale) => To::Decimal128(*digits, *scale),
        DataType::Decimal256(digits, scale) => To::Decimal256(*digits, *scale),
        DataType::Date32 => To::Date32,
        DataType::Date64 => To::Date64,
        DataType::Timestamp(of, zone) => To::Timestamp(unit(of), zone.clone()),
        _ => return None,
    })
}
