//! Inputs to start from: a few sound ones for each target.

use super::models;
use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::io::Write;
use std::sync::Arc;

type Seeds = Vec<Vec<u8>>;

/// For each target its seeds.
pub fn seeds() -> Vec<(&'static str, Seeds)> {
    let (models, xgboost) = models::sound_files();
    vec![
        ("csv", csv()),
        ("parquet", parquet()),
        ("npy", npy()),
        ("idx", idx()),
        ("sparse_files", texts(&SPARSE)),
        ("models", models),
        ("xgboost_json", xgboost),
        ("settings", (0..14).map(|own| noise(&[own, own], 200)).collect()),
        ("pipeline", (0..8).map(|own| noise(&[own, 40, 4, 1, own], 400)).collect()),
        ("texts", texts(&TEXTS)),
    ]
}

fn texts(all: &[&str]) -> Seeds {
    all.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Bytes of no meaning, the same each time.
fn noise(start: &[u8], length: usize) -> Vec<u8> {
    let mut state = start.iter().fold(7u64, |state, &byte| state.wrapping_mul(31).wrapping_add(byte.into()));
    let mut bytes = start.to_vec();
    bytes.extend((0..length).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    }));
    bytes
}

fn csv() -> Seeds {
    let mut all = texts(&[
        "a,b\n1,2\n3,\n-4e2,5\n6,7\n",
        "id;name;day;ok;share\n007;\"x;y\";2024-02-29;true;2,5\n008;\"a\"\"b\nc\";1999-12-31;false;0,5\n",
        "word\tn\ttime\r\nyes\t1\t2024-01-01 12:00:00\r\nNA\tinf\t\r\n\u{e4}\t9007199254740993\tnull\r\n",
        "label\n1\n\n-1\n16777217\n",
        "\u{feff}day,tools,mood\n31.12.2020,pen|ink,often\n1.1.2021,ink,never\n2.1.2021,pen,always\n",
    ]);
    all.push(gzip(&all[0]));
    all
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn parquet() -> Seeds {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(vec![Some(1), None, Some(1 << 60)]))),
        ("x", Arc::new(Float64Array::from(vec![0.5, f64::INFINITY, f64::NAN]))),
        ("flag", Arc::new(BooleanArray::from(vec![true, false, true]))),
        ("day", Arc::new(Date32Array::from(vec![Some(19_782), None, Some(-1)]))),
        ("word", Arc::new(StringArray::from(vec![Some("a"), None, Some("b\nc")]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = |columns: &[usize], compression, rows| {
        let properties =
            WriterProperties::builder().set_compression(compression).set_max_row_group_row_count(Some(rows));
        let batch = batch.project(columns).unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.build())).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    };
    vec![
        file(&[0, 1, 2, 3, 4], Compression::UNCOMPRESSED, 9),
        file(&[1, 4], Compression::SNAPPY, 2),
        file(&[0], Compression::ZSTD(Default::default()), 9),
        file(&[4], Compression::GZIP(Default::default()), 9),
        file(&[3], Compression::LZ4_RAW, 9),
    ]
}

fn npy() -> Seeds {
    let file = |descr: &str, fortran: &str, shape: &str, data: &[u8]| {
        let head = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        [b"\x93NUMPY\x01\x00", &(head.len() as u16).to_le_bytes()[..], head.as_bytes(), data].concat()
    };
    vec![
        file("<f4", "False", "(4, 2)", &[7; 32]),
        file("|u1", "True", "(5, 3)", &[9; 15]),
        file(">f8", "False", "(1, 2)", &[0x40; 16]),
        file("<i8", "False", "(3,)", &[1; 24]),
        file("|u1", "False", "(2, 2, 3)", &[5; 12]),
        file("<f4", "False", "(1000000000000000, 2)", &[0; 8]),
        file("|u1", "False", "(1000000000000000, 0)", &[]),
    ]
}

fn idx() -> Seeds {
    let images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6].to_vec();
    let floats = [&[0, 0, 0x0d, 2, 0, 0, 0, 5, 0, 0, 0, 1][..], &[0x40; 20]].concat();
    let packed = gzip(&images);
    vec![
        images,
        vec![0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9],
        floats,
        packed,
        vec![0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255],
    ]
}

const SPARSE: [&str; 5] = [
    "%%MatrixMarket matrix coordinate real general\n% a comment\n3 4 3\n3 1 2.5\n1 4 -1\n1 2 1e0\n",
    "%%MatrixMarket matrix coordinate pattern general\n2 2 1\n2 2\n",
    "%%MatrixMarket matrix coordinate real general\n1000000000000000 2 1\n1 1 1\n",
    "1 qid:3 1:2 4:0.5 # one\n\n-1 2:1\n3\n",
    "0:2 3:1\n1:5\n",
];

const TEXTS: [&str; 5] = [
    "[[column]]\nname = \"n\"\nkind = \"number\"\nrole = \"feature\"\nscale = \"log\"\nweight = 2.0\n\n[[column]]\nname = \"d\"\n\
     kind = \"date\"\ncycles = [\"week\", \"year\"]\n",
    "[[column]]\nname = \"w\"\nkind = \"ordinal\"\nlevels = [\"low\", \"middle\", \"high\"]\nmissing = [\"2,5\"]\nblank = \"low\"\n\n\
     [[column]]\nname = \"a\"\nkind = \"answers\"\nseparator = \";\"\nquestion = \"q\"\ngroup = \"g\"\nrole = \"profile\"\n",
    "path,name,proposed,rows\n0,all,,30\n0.0,<b>,x,10\n0.1,\"a, b\",y,10\n",
    "path;name\n0.2;\u{e4}\n",
    "lang = ar\ndir = rtl\nnumber.decimal = ,\nnumber.thousands = \"\\_\"\nlist.between = \"; \"\nall_rows = *[row|Alle]* Zeilen\n\
     rows[one] = {n} Zeile\nrows[few] = {n} Zeilen\n  und mehr\nrows[other] = {n} \\{Zeilen\\}\n",
];
