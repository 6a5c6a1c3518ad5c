//! Between the generated words of the contract and the host's own.

use hyp_model::item::{Assertion, Cell, Datum, Derived, Item, Origin, TargetRow, Wish};

use crate::bindings::{materializer as wit, types};

pub(crate) fn datum_in(it: types::Datum) -> Datum {
    match it {
        types::Datum::Null => Datum::Null,
        types::Datum::Boolean(flag) => Datum::Boolean(flag),
        types::Datum::Integer(number) => Datum::Integer(number),
        types::Datum::Real(number) => Datum::Real(number),
        types::Datum::Text(text) => Datum::Text(text),
        types::Datum::Timestamp(at) => Datum::Timestamp(at),
        types::Datum::Json(text) => Datum::Json(text),
    }
}

fn datum_out(it: Datum) -> types::Datum {
    match it {
        Datum::Boolean(flag) => types::Datum::Boolean(flag),
        Datum::Integer(number) => types::Datum::Integer(number),
        Datum::Real(number) => types::Datum::Real(number),
        Datum::Text(text) => types::Datum::Text(text),
        Datum::Timestamp(at) => types::Datum::Timestamp(at),
        Datum::Json(text) => types::Datum::Json(text),
        _ => types::Datum::Null,
    }
}

pub(crate) fn cells_out(cells: Vec<Cell>) -> Vec<types::Cell> {
    let cell = |(column, value)| types::Cell { column, value: datum_out(value) };
    cells.into_iter().map(cell).collect()
}

pub(super) fn cell_in(cell: types::Cell) -> Cell {
    (cell.column, datum_in(cell.value))
}

fn cells_in(cells: Vec<types::Cell>) -> Vec<Cell> {
    cells.into_iter().map(cell_in).collect()
}

fn item_in(it: types::Item) -> Item {
    let types::Origin { system, id, ended_at } = it.origin;
    Item { kind: it.kind, origin: Origin { system, id, ended_at }, cells: cells_in(it.cells) }
}

pub(super) fn derived_in(it: wit::Derived) -> Derived {
    Derived {
        item: it.item as usize,
        wishes: it.changes.into_iter().map(wish_in).collect(),
        then: it.then.into_iter().map(item_in).collect(),
        outcome: it.outcome,
    }
}

fn wish_in(it: wit::Change) -> Wish {
    let row = |it: wit::Row| TargetRow { dataset: it.dataset, cells: cells_in(it.cells) };
    match it {
        wit::Change::Append(it) => Wish::Append(row(it)),
        wit::Change::Upsert(it) => Wish::Upsert(row(it)),
        wit::Change::AssertValue(it) => Wish::Assert(Assertion {
            dataset: it.dataset,
            key: it.key.into_iter().map(datum_in).collect(),
            column: it.column,
            value: datum_in(it.value),
            subject: it.subject,
            notes: it.notes,
        }),
    }
}
