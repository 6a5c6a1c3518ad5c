//! Tests of `strip`.

use super::*;

#[test]
fn the_payload_of_a_data_uri_is_taken_out() {
    let at_limit = format!("data:{};base64,AAAA", "m".repeat(255));
    let past_limit = format!("data:{};base64,AAAA", "m".repeat(256));
    let wide_past_limit = format!("data:{};base64,AAAA", "😀".repeat(128));
    let at_limit_stripped = format!("data:{};base64,<stripped>", "m".repeat(255));
    #[rustfmt::skip]
    let cases = [
        ("no uri",               "hello",                                "hello"),
        ("empty",                "",                                     ""),
        ("alone",                "data:image/png;base64,iVBOR+/=",       "data:image/png;base64,<stripped>"),
        ("in text",              "a data:image/png;base64,iVBOR b",      "a data:image/png;base64,<stripped> b"),
        ("two",                  "data:a/b;base64,AA data:c/d;base64,BB", "data:a/b;base64,<stripped> data:c/d;base64,<stripped>"),
        ("two, touching",        "data:a/b;base64,AA==,data:c/d;base64,BB", "data:a/b;base64,<stripped>,data:c/d;base64,<stripped>"),
        ("parameters",           "data:text/plain;charset=utf-8;base64,QQ", "data:text/plain;charset=utf-8;base64,<stripped>"),
        ("no media type",        "data:;base64,QQ==",                    "data:application/octet-stream;base64,<stripped>"),
        ("url alphabet",         "data:a/b;base64,A-_A",                 "data:a/b;base64,<stripped>"),
        ("no payload",           "data:a/b;base64, x",                   "data:a/b;base64, x"),
        ("stripped before",      "data:a/b;base64,<stripped>",           "data:a/b;base64,<stripped>"),
        ("not base64",           "data:text/plain,hello",                "data:text/plain,hello"),
        ("no scheme",            "image/png;base64,AAAA",                "image/png;base64,AAAA"),
        ("upper case scheme",    "DATA:a/b;base64,AAAA",                 "DATA:a/b;base64,AAAA"),
        ("upper case mark",      "data:a/b;BASE64,AAAA",                 "data:a/b;BASE64,AAAA"),
        ("blank in media type",  "data:a b;base64,AAAA",                 "data:a b;base64,AAAA"),
        ("line feed in it",      "data:a\nb;base64,AAAA",                "data:a\nb;base64,AAAA"),
        ("wide blank in it",     "data:a\u{3000}b;base64,AAAA",          "data:a\u{3000}b;base64,AAAA"),
        ("comma in it",          "data:a,b;base64,AAAA",                 "data:a,b;base64,AAAA"),
        ("wrapped payload",      "data:a/b;base64,AAAA\nBBBB",           "data:a/b;base64,<stripped>\nBBBB"),
        ("in quotes",            "src=\"data:a/b;base64,AAAA\"",         "src=\"data:a/b;base64,<stripped>\""),
        ("the earliest start",   "data:data:a/b;base64,AAAA",            "data:data:a/b;base64,<stripped>"),
        ("longest media type",   &at_limit,                              &at_limit_stripped),
        ("longer media type",    &past_limit,                            &past_limit),
        ("longer in code units", &wide_past_limit,                       &wide_past_limit),
        ("accents around",       "é data:a/b;base64,AAAA é",             "é data:a/b;base64,<stripped> é"),
    ];
    for (name, before, after) in cases {
        assert_eq!(text(before.to_owned()), after, "{name}");
        assert_eq!(text(after.to_owned()), after, "{name}, again");
    }
}

#[test]
fn the_bytes_of_a_picture_in_json_are_taken_out() {
    let long = "iVBORw0KGgo".repeat(12);
    #[rustfmt::skip]
    let cases = [
        ("source", format!(r#"{{"source":{{"type":"base64","media_type":"image/png","data":"{long}"}}}}"#),
                   r#"{"source":{"type":"base64","media_type":"image/png","data":"<stripped>"}}"#.to_owned()),
        ("data first", format!(r#"[{{"data":"{long}","type":"base64"}},1]"#),
                   r#"[{"data":"<stripped>","type":"base64"},1]"#.to_owned()),
        ("protocol image", format!(r#"{{"type":"image","data": "{long}","mimeType":"image/png"}}"#),
                   r#"{"type":"image","data": "<stripped>","mimeType":"image/png"}"#.to_owned()),
        ("file of a result", format!(r#"{{"file":{{"base64":"{long}","originalSize":3}}}}"#),
                   r#"{"file":{"base64":"<stripped>","originalSize":3}}"#.to_owned()),
        ("data uri", format!(r#"{{"image_url":"data:image/png;base64,{long}"}}"#),
                   r#"{"image_url":"data:image/png;base64,<stripped>"}"#.to_owned()),
        ("two", format!(r#"[{{"data":"{long}","type":"base64"}},{{"data":"{long}","type":"base64"}}]"#),
                   r#"[{"data":"<stripped>","type":"base64"},{"data":"<stripped>","type":"base64"}]"#.to_owned()),
    ];
    for (name, before, after) in cases {
        assert_eq!(json(before), after, "{name}");
    }
}

#[test]
fn other_json_stays_as_it_is() {
    let long = "iVBORw0KGgo".repeat(12);
    for kept in [
        r#"{"type":"base64","data":"short"}"#.to_owned(),
        format!(r#"{{"data":"{long}"}}"#),
        format!(r#"{{"data":"{long}","note":"base64"}}"#).replace("base64", "plain"),
        format!(r#"{{"type":"base64","data":"{long} with blanks"}}"#),
        format!(r#"{{"a":"{long}","command":"base64 -d"}}"#),
        r#"{"base64":true,"data":[1]}"#.to_owned(),
    ] {
        assert_eq!(json(kept.clone()), kept);
    }
}
