//! What was asked first, for conversations without a title.

use std::collections::HashMap;

use super::ask::{self, Lake, list};
use crate::failure::Failure;

/// Returns what a person asked first in each main thread of some sessions, by the thread's id.
///
/// Text that clients put into a person's mouth begins with a tag or a heading, and is passed over.
pub(super) fn first_prompts(
    lake: &Lake,
    sessions: &[String],
) -> Result<HashMap<String, String>, Failure> {
    if sessions.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "select thread_id, content_text from ( \
           select thread_id, content_text, \
             row_number() over (partition by thread_id order by message_index, part_index) as n \
           from (select coalesce(conversation_id, session_id) as thread_id, message_index, \
                   part_index, substr(content_text, 1, 400) as content_text \
                 from messages where role = 'user' and part_type = 'text' and agent_id is null \
                   and session_id in {}) as said \
           where content_text <> '' and content_text not like '<%' \
             and content_text not like '# AGENTS.md%') as numbered \
         where n = 1",
        list(sessions.iter().map(String::as_str))
    );
    let pair = |row| Some((ask::text(row, "thread_id")?, ask::text(row, "content_text")?));
    Ok(lake.rows(&sql)?.iter().filter_map(pair).collect())
}
