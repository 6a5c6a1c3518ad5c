//! Items as they are lent to a guest: the shapes of `wit/types.wit`, borrowed from the host's own. The one copy of them is
//! that in the guest's memory.

use hyp_model::item::{Cell, Datum, Item};
use wasmtime::component::{ComponentType, Lower};

#[derive(ComponentType, Lower)]
#[component(record)]
pub(super) struct LentItem<'a> {
    kind: &'a str,
    origin: LentOrigin<'a>,
    cells: Vec<LentCell<'a>>,
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub(super) struct LentOrigin<'a> {
    system: &'a str,
    id: &'a str,
    #[component(name = "ended-at")]
    ended_at: Option<i64>,
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub(super) struct LentCell<'a> {
    column: &'a str,
    value: LentDatum<'a>,
}

#[derive(ComponentType, Lower)]
#[component(variant)]
pub(super) enum LentDatum<'a> {
    #[component(name = "null")]
    Null,
    #[component(name = "boolean")]
    Boolean(bool),
    #[component(name = "integer")]
    Integer(i64),
    #[component(name = "real")]
    Real(f64),
    #[component(name = "text")]
    Text(&'a str),
    #[component(name = "timestamp")]
    Timestamp(i64),
    #[component(name = "json")]
    Json(&'a str),
}

impl<'a> From<&'a Item> for LentItem<'a> {
    fn from(item: &'a Item) -> Self {
        Self {
            kind: &item.kind,
            origin: LentOrigin {
                system: &item.origin.system,
                id: &item.origin.id,
                ended_at: item.origin.ended_at,
            },
            cells: item.cells.iter().map(LentCell::from).collect(),
        }
    }
}

impl<'a> From<&'a Cell> for LentCell<'a> {
    fn from((column, value): &'a Cell) -> Self {
        let value = match value {
            Datum::Boolean(flag) => LentDatum::Boolean(*flag),
            Datum::Integer(number) => LentDatum::Integer(*number),
            Datum::Real(number) => LentDatum::Real(*number),
            Datum::Text(text) => LentDatum::Text(text),
            Datum::Timestamp(at) => LentDatum::Timestamp(*at),
            Datum::Json(text) => LentDatum::Json(text),
            _ => LentDatum::Null,
        };
        Self { column, value }
    }
}
