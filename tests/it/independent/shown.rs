//! What Codex shows of an answer, where that is not what the model wrote.

/// Returns the other forms in which events tell an answer: without what is not shown, and each plan by itself.
pub(super) fn of(text: &str) -> Vec<String> {
    let cited = cut(text, "<oai-mem-citation>", "</oai-mem-citation>");
    let planned = cut(&cited.0, "<proposed_plan>", "</proposed_plan>");
    if cited.1.is_empty() && planned.1.is_empty() {
        return Vec::new();
    }
    let mut shown = planned.1;
    shown.push(planned.0);
    shown.into_iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// Returns a text without what stands between tags, and that.
fn cut(text: &str, open: &str, close: &str) -> (String, Vec<String>) {
    let (mut outside, mut inside) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(at) = rest.find(open) {
        outside.push_str(&rest[..at]);
        rest = &rest[at + open.len()..];
        let end = rest.find(close).unwrap_or(rest.len());
        inside.push(rest[..end].to_owned());
        rest = rest.get(end + close.len()..).unwrap_or_default();
    }
    outside.push_str(rest);
    (outside, inside)
}

#[test]
fn an_answer_is_shown_without_its_tags() {
    let shown = of(
        "Look:\n<proposed_plan>\n- cut\n</proposed_plan>\n<oai-mem-citation>a</oai-mem-citation>",
    );
    assert_eq!(shown, ["- cut", "Look:"]);
    assert!(of("Look: <b>").is_empty());
}
