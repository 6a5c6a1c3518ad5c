//! Charts over time: a bar a day, a week or a month, of stacked parts.

use maud::{Markup, html};

use super::buckets::{Bucket, Buckets};
use crate::text;

/// Height of the highest bar where sums are compared, and where shares are.
const HEIGHTS: [f64; 2] = [168.0, 96.0];

/// Room above the highest bar, for half of a letter.
const TOP: f64 = 8.0;

/// Room below the bars, for the days.
const BOTTOM: f64 = 24.0;

/// Days that are named below the bars.
const NAMED: usize = 5;

/// What a bar consists of.
pub(super) struct Part {
    /// Its name, as the legend has it.
    pub(super) name: String,
    /// Its colour, as a class of the style.
    pub(super) class: &'static str,
}

/// A chart.
pub(super) struct Chart<'a> {
    /// Start of the ids of its parts.
    pub(super) id: &'static str,
    /// What it shows.
    pub(super) title: String,
    /// The same for who cannot see it.
    pub(super) description: String,
    pub(super) buckets: &'a Buckets,
    pub(super) parts: &'a [Part],
    /// Value of each part of a bar, the lowest part first.
    pub(super) values: &'a dyn Fn(&Bucket) -> Vec<u64>,
    pub(super) scale: Scale,
}

/// What the highest bar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// The largest sum of all.
    Largest,
    /// Its own sum: every bar is as high, and parts are shares.
    Each,
}

impl Chart<'_> {
    /// Draws it. Widths are shares of the page's, so that letters keep their size on every screen.
    pub(super) fn draw(&self) -> Markup {
        let bars: Vec<Vec<u64>> = self.buckets.all.iter().map(|it| (self.values)(it)).collect();
        let largest = bars.iter().map(|bar| bar.iter().sum::<u64>()).max().unwrap_or_default();
        let (lines, top) = match self.scale {
            Scale::Largest => lines(largest),
            Scale::Each => (vec![100], 100),
        };
        let unit = if self.scale == Scale::Each { " %" } else { "" };
        let highest = self.height();
        let foot = TOP + highest;
        let y = |value: u64| foot - highest * share(value, top);
        let title = format!("{}-title", self.id);
        let description = format!("{}-description", self.id);
        html! {
            div.plot {
                svg width="40" height=(px(foot + BOTTOM)) aria-hidden="true" {
                    @for line in &lines {
                        text.tick x="36" y=(px(y(*line) + 4.0)) text-anchor="end" {
                            (text::count(*line)) (unit)
                        }
                    }
                }
                svg.chart role="img" aria-labelledby=(format!("{title} {description}"))
                    width="100%" height=(px(foot + BOTTOM)) {
                    title id=(title) { (self.title) }
                    desc id=(description) { (self.description) }
                    @for line in &lines {
                        line.grid x1="0" x2="100%" y1=(px(y(*line))) y2=(px(y(*line))) {}
                    }
                    line.axis x1="0" x2="100%" y1=(px(foot)) y2=(px(foot)) {}
                    @for (at, (bucket, bar)) in self.buckets.all.iter().zip(&bars).enumerate() {
                        (self.bar(at, bucket, bar, top))
                    }
                    @for (at, anchor) in named(bars.len()) {
                        text.tick x=(percent(self.middle(at, anchor))) y=(px(foot + 17.0))
                            text-anchor=(anchor) {
                            (self.buckets.label(self.buckets.all[at].start))
                        }
                    }
                }
            }
        }
    }

    fn bar(&self, at: usize, bucket: &Bucket, bar: &[u64], top: u64) -> Markup {
        let sum: u64 = bar.iter().sum();
        let whole = if self.scale == Scale::Each { sum } else { top };
        let width = 100.0 / float(self.buckets.all.len() as u64);
        let highest = self.height();
        let mut foot = TOP + highest;
        let mut rects = Vec::new();
        for (part, value) in self.parts.iter().zip(bar).filter(|(_, value)| **value > 0) {
            let height = highest * share(*value, whole);
            foot -= height;
            rects.push((part.class, foot, height));
        }
        html! {
            @if sum > 0 {
                g {
                    title { (self.words(bucket, bar, sum)) }
                    @for (class, y, height) in rects {
                        rect class=(class) x=(percent(width * (float(at as u64) + 0.1)))
                            width=(percent(width * 0.8)) y=(px(y)) height=(px(height)) {}
                    }
                }
            }
        }
    }

    fn height(&self) -> f64 {
        HEIGHTS[usize::from(self.scale == Scale::Each)]
    }

    /// Returns what the mouse is told over a bar.
    fn words(&self, bucket: &Bucket, bar: &[u64], sum: u64) -> String {
        let mut words = vec![format!("{}: {}", self.buckets.name(bucket.start), text::count(sum))];
        for (part, value) in self.parts.iter().zip(bar).filter(|(_, value)| **value > 0) {
            let percent = text::percent(*value, sum);
            words.push(format!("{} {} ({percent} %)", part.name, text::count(*value)));
        }
        words.join("\n")
    }

    /// Returns where a day is named, in percent of the width.
    fn middle(&self, at: usize, anchor: &str) -> f64 {
        match anchor {
            "start" => 0.0,
            "end" => 100.0,
            _ => 100.0 * (float(at as u64) + 0.5) / float(self.buckets.all.len() as u64),
        }
    }

    /// Returns its legend: every part, and what it has in all.
    pub(super) fn legend(&self) -> Markup {
        let mut sums = vec![0; self.parts.len()];
        for bucket in &self.buckets.all {
            for (sum, value) in sums.iter_mut().zip((self.values)(bucket)) {
                *sum += value;
            }
        }
        let all: u64 = sums.iter().sum();
        html! {
            ul.legend {
                @for (part, sum) in self.parts.iter().zip(&sums) {
                    li {
                        svg width="10" height="10" aria-hidden="true" {
                            rect class=(part.class) width="10" height="10" rx="2" {}
                        }
                        bdi { (part.name) } " "
                        span.soft { (text::count(*sum)) ", " (text::percent(*sum, all)) " %" }
                    }
                }
            }
        }
    }
}

/// Returns the values of the lines behind the bars, and what the top stands for.
fn lines(largest: u64) -> (Vec<u64>, u64) {
    let largest = largest.max(1);
    let mut unit = 1;
    while unit <= largest / 10 {
        unit *= 10;
    }
    let step = match largest / unit {
        1 if unit >= 10 => unit / 2,
        1 => 1,
        2..=4 => unit,
        _ => unit * 2,
    };
    let lines = (1..).map_while(|n: u64| n.checked_mul(step)).take_while(|line| *line <= largest);
    (lines.collect(), largest)
}

/// Returns which bars are named, and how their names lie.
fn named(bars: usize) -> Vec<(usize, &'static str)> {
    match bars {
        0 => Vec::new(),
        1..=NAMED => (0..bars).map(|at| (at, "middle")).collect(),
        _ => (0..NAMED)
            .map(|n| match n {
                0 => (0, "start"),
                n if n == NAMED - 1 => (bars - 1, "end"),
                n => (n * (bars - 1) / (NAMED - 1), "middle"),
            })
            .collect(),
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "a place on a screen")]
fn float(number: u64) -> f64 {
    number as f64
}

fn px(length: f64) -> String {
    format!("{length:.1}")
}

/// Returns a share of the width as SVG writes it.
pub(super) fn percent(percent: f64) -> String {
    format!("{percent:.2}%")
}

/// Returns a part of a whole as SVG writes it; what is not nothing can be seen.
pub(super) fn part(part: u64, whole: u64) -> String {
    percent(if part > 0 { (100.0 * share(part, whole)).max(0.5) } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_at_round_numbers() {
        #[rustfmt::skip]
        let cases = [
            (0,       vec![1]),
            (3,       vec![1, 2, 3]),
            (9,       vec![2, 4, 6, 8]),
            (12,      vec![5, 10]),
            (47,      vec![10, 20, 30, 40]),
            (80_000,  vec![20_000, 40_000, 60_000, 80_000]),
            (u64::MAX, vec![5_000_000_000_000_000_000, 10_000_000_000_000_000_000, 15_000_000_000_000_000_000]),
        ];
        for (largest, expected) in cases {
            assert_eq!(lines(largest), (expected, largest.max(1)), "{largest}");
        }
    }

    #[test]
    fn the_first_and_the_last_bar_are_named() {
        assert_eq!(named(1), [(0, "middle")]);
        let of_many = named(92);
        assert_eq!(of_many.first(), Some(&(0, "start")));
        assert_eq!(of_many.last(), Some(&(91, "end")));
        assert_eq!(of_many.len(), NAMED);
    }

    #[test]
    fn what_is_not_nothing_can_be_seen() {
        assert_eq!(
            [part(1, 4), part(1, 1_000_000), part(0, 4), part(0, 0)],
            ["25.00%", "0.50%", "0.00%", "0.00%"]
        );
    }
}
