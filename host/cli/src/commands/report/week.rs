//! When people and agents talk: messages by day of the week and hour.

use maud::{Markup, html};

use super::chart::percent;
use crate::commands::figures::Figures;
use crate::text;

/// Days of the week.
const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Height of a day.
const ROW: usize = 22;

/// Hours that are named.
const NAMED: [usize; 4] = [0, 6, 12, 18];

/// Returns the chart, and the table behind it.
pub(super) fn week(figures: &Figures) -> Markup {
    let hours = &figures.hours_of_week;
    let most = hours.iter().flatten().copied().max().unwrap_or_default();
    let height = ROW * DAYS.len();
    html! {
        figure {
            div.plot {
                svg width="40" height=(height + 20) aria-hidden="true" {
                    @for (day, name) in DAYS.iter().enumerate() {
                        text.tick x="0" y=(day * ROW + 15) { (name[..3]) }
                    }
                }
                svg.chart role="img" aria-labelledby="week-title week-description" width="100%"
                    height=(height + 20) {
                    title id="week-title" { "Messages by day of the week and hour" }
                    desc id="week-description" { (description(hours, most)) }
                    @for (day, of_day) in hours.iter().enumerate() {
                        @for (hour, messages) in of_day.iter().enumerate() {
                            (cell(day, hour, *messages, most))
                        }
                    }
                    @for hour in NAMED {
                        text.tick x=(left(hour)) y=(height + 15) { (clock(hour)) }
                    }
                }
            }
            (table(hours))
        }
    }
}

fn cell(day: usize, hour: usize, messages: u64, most: u64) -> Markup {
    html! {
        rect class=(if messages > 0 { "s0" } else { "none" }) x=(left(hour)) y=(day * ROW)
            width="3.75%" height=(ROW - 3) rx="2" fill-opacity=[opacity(messages, most)] {
            title {
                (DAYS[day]) " " (clock(hour)) " to " (clock(hour + 1)) ": " (text::full(messages))
                " messages"
            }
        }
    }
}

fn left(hour: usize) -> String {
    percent(f64::from(u8::try_from(hour).unwrap_or_default()) * 100.0 / 24.0)
}

fn clock(hour: usize) -> String {
    format!("{hour:02}:00")
}

/// Returns how dark a cell is. Few messages are told from none, and many from very many.
#[expect(clippy::cast_precision_loss, reason = "a shade")]
fn opacity(messages: u64, most: u64) -> Option<String> {
    (messages > 0).then(|| format!("{:.2}", 0.12 + 0.88 * (messages as f64 / most as f64).sqrt()))
}

fn description(hours: &[[u64; 24]; 7], most: u64) -> String {
    let busiest = (0..7).flat_map(|day| (0..24).map(move |hour| (day, hour)));
    let busiest = busiest.into_iter().find(|(day, hour)| hours[*day][*hour] == most);
    busiest.map_or_else(String::new, |(day, hour)| {
        format!("Most messages, {}, are of {} at {}.", text::full(most), DAYS[day], clock(hour))
    })
}

fn table(hours: &[[u64; 24]; 7]) -> Markup {
    html! {
        details {
            summary { "As a table" }
            div.scroll role="region" aria-label="Messages by hour and day of the week" tabindex="0" {
                table.plain {
                    thead {
                        tr {
                            th scope="col" { "Hour" }
                            @for day in DAYS { th scope="col" { (day) } }
                        }
                    }
                    tbody {
                        @for hour in 0..24 {
                            tr {
                                th scope="row" { (clock(hour)) }
                                @for of_day in hours { td { (text::full(of_day[hour])) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_messages_are_told_from_none() {
        assert_eq!(opacity(0, 100), None);
        assert_eq!(opacity(1, 10_000).as_deref(), Some("0.13"));
        assert_eq!(opacity(100, 100).as_deref(), Some("1.00"));
    }

    #[test]
    fn the_busiest_hour_is_told_in_words() {
        let mut hours = [[0; 24]; 7];
        hours[2][9] = 1_204;
        assert_eq!(description(&hours, 1_204), "Most messages, 1,204, are of Wednesday at 09:00.");
    }
}
