use super::*;
use crate::table::{Kind, Schema, Values};
use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::Compression;
use ::parquet::file::properties::WriterProperties;
use arrow_array::*;
use std::io::Write;
use tempfile::NamedTempFile;

fn file(bytes: impl AsRef<[u8]>) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes.as_ref()).unwrap();
    file
}

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}

fn typed(path: &str, rows: Option<usize>) -> Result<FileRows> {
    let file = TableFile::open(path)?;
    rows.map_or_else(|| file.read(), |rows| file.head(rows))
}

fn blocks(path: &str, rows: usize, each: impl FnMut(FileRows) -> Result<()>) -> Result<()> {
    TableFile::open(path)?.blocks(rows, each)
}

fn has_names(path: &str) -> bool {
    TableFile::open(path).unwrap().has_names().unwrap()
}

fn read(text: impl AsRef<[u8]>) -> FileRows {
    typed(path(&file(text)), None).unwrap()
}

/// The error, without the file's name.
fn why(text: impl AsRef<[u8]>) -> String {
    let file = file(text);
    let failure = typed(path(&file), None).unwrap_err().to_string();
    failure.strip_prefix(&format!("{}: ", path(&file))).expect("the file's name").to_string()
}

fn values<'t>(typed: &'t FileRows, name: &str) -> &'t Values {
    typed.table.column(name).unwrap().values()
}

/// Whether values are the same, NaN equal to NaN.
fn same(a: &Values, b: &Values) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

fn names(typed: &FileRows) -> Vec<&str> {
    typed.table.columns().iter().map(|column| column.name()).collect()
}

#[test]
fn columns_get_their_types() {
    let found = read(
        "n,x,flag,day,time,word,none\n1,1.5,true,2024-02-29,2024-02-29 12:00:00,a,\n-2,+2,FALSE,1969-12-31,1970-01-01T06:00:00.5Z,b c,NA\n",
    );
    assert_eq!(values(&found, "n"), &Values::numbers([1.0, -2.0]));
    assert_eq!(values(&found, "x"), &Values::numbers([1.5, 2.0]));
    assert_eq!(values(&found, "flag"), &Values::flags([Some(true), Some(false)]));
    assert_eq!(values(&found, "day"), &Values::dates([19_782.0, -1.0]));
    assert_eq!(values(&found, "time"), &Values::dates([19_782.5, (6.0 * 3600.0 + 0.5) / 86_400.0]));
    assert_eq!(values(&found, "word"), &Values::words([Some("a"), Some("b c")]));
    assert!(values(&found, "none").is_missing(0) && values(&found, "none").is_missing(1));
    assert!(found.notes.is_empty());
}

#[test]
fn decimal_commas_between_semicolons() {
    let found = read("name;price\r\nx, y;1,5\r\nz;2,25\r\n");
    assert_eq!(values(&found, "name"), &Values::words([Some("x, y"), Some("z")]));
    let schema = Schema::infer(&found.table);
    let price = schema.field("price").unwrap();
    assert!(price.decimal_comma && price.levels == ["1.5", "2.25"], "{price:?}");
    assert_eq!(names(&read("\u{feff}a\tb\n1\t2\n")), ["a", "b"]);
}

#[test]
fn quotes_hold_line_breaks_and_delimiters() {
    let file = file("\u{feff}\"a, b\",\" c \"\n\"x\ny, \"\"z\"\"\",1\n\n \n  w , 2\n");
    let found = typed(path(&file), None).unwrap();
    assert_eq!(names(&found), ["a, b", "c"]);
    assert_eq!(values(&found, "a, b"), &Values::words([Some("x\ny, \"z\""), Some("w")]));
    assert_eq!(values(&found, "c"), &Values::numbers([1.0, 2.0]));
    assert_eq!((found.line(0), found.line(1), found.line(2)), (Some(2), Some(6), None));
}

#[test]
fn blanks_and_words_for_nothing_are_missing() {
    let cells = ["", " ", "NA", "N/A", "#N/A", "n/a", "NaN", "nan", "null", "NULL", " Null "];
    let text: String = cells.iter().map(|cell| format!("{cell},1\n")).collect();
    let found = read(format!("x,y\n4,1\n{text}"));
    assert!(matches!(values(&found, "x"), Values::Numbers(_)));
    assert!((1..=cells.len()).all(|row| values(&found, "x").is_missing(row)));
    let found = read("x,y\nNone,?\nnone,3\nNA,4\n");
    assert_eq!(values(&found, "x"), &Values::words([Some("None"), Some("none"), None]));
    assert_eq!(values(&found, "y"), &Values::words([Some("?"), Some("3"), Some("4")]));
}

#[test]
fn an_empty_line_of_one_column_is_a_missing_value() {
    let found = read("a\n1\n\n3\n\n");
    assert!(same(values(&found, "a"), &Values::numbers([1.0, f64::NAN, 3.0, f64::NAN])));
    let file = file("a\nx y\n\n\"z\"\n");
    let found = typed(path(&file), None).unwrap();
    assert_eq!(values(&found, "a"), &Values::words([Some("x y"), None, Some("z")]));
    assert_eq!(found.line(2), Some(4));
}

#[test]
fn infinite_numbers_are_missing_and_told() {
    let found = read("x,id,word,none\n1.5,3,inf,inf\ninf,-Infinity,a,\n1e999,4,b,\n+INF,5,c,\n");
    assert!(same(values(&found, "x"), &Values::numbers([1.5, f64::NAN, f64::NAN, f64::NAN])));
    assert!(same(values(&found, "id"), &Values::numbers([3.0, f64::NAN, 4.0, 5.0])));
    assert_eq!(values(&found, "word").text(0).as_deref(), Some("inf"));
    assert!((0..4).all(|row| values(&found, "none").is_missing(row)));
    let x = "column \"x\": 3 infinite numbers count as missing, the first in line 3";
    let id = "column \"id\": the infinite number in line 3 counts as missing";
    let none = "column \"none\": the infinite number in line 2 counts as missing";
    assert_eq!(found.notes, [x, id, none]);
}

#[test]
fn ids_and_codes_stay_as_they_are() {
    let found = read("id,zip,big,day\n9007199254740993,00123,1,2024-02-30\n12,45678,18446744073709551615,2024-02-28\n");
    assert_eq!(values(&found, "id").text(0).as_deref(), Some("9007199254740993"));
    assert_eq!(values(&found, "id").text(1).as_deref(), Some("12"));
    assert_eq!(values(&found, "zip"), &Values::words([Some("00123"), Some("45678")]));
    assert_eq!(values(&found, "big").text(1).as_deref(), Some("18446744073709551615"));
    // There is no 30th of February.
    assert_eq!(values(&found, "day"), &Values::words([Some("2024-02-30"), Some("2024-02-28")]));
    assert_eq!(values(&read("x,y\n0,0.5\n7,00.5\n"), "x"), &Values::numbers([0.0, 7.0]));
}

#[test]
fn whatever_looks_like_a_number_or_a_date_is_read() {
    for cell in [
        "+5",
        "-0",
        "1.",
        ".5",
        "-.5e-3",
        "1.e5",
        "1E5",
        "+1.5",
        "0e0",
        "1e-999",
        "99999999999999999999",
        "-",
        ".",
        "+",
        "1-2",
        "--1",
        "1e",
        "2024-13-01",
        "0000-01-01",
        "2024-01-01T25:00:00",
        "2024-01-01 00:00:00 x",
        "1500-01-01 00:00:00",
        "2024-01-01 00:00:00.123456789",
        "9999-12-31",
        "2024-01-01 00:00",
        "2024-01-01T00:00:00+02:00",
        "12:30",
        "१२",
        "00:00:00",
        "1_000",
        "1,000",
        "0x1F",
        "１２",
    ] {
        let found = read(format!("x;y\n{cell};1\n7;1\n2024-05-05 01:00:00.1234567;1\n"));
        assert_eq!(found.table.rows(), 3, "{cell}");
        for other in ["7", "1.5", "2024-05-05", "2024-05-05 01:00:00.1234567"] {
            let found = read(format!("x;y\n{cell};1\n{other};1\n"));
            assert!(!values(&found, "x").is_missing(0), "{cell}");
            let day = values(&found, "x").text(1).unwrap();
            assert!(other.starts_with(day.as_ref()) || day.starts_with(&other[..4]), "{cell}, {other}: {day}");
        }
    }
}

#[test]
fn header_names_are_trimmed_and_completed() {
    assert_eq!(names(&read(" a ,,\"\"\n1,2,3\n")), ["a", "unnamed: 2", "unnamed: 3"]);
    assert_eq!(why("a,b,a\n1,2,3\n"), "columns do not match: more than once \"a\"");
    assert_eq!(read("a,b\n").table.rows(), 0);
    assert_eq!(why("\n\n"), "has no header line");
    assert_eq!(why(""), "the file is empty");
    let lost = |line| {
        format!("line {line}: a cell begins with a quote that is never closed, so the rest of the file is in it")
    };
    assert_eq!(why("a,b\n1,x\n2,\"y\n3,z\n4,z\n"), lost(3));
    assert_eq!(why("a\nx\n\"y\nz\n"), lost(3));
}

#[test]
fn what_is_malformed_is_named_by_line() {
    assert_eq!(why("a,b\n1,2\n3\n"), "line 3 has 1 cells, the header line has 2");
    assert_eq!(why("a,b\r\n\"1\r\n\",2\r\n\r\n3,4,5\r\n"), "line 5 has 3 cells, the header line has 2");
    assert!(why(b"a,b\n1,2\n3,\xe9t\xe9\n").starts_with("line 3, column \"b\": not text in UTF-8"));
    assert!(why(b"a,\xe9\n1,2\n").starts_with("the header line is not text in UTF-8"));
    assert!(why(b"\xff\xfea\0,\0b\0\n\0").contains("UTF-16"));
    assert!(why(b"a\0,\0b\0\n\0").contains("neither text in UTF-8 nor Parquet"));
    assert!(why(b"\x93NUMPY\x01\0").contains("array of numbers"));
    assert!(typed("no such file", None).unwrap_err().to_string().starts_with("no such file: "));
}

#[test]
fn rows_and_blocks() {
    let mut text = String::from("id,word,x\n");
    for row in 0..1000 {
        text += &format!("{row},\"w\n{}\",{}\n", row % 7, if row == 999 { "a" } else { "1" });
    }
    let file = file(&text);
    let all = typed(path(&file), None).unwrap();
    assert_eq!((all.table.rows(), all.line(999)), (1000, Some(2000)));
    let some = typed(path(&file), Some(10)).unwrap();
    assert_eq!(some.table.rows(), 10);
    // The column of the first rows is numbers, that of all rows is texts, also in blocks.
    assert!(matches!(values(&some, "x"), Values::Numbers(_)) && matches!(values(&all, "x"), Values::Words(_)));
    for size in [1, 300, 500, 1000, 5000] {
        let mut seen = 0;
        blocks(path(&file), size, |block| {
            assert_eq!(block.first, seen);
            assert!(block.table.rows() > 0 && block.table.rows() <= size);
            for (column, whole) in block.table.columns().iter().zip(all.table.columns()) {
                let row = block.table.rows() - 1;
                assert_eq!(column.values().text(row), whole.values().text(seen + row));
            }
            assert!(matches!(values(&block, "x"), Values::Words(_)));
            assert_eq!(block.line(0), all.line(seen));
            seen += block.table.rows();
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, 1000);
    }
    let stop = blocks(path(&file), 10, |_| Err(Error::Plugin("enough".into())));
    assert_eq!(stop.unwrap_err().to_string(), "enough");
}

#[test]
fn many_rows_come_in_batches() {
    // Numbers beyond 2^53 and new words after the first batch.
    let rows = 150_000;
    let text: String = (0..rows).map(|row| format!("{},w{}\n", (row as i64) << 37, row / 50_000)).collect();
    let found = read(format!("n,w\n{text}"));
    assert_eq!(values(&found, "n"), &Values::integers((0..rows).map(|row| Some((row as i64) << 37))));
    assert_eq!(values(&found, "w"), &Values::words((0..rows).map(|row| Some(format!("w{}", row / 50_000)))));
    let mut count = 0;
    blocks(path(&file(format!("n,w\n{text}"))), 70_000, |block| {
        count += block.table.rows();
        Ok(())
    })
    .unwrap();
    assert_eq!(count, rows);
}

#[test]
fn gzip_is_decompressed() {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(b"a,b\n1,x\n").unwrap();
    let found = read(writer.finish().unwrap());
    assert_eq!(values(&found, "b"), &Values::words([Some("x")]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_is_read_once() {
    use std::os::fd::AsRawFd;
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"a,b\n1,x\n").unwrap();
    drop(writer);
    let source = format!("/proc/self/fd/{}", reader.as_raw_fd());
    let file = TableFile::open(&source).unwrap();
    assert!(file.has_names().unwrap());
    assert_eq!(file.read().unwrap().table.rows(), 1);
}

#[test]
fn errors_name_file_and_line() {
    let file = file("n,m\n1,x\n\"a\n\",y\n");
    let found = typed(path(&file), None).unwrap();
    let cell = |row| Error::Cell { column: "n".into(), row, value: "a".into(), reason: "not a number" };
    let about = found.error(cell(1)).to_string();
    assert_eq!(about, format!("{}: line 3, column \"n\": \"a\" is not a number", path(&file)));
    let kinds = Error::Kinds { column: "n".into(), reason: "no levels".into() };
    assert_eq!(found.error(kinds).to_string(), format!("{}: column \"n\": no levels", path(&file)));
    blocks(path(&file), 1, |block| {
        let line = if block.first == 0 { "line 2," } else { "line 3," };
        assert!(block.error(cell(0)).to_string().contains(line));
        Ok(())
    })
    .unwrap();
}

fn parquet_of(batch: &RecordBatch, compression: Compression) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    let properties =
        WriterProperties::builder().set_compression(compression).set_max_row_group_row_count(Some(2)).build();
    let mut writer = ArrowWriter::try_new(file.reopen().unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    file
}

#[test]
fn parquet_and_text_of_the_same_rows_are_one_table() {
    let text = "id,x,flag,day,time,word\n1,0.5,true,2024-02-29,2024-02-29 12:00:00,a\n,,,,,\n9007199254740993,-2,false,1969-12-31,1970-01-01 00:00:01,\"b\nc\"\n7,1e300,true,2000-01-01,2000-01-01 00:00:00,a\n8,0,false,2000-01-01,2000-01-01 00:00:00,d\n";
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(vec![Some(1), None, Some(9_007_199_254_740_993), Some(7), Some(8)]))),
        ("x", Arc::new(Float64Array::from(vec![Some(0.5), None, Some(-2.0), Some(1e300), Some(0.0)]))),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true), Some(false)]))),
        ("day", Arc::new(Date32Array::from(vec![Some(19_782), None, Some(-1), Some(10_957), Some(10_957)]))),
        (
            "time",
            Arc::new(TimestampMillisecondArray::from(vec![
                Some(1_709_208_000_000),
                None,
                Some(1000),
                Some(946_684_800_000),
                Some(946_684_800_000),
            ])),
        ),
        ("word", Arc::new(StringArray::from(vec![Some("a"), None, Some("b\nc"), Some("a"), Some("d")]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let from_text = read(text);
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::ZSTD(Default::default()),
        Compression::LZ4_RAW,
    ] {
        let file = parquet_of(&batch, compression);
        assert!(has_names(path(&file)));
        let found = typed(path(&file), None).unwrap();
        assert_eq!(names(&found), names(&from_text));
        for name in names(&found) {
            assert!(same(values(&found, name), values(&from_text, name)), "{name}");
        }
        assert_eq!(typed(path(&file), Some(3)).unwrap().table.rows(), 3);
    }
    // All pieces of the record batches make the same table.
    let table = Table::from_record_batches(&[batch.slice(0, 1), batch.slice(1, 2), batch.slice(3, 2)]).unwrap();
    assert!(table.columns().iter().all(|column| same(column.values(), values(&from_text, column.name()))));
}

/// The Parquet library panics on some of these files, which is told as an error of the file.
#[test]
fn a_parquet_file_may_be_wrong_at_every_byte() {
    let x: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), None, Some(3.0)]));
    let word: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("b")]));
    let batch = RecordBatch::try_from_iter([("x", x), ("word", word)]).unwrap();
    let whole = std::fs::read(path(&parquet_of(&batch, Compression::UNCOMPRESSED))).unwrap();
    let (mut refused, mut damaged) = (0, 0);
    for at in 4..whole.len() {
        for wrong in [0, 0xff, whole[at] ^ 0x80, whole[at].wrapping_add(1), whole[at].wrapping_sub(1)] {
            let mut bytes = whole.clone();
            bytes[at] = wrong;
            let file = file(&bytes);
            if let Err(failure) = typed(path(&file), None) {
                assert!(failure.to_string().starts_with(path(&file)), "{failure}");
                refused += 1;
                damaged += usize::from(failure.to_string().contains("is damaged: "));
            }
        }
    }
    assert!(refused > whole.len() / 2 && damaged > 0, "{refused} {damaged} of {}", whole.len());
}

#[test]
fn parquet_rows_are_named_and_infinite_numbers_told() {
    let x: ArrayRef = Arc::new(Float32Array::from(vec![1.0, 2.0, f32::INFINITY, f32::NEG_INFINITY, 5.0]));
    let list: ArrayRef = Arc::new(BinaryArray::from(vec![&b"x"[..]; 5]));
    let batch = RecordBatch::try_from_iter([("x", x), ("raw", list)]).unwrap();
    let file = parquet_of(&batch.project(&[0]).unwrap(), Compression::SNAPPY);
    let found = typed(path(&file), None).unwrap();
    assert!(same(values(&found, "x"), &Values::numbers([1.0, 2.0, f64::NAN, f64::NAN, 5.0])));
    let note = "column \"x\": 2 infinite numbers count as missing, the first in row 2 (counted from 0)";
    assert_eq!(found.notes, [note]);
    let cell = Error::Cell { column: "x".into(), row: 4, value: "a".into(), reason: "not a number" };
    assert!(found.error(cell).to_string().contains(": row 4 (counted from 0), column \"x\""));
    let mut rows = Vec::new();
    blocks(path(&file), 2, |block| {
        rows.push((block.first, block.table.rows()));
        Ok(())
    })
    .unwrap();
    assert_eq!(rows, [(0, 2), (2, 2), (4, 1)]);
    let file = parquet_of(&batch, Compression::SNAPPY);
    let failure = typed(path(&file), None).unwrap_err().to_string();
    assert!(failure.contains("column \"raw\": values of the type Binary cannot be read"), "{failure}");
    assert!(typed(path(&self::file("PAR1 and no more")), None).is_err());
}

#[test]
fn a_table_of_every_kind_is_inferred() {
    let rows: String = (0..30)
        .map(|i| format!("{i}-x;{};{};{}\n", i % 3, ["low", "medium", "high"][i % 3], ["2024-01-05", "NA"][i % 2]))
        .collect();
    let found = read(format!("id;visits;level;since\n{rows}"));
    let schema = Schema::infer(&found.table);
    let kind = |name: &str| schema.field(name).unwrap().kind;
    assert_eq!((kind("visits"), kind("level")), (Kind::Ordinal, Kind::Ordinal));
    assert_eq!(schema.field("level").unwrap().levels, ["low", "medium", "high"]);
}
