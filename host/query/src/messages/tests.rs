//! Random files, deletes and filters against a model that keeps every row in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::scalar::ScalarValue;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::*;
use crate::lake::Bounds;

/// A row that is left: number, text, moment, and a column that older files lack.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
struct Row {
    number: i64,
    text: Option<String>,
    at: i64,
    late: Option<i64>,
}

/// A small generator: the same numbers every time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn schema(has_late: bool) -> SchemaRef {
    let mut fields = vec![
        Field::new("number", DataType::Int64, false),
        Field::new("text", DataType::Utf8, true),
        Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())), false),
    ];
    if has_late {
        fields.push(Field::new("late", DataType::Int64, true));
    }
    Arc::new(Schema::new(fields))
}

/// Writes one file, and returns it with the rows that are left in it.
fn file(dir: &Path, index: u64, random: &mut Random) -> (DataFile, Vec<Row>) {
    let count = 1 + random.below(400) as i64;
    let first = random.below(500) as i64;
    let has_late = random.below(2) == 0;
    let rows: Vec<Row> = (first..first + count)
        .map(|number| Row {
            number,
            text: (random.below(5) > 0).then(|| format!("t{}", random.below(20))),
            at: number * 1_000_000,
            late: (has_late && random.below(3) > 0).then(|| random.below(50) as i64),
        })
        .collect();

    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.number).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.text.clone()).collect::<StringArray>()),
        Arc::new(
            TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.at))
                .with_timezone("+00:00"),
        ),
    ];
    if has_late {
        columns.push(Arc::new(rows.iter().map(|row| row.late).collect::<Int64Array>()));
    }
    let path = dir.join(format!("{index}.parquet"));
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(130))
        .set_data_page_row_count_limit(16)
        .set_write_batch_size(16)
        .build();
    let batch = RecordBatch::try_new(schema(has_late), columns).unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create_new(&path).unwrap(), batch.schema(), Some(properties))
            .unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();

    let deleted: Vec<u64> = match random.below(5) {
        0 | 1 => vec![],
        2 => (0..count as u64).filter(|_| random.below(10) == 0).collect(),
        3 => (0..count as u64).filter(|position| *position < 130).collect(),
        _ => (0..count as u64).filter(|_| random.below(10) > 0).collect(),
    };
    let left: Vec<Row> = (0u64..)
        .zip(&rows)
        .filter(|(position, _)| !deleted.contains(position))
        .map(|(_, row)| row.clone())
        .collect();
    let nulls = |of: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| of(row)).count() as u64;
    let bounds = BTreeMap::from([(
        "number".to_owned(),
        Bounds {
            lower: Some(ScalarValue::Int64(Some(first))),
            upper: Some(ScalarValue::Int64(Some(first + count - 1))),
        },
    )]);
    let size = std::fs::metadata(&path).unwrap().len();
    let nulls = BTreeMap::from([
        ("number".to_owned(), 0),
        ("text".to_owned(), nulls(&|row| row.text.is_none())),
        ("late".to_owned(), nulls(&|row| row.late.is_none())),
    ]);
    (DataFile { path, size, rows: count as u64, deleted, bounds, nulls }, left)
}

fn context(files: Vec<DataFile>, partitions: usize, pushdown: bool) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(partitions);
    config.options_mut().execution.parquet.pushdown_filters = pushdown;
    config.options_mut().optimizer.repartition_file_min_size = 1024;
    let context = SessionContext::new_with_config(config);
    let table = FileTable::new(Files { schema: schema(true), files, lease: Lease::default() });
    context.register_table("lake", Arc::new(table)).unwrap();
    context
}

/// Returns the numbers that a query gives, sorted.
async fn numbers(context: &SessionContext, sql: &str) -> Vec<i64> {
    let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
    let columns = batches.iter().flat_map(|batch| {
        let column = batch.column(0).as_any().downcast_ref::<Int64Array>();
        column.unwrap().iter().flatten().collect::<Vec<_>>()
    });
    let mut numbers: Vec<i64> = columns.collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test]
async fn any_files_deletes_and_filters_agree_with_a_model() {
    let mut random = Random(7);
    for table in 0..12 {
        let dir = tempfile::tempdir().unwrap();
        let (files, rows): (Vec<_>, Vec<_>) =
            (0..1 + random.below(7)).map(|index| file(dir.path(), index, &mut random)).unzip();
        let rows: Vec<Row> = rows.into_iter().flatten().collect();

        for (partitions, pushdown) in [(1, false), (2, true), (7, true)] {
            let context = context(files.clone(), partitions, pushdown);
            let model = |keep: &dyn Fn(&Row) -> bool| -> Vec<i64> {
                let mut kept: Vec<i64> =
                    rows.iter().filter(|row| keep(row)).map(|row| row.number).collect();
                kept.sort_unstable();
                kept
            };
            let (low, text) = (random.below(900) as i64, format!("t{}", random.below(20)));
            let high = low + random.below(300) as i64;
            let at = format!("1970-01-01T00:{:02}:00Z", random.below(15));
            let minute = at[14..16].parse::<i64>().unwrap() * 60_000_000;
            #[rustfmt::skip]
            let cases: Vec<(String, Vec<i64>)> = vec![
                ("true".into(), model(&|_| true)),
                (format!("number between {low} and {high}"), model(&|r| r.number >= low && r.number <= high)),
                (format!("number = {low}"), model(&|r| r.number == low)),
                (format!("text = '{text}'"), model(&|r| r.text.as_deref() == Some(&text))),
                ("text is null".into(), model(&|r| r.text.is_none())),
                ("late is null".into(), model(&|r| r.late.is_none())),
                ("late < 20".into(), model(&|r| r.late.is_some_and(|late| late < 20))),
                (format!("at < timestamp '{at}'"), model(&|r| r.at < minute)),
                (format!("number > {high} and text like 't1%'"),
                    model(&|r| r.number > high && r.text.as_ref().is_some_and(|t| t.starts_with("t1")))),
            ];
            for (filter, expect) in cases {
                let sql = format!("select number from lake where {filter}");
                let label = format!("table {table}, {partitions} partitions: {filter}");
                assert_eq!(numbers(&context, &sql).await, expect, "{label}");
                let sql = format!("select count(*) from lake where {filter}");
                assert_eq!(numbers(&context, &sql).await, [expect.len() as i64], "{label}");
            }

            let late = rows.iter().filter(|row| row.late.is_some()).count() as i64;
            assert_eq!(numbers(&context, "select count(late) from lake").await, [late]);
            let extremes: Vec<i64> = model(&|_| true)
                .first()
                .into_iter()
                .chain(model(&|_| true).last())
                .copied()
                .collect();
            let sql = "select min(number) from lake union all select max(number) from lake";
            assert_eq!(numbers(&context, sql).await, extremes);
            let sql = "select number from (select number from lake limit 10)";
            assert_eq!(numbers(&context, sql).await.len(), rows.len().min(10));
            let mut top = model(&|_| true).split_off(rows.len().saturating_sub(5));
            top.sort_unstable();
            let sql = "select number from lake order by number desc limit 5";
            assert_eq!(numbers(&context, sql).await, top);
        }
    }
}

async fn plan(context: &SessionContext, sql: &str) -> String {
    let batches = context.sql(&format!("explain {sql}")).await.unwrap().collect().await.unwrap();
    arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string()
}

#[tokio::test]
async fn files_out_of_bounds_are_not_in_the_plan() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random(1);
    let files: Vec<_> = (0..4).map(|index| file(dir.path(), index, &mut random).0).collect();
    let bound = |file: &DataFile| match &file.bounds["number"].upper {
        Some(ScalarValue::Int64(Some(upper))) => *upper,
        other => panic!("{other:?}"),
    };
    let highest = files.iter().max_by_key(|file| bound(file)).unwrap();
    let second = files.iter().map(&bound).filter(|b| *b < bound(highest)).max().unwrap();

    let context = context(files.clone(), 2, true);
    let plan = plan(&context, &format!("select text from lake where number > {second}")).await;
    for file in &files {
        let name = file.path.file_name().unwrap().to_str().unwrap();
        assert_eq!(plan.contains(name), file.path == highest.path, "{plan}");
    }
}

#[tokio::test]
async fn count_is_answered_without_reading_even_with_deletes() {
    let dir = tempfile::tempdir().unwrap();
    let (mut one, _) = file(dir.path(), 0, &mut Random(3));
    // Twice, out of order, and beyond the end: a foreign writer may do all three.
    one.deleted = vec![0, 0, one.rows + 5];
    let expect = one.rows as i64 - 1;

    let context = context(vec![one], 2, true);
    let plan = plan(&context, "select count(*) from lake").await;
    assert!(!plan.contains("DataSourceExec"), "{plan}");
    assert_eq!(numbers(&context, "select count(*) from lake").await, [expect]);
}

#[tokio::test]
async fn a_table_without_rows_answers_with_none() {
    let dir = tempfile::tempdir().unwrap();
    let (mut gone, _) = file(dir.path(), 0, &mut Random(3));
    gone.deleted = (0..gone.rows).collect();
    for files in [vec![], vec![gone]] {
        let context = context(files, 4, true);
        assert_eq!(numbers(&context, "select count(*) from lake").await, [0]);
        assert!(numbers(&context, "select number from lake where text = 'a'").await.is_empty());
    }
}

#[tokio::test]
async fn a_folder_may_have_any_name() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("Jürgen's %20 [x] #1?");
    std::fs::create_dir(&dir).unwrap();
    let mut random = Random(5);
    let (files, rows): (Vec<_>, Vec<_>) = (0..3).map(|i| file(&dir, i, &mut random)).unzip();
    let left = rows.into_iter().flatten().count();

    let context = context(files, 2, true);
    assert_eq!(numbers(&context, "select number from lake").await.len(), left);
}
