//! What stands in the texts of items and is not shown to the person.

/// Citations of memories, which the client takes out.
const CITATION: (&str, &str) = ("<oai-mem-citation>", "</oai-mem-citation>");
/// A plan that the model proposes, which the client shows by itself.
const PLAN: (&str, &str) = ("<proposed_plan>", "</proposed_plan>");

/// Returns an answer as the person saw it, where that is not how the model wrote it.
pub(crate) fn shown(text: &str) -> Option<String> {
    if !text.contains(CITATION.0) && !text.contains(PLAN.0) {
        return None;
    }
    Some(without(&without(text, CITATION), PLAN))
}

/// Returns the plans that an answer proposes.
pub(crate) fn plans(text: &str) -> impl Iterator<Item = &str> {
    text.split(PLAN.0).skip(1).map(|rest| rest.split(PLAN.1).next().unwrap_or(rest))
}

/// Returns true for a text that stands before or behind a picture in the prompt.
pub(crate) fn stands_for_picture(text: &str) -> bool {
    let text = text.trim();
    matches!(text, "<image>" | "</image>" | "</local_image>")
        || ["<image name=", "<local_image "].iter().any(|tag| text.starts_with(tag))
            && text.ends_with('>')
}

/// Takes out what stands between tags. One that is not closed goes on to the end.
fn without(text: &str, (open, close): (&str, &str)) -> String {
    let mut pieces = text.split(open);
    let mut rest = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        rest.push_str(piece.split_once(close).map_or("", |(_, behind)| behind));
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn citations_and_plans_are_not_shown() {
        let text = "Here:\n<proposed_plan>\n- one\n</proposed_plan>\nGo?<oai-mem-citation>x</oai-mem-citation>";
        assert_eq!(shown(text).as_deref(), Some("Here:\n\nGo?"));
        assert_eq!(plans(text).collect::<Vec<_>>(), ["\n- one\n"]);
        assert_eq!(shown("a <proposed_plan> b").as_deref(), Some("a "));
        assert_eq!(shown("nothing of the kind"), None);
        assert_eq!(plans("nothing of the kind").next(), None);
    }

    #[test]
    fn tags_around_pictures_are_no_words_of_the_person() {
        for tag in ["<image>", "</image>", "<image name=[Image #1]>", "<local_image index=\"1\">"] {
            assert!(stands_for_picture(tag), "{tag}");
        }
        assert!(!stands_for_picture("<image> what is this?"));
    }
}
