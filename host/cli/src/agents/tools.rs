//! What an agent is, by the tools that it offers.

/// Names of tools by the type of agent that offers them. Those who sell may offer formats as well, so they come first.
const TYPES: [(&str, &[&str]); 3] = [
    ("sales", &["get_products", "create_media_buy", "list_authorized_properties"]),
    (
        "creative",
        &[
            "list_creative_formats",
            "build_creative",
            "generate_creative",
            "preview_creative",
            "validate_creative",
            "validate_input",
        ],
    ),
    (
        "signals",
        &["get_signals", "list_signals", "match_audience", "activate_signal", "activate_audience"],
    ),
];

/// Returns the type of the agent that offers tools of these names.
pub(super) fn inferred(tools: &[String]) -> Option<&'static str> {
    let offers = |names: &[&str]| {
        names.iter().any(|name| tools.iter().any(|tool| tool.eq_ignore_ascii_case(name)))
    };
    TYPES.iter().find(|(_, names)| offers(names)).map(|(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip]
    fn the_tools_tell_what_an_agent_is() {
        let cases = [
            (&["get_products", "list_creative_formats"][..], Some("sales")),
            (&["List_Creative_Formats"],                     Some("creative")),
            (&["search", "activate_signal"],                 Some("signals")),
            (&["search"],                                    None),
            (&[],                                            None),
        ];
        for (tools, expected) in cases {
            let tools: Vec<String> = tools.iter().map(|tool| (*tool).to_owned()).collect();
            assert_eq!(inferred(&tools), expected, "{tools:?}");
        }
    }
}
