//! Says which rows entries of Note Book are: items of kind `note-book.entry` become rows of `note_book_entries`.
//!
//! It compares nothing with what is stored and settles no conflict: the rule of the dataset does, for every writer alike.

use hyp_sdk::materializer::{ColumnType, Dataset, Derived, Description, Materializer, Row};
use hyp_sdk::{Cells, Fault, Item};

/// Items that it takes, and the dataset that it fills.
const ENTRY: &str = "note-book.entry";
const ENTRIES: &str = "note_book_entries";

/// The materializer.
#[derive(Debug)]
pub struct NoteBook;

hyp_sdk::register_materializer!(NoteBook);

impl Materializer for NoteBook {
    /// Says what is taken and filled. Of two entries with one id, the one that was written later stands.
    fn description() -> Description {
        let entries = Dataset::newer_wins(ENTRIES, &["id"], "written_at")
            .required("id", ColumnType::Text)
            .required("written_at", ColumnType::Timestamp)
            .column("author", ColumnType::Text)
            .column("words", ColumnType::Integer);
        Description::new("note-book", env!("CARGO_PKG_VERSION")).kind(ENTRY).dataset(entries)
    }

    /// Says what items mean.
    fn materialize(items: &[Item]) -> Result<Vec<Derived>, Fault> {
        Ok(Derived::each(items, |item, out| {
            let words = item.text("text").map(|text| text.split_whitespace().count() as i64);
            let Some(words) = words else { return out.counts_as("without_text") };
            let row = Cells::new()
                .with("id", item.get("id").clone())
                .with("written_at", item.get("written_at").clone())
                .with("author", item.text("author").map(str::to_owned))
                .with("words", words);
            out.upsert(Row::new(ENTRIES, row));
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyp_sdk::Origin;

    #[test]
    fn an_entry_without_a_text_gives_no_row() {
        let entry = |cells| Item::new(ENTRY, Origin::new("note-book", "1"), cells);
        let with = entry(Cells::new().with("id", "1").with("text", "two words"));
        let without = entry(Cells::new().with("id", "2"));
        let derived = NoteBook::materialize(&[with, without]).unwrap();
        assert_eq!((derived[0].changes.len(), derived[1].changes.len()), (1, 0));
        assert_eq!(derived[1].outcome.as_deref(), Some("without_text"));
    }
}
