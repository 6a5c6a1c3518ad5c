//! Goals that a person sets for the thread with `/goal`.
//!
//! An event tells them, again with each change of their state. Since 0.164 an item before it has the person's words too.

use hyp_sdk::Text;
use hyp_sdk::json::Value;
use hyp_sdk::state::{Reader, Writer};

/// What was told of goals so far.
#[derive(Debug, Default)]
pub(crate) struct Goals {
    /// Goals, as when they were set and their words.
    told: Vec<(i64, String)>,
    /// An item has told the goal whose event comes next.
    has_item: bool,
}

impl Goals {
    /// Takes note that an item has told a goal.
    pub(crate) fn item(&mut self) {
        self.has_item = true;
    }

    /// Returns the words of a goal that nothing has told before.
    pub(crate) fn news(&mut self, goal: Value<'_>) -> Option<Text> {
        let words = goal.get("objective").and_then(Value::text)?;
        let set_at = goal.get("createdAt").and_then(Value::i64).unwrap_or_default();
        let told = (set_at, words.value.clone());
        let has_item = std::mem::take(&mut self.has_item);
        if words.value.is_empty() || self.told.contains(&told) {
            return None;
        }
        self.told.push(told);
        Some(words).filter(|_| !has_item)
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        out.flag(self.has_item);
        out.number(self.told.len() as u64);
        for (set_at, words) in &self.told {
            out.time(*set_at);
            out.text(words);
        }
    }

    pub(crate) fn restore(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.has_item = from.flag()?;
        for _ in 0..from.number()? {
            self.told.push((from.time()?, from.text()?));
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use hyp_sdk::json::Tape;

    use super::*;

    fn news(goals: &mut Goals, goal: &str) -> Option<String> {
        Some(goals.news(Tape::new().parse(goal, 0).expect("JSON").0)?.value)
    }

    #[test]
    fn a_goal_is_news_once_also_after_a_pause() {
        let mut goals = Goals::default();
        let lamp = r#"{"objective":"Mend the lamp","status":"active","createdAt":7}"#;
        let paused = r#"{"objective":"Mend the lamp","status":"paused","createdAt":7}"#;
        let again = r#"{"objective":"Mend the lamp","status":"active","createdAt":9}"#;
        assert_eq!(news(&mut goals, lamp).as_deref(), Some("Mend the lamp"));
        assert_eq!(news(&mut goals, paused), None);

        let mut out = Writer::new();
        goals.save(&mut out);
        let saved = out.finish();
        let mut goals = Goals::default();
        goals.restore(&mut Reader::new(&saved)).expect("what was saved");
        assert_eq!(news(&mut goals, lamp), None);
        assert_eq!(news(&mut goals, again).as_deref(), Some("Mend the lamp"));
    }

    #[test]
    fn what_an_item_has_told_is_no_news() {
        let mut goals = Goals::default();
        goals.item();
        assert_eq!(news(&mut goals, r#"{"objective":"Mend it","createdAt":7}"#), None);
        assert_eq!(news(&mut goals, r#"{"objective":"Mend it","createdAt":7}"#), None);
        assert_eq!(
            news(&mut goals, r#"{"objective":"Paint it","createdAt":8}"#).as_deref(),
            Some("Paint it")
        );
        assert_eq!(news(&mut goals, "{}"), None);
    }
}
