//! One value of an answer, whatever its Arrow type.

use std::borrow::Cow;
use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray, UnionArray};
use arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::json::push_text;
use super::time::moment;

/// A value ready to be printed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    /// No value.
    Null,
    /// A number, a truth value, a list or an object: JSON as it stands.
    Json(String),
    /// Text.
    Text {
        /// What of it is shown.
        shown: Cow<'a, str>,
        /// Characters that are not.
        hidden: usize,
    },
}

impl<'a> Cell<'a> {
    fn text(text: impl Into<Cow<'a, str>>, max: usize) -> Self {
        let text = text.into();
        let cut = match max {
            0 => None,
            max => text.char_indices().nth(max).map(|(at, _)| at),
        };
        match cut {
            None => Self::Text { shown: text, hidden: 0 },
            Some(at) => {
                let hidden = text[at..].chars().count();
                let shown = match text {
                    Cow::Borrowed(text) => Cow::Borrowed(&text[..at]),
                    Cow::Owned(mut text) => {
                        text.truncate(at);
                        Cow::Owned(text)
                    }
                };
                Self::Text { shown, hidden }
            }
        }
    }

    /// Returns what is printed where there is no quoting: none for no value.
    pub(super) fn plain(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Null => None,
            Self::Json(json) => Some(Cow::Borrowed(json)),
            Self::Text { shown, hidden: 0 } => Some(Cow::Borrowed(shown)),
            Self::Text { shown, hidden } => Some(Cow::Owned(format!("{shown}{}", mark(*hidden)))),
        }
    }

    /// Appends the value as JSON.
    pub(super) fn push_json(&self, to: &mut String) {
        match self {
            Self::Null => to.push_str("null"),
            Self::Json(json) => to.push_str(json),
            Self::Text { .. } => push_text(&self.plain().unwrap_or_default(), to),
        }
    }
}

/// Returns what stands for characters that are not shown.
pub(super) fn mark(hidden: usize) -> String {
    format!("…(+{hidden})")
}

/// Reads values with a limit on the length of texts, and counts what it clips.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cells {
    /// Characters of a text; 0 for no limit.
    pub(super) max: usize,
    /// Texts clipped so far, those inside of lists and objects too.
    pub(super) clipped: u64,
}

impl Cells {
    /// Reads one value.
    pub(super) fn read<'a>(&mut self, array: &'a dyn Array, row: usize) -> Cell<'a> {
        let cell = self.value(array, row);
        if matches!(cell, Cell::Text { hidden: 1.., .. }) {
            self.clipped += 1;
        }
        cell
    }

    fn value<'a>(&mut self, array: &'a dyn Array, row: usize) -> Cell<'a> {
        if array.is_null(row) {
            return Cell::Null;
        }
        let max = self.max;
        match array.data_type() {
            DataType::Null => Cell::Null,
            DataType::Utf8 => Cell::text(array.as_string::<i32>().value(row), max),
            DataType::LargeUtf8 => Cell::text(array.as_string::<i64>().value(row), max),
            DataType::Utf8View => Cell::text(array.as_string_view().value(row), max),
            DataType::FixedSizeBinary(_) => {
                Cell::text(hex(array.as_fixed_size_binary().value(row)), max)
            }
            DataType::Binary => Cell::text(hex(array.as_binary::<i32>().value(row)), max),
            DataType::LargeBinary => Cell::text(hex(array.as_binary::<i64>().value(row)), max),
            DataType::BinaryView => Cell::text(hex(array.as_binary_view().value(row)), max),
            DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
            DataType::Float32 => float(f64::from(array.as_primitive::<Float32Type>().value(row))),
            DataType::Decimal128(..) => {
                Cell::Json(array.as_primitive::<Decimal128Type>().value_as_string(row))
            }
            kind if kind.is_integer() || matches!(kind, DataType::Boolean) => {
                Cell::Json(engine_text(array, row))
            }
            DataType::Timestamp(unit, zone) => {
                let value = timestamp(array, *unit, row);
                let text = moment(value, *unit, zone.is_some());
                Cell::text(text.unwrap_or_else(|| value.to_string()), 0)
            }
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                let key = dictionary.normalized_keys()[row];
                self.value(dictionary.values().as_ref(), key)
            }
            DataType::List(_) => self.list(&array.as_list::<i32>().value(row)),
            DataType::LargeList(_) => self.list(&array.as_list::<i64>().value(row)),
            DataType::FixedSizeList(..) => self.list(&array.as_fixed_size_list().value(row)),
            DataType::Struct(fields) => {
                let columns = array.as_struct().columns();
                let names = fields.iter().map(|field| field.name().as_str());
                self.object(names.zip(columns.iter().map(|column| (column.as_ref(), row))))
            }
            DataType::Map(..) => {
                let entries = array.as_map().value(row);
                let (keys, values) = (entries.column(0), entries.column(1));
                let names: Vec<String> =
                    (0..entries.len()).map(|i| engine_text(keys.as_ref(), i)).collect();
                let values = (0..entries.len()).map(|i| (values.as_ref(), i));
                self.object(names.iter().map(String::as_str).zip(values))
            }
            DataType::Union(..) => match array.as_any().downcast_ref::<UnionArray>() {
                Some(union) => {
                    let child = union.child(union.type_id(row));
                    self.value(child.as_ref(), union.value_offset(row))
                }
                None => Cell::Null,
            },
            _ => Cell::text(engine_text(array, row), max),
        }
    }

    fn list(&mut self, items: &ArrayRef) -> Cell<'static> {
        let mut json = String::from("[");
        for row in 0..items.len() {
            if row > 0 {
                json.push(',');
            }
            self.read(items.as_ref(), row).push_json(&mut json);
        }
        json.push(']');
        Cell::Json(json)
    }

    fn object<'n>(
        &mut self,
        members: impl Iterator<Item = (&'n str, (&'n dyn Array, usize))>,
    ) -> Cell<'static> {
        let mut json = String::from("{");
        for (name, (array, row)) in members {
            if json.len() > 1 {
                json.push(',');
            }
            push_text(name, &mut json);
            json.push(':');
            self.read(array, row).push_json(&mut json);
        }
        json.push('}');
        Cell::Json(json)
    }
}

fn float(value: f64) -> Cell<'static> {
    match serde_json::Number::from_f64(value) {
        Some(number) => Cell::Json(number.to_string()),
        // JSON has no such number; as text it is not lost.
        None => Cell::Text { shown: value.to_string().into(), hidden: 0 },
    }
}

fn timestamp(array: &dyn Array, unit: TimeUnit, row: usize) -> i64 {
    match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().value(row),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(row),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(row),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().value(row),
    }
}

fn engine_text(array: &dyn Array, row: usize) -> String {
    let mut text = String::new();
    if let Ok(formatter) = ArrayFormatter::try_new(array, &FormatOptions::default()) {
        // A value that has no text, such as a date beyond the calendar, stays empty.
        let _ = write!(text, "{}", formatter.value(row));
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
