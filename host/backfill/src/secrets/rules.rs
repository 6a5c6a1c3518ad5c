//! What likely secrets look like.
//!
//! Each pattern has one group, which is the secret; what is around it only tells it. None of a pattern's letters
//! needs an escape in JSON, so that the rules hold for JSON texts as they are.

/// What secrets of a kind look like.
#[derive(Debug)]
pub(super) struct Rule {
    /// Name of the kind.
    pub(super) kind: &'static str,
    /// A regular expression with one group.
    pub(super) pattern: &'static str,
    /// True where only what looks as if it was chosen by chance is meant.
    pub(super) is_by_chance: bool,
}

const fn form(kind: &'static str, pattern: &'static str) -> Rule {
    Rule { kind, pattern, is_by_chance: false }
}

/// The rules; of two that hold at one place, the first counts.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    form("private-key",        r"(-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=:,.\s-]|\\[nrt])+?-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----)"),
    form("age-key",            r"\b(AGE-SECRET-KEY-1[A-Z0-9]{58})\b"),
    form("anthropic-key",      r"\b(sk-ant-[a-z0-9]{3,12}-[A-Za-z0-9_-]{32,})"),
    form("openai-key",         r"\b(sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{32,}|sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20})"),
    form("openrouter-key",     r"\b(sk-or-v1-[0-9a-f]{64})\b"),
    form("google-api-key",     r"\b(AIza[A-Za-z0-9_-]{35})"),
    form("google-oauth",       r"\b(GOCSPX-[A-Za-z0-9_-]{28}|ya29\.[A-Za-z0-9_-]{20,})"),
    form("aws-access-key",     r"\b((?:AKIA|ASIA)[A-Z2-7]{16})\b"),
    form("aws-secret-key",     r#"(?i:aws_?secret_?(?:access_?)?key)\\?["']?\s{0,3}[:=]\s{0,3}\\?["']?([A-Za-z0-9/+]{40})\b"#),
    form("azure-storage-key",  r"AccountKey=([A-Za-z0-9+/]{86}==)"),
    form("github-token",       r"\b(gh[opsur]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{60,255})\b"),
    form("gitlab-token",       r"\b(gl(?:pat|rt|dt|ptt|cbt|soat)-[A-Za-z0-9_-]{20,})"),
    form("npm-token",          r"\b(npm_[A-Za-z0-9]{36})\b"),
    form("pypi-token",         r"\b(pypi-AgEI[A-Za-z0-9_-]{50,})"),
    form("crates-io-token",    r"\b(cio[A-Za-z0-9]{32})\b"),
    form("hugging-face-token", r"\b(hf_[A-Za-z]{34})\b"),
    form("slack-token",        r"\b(xox[abeprs]-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{20,})"),
    form("slack-webhook",      r"(https://hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{20,})"),
    form("discord-webhook",    r"(https://discord(?:app)?\.com/api/webhooks/[0-9]{15,20}/[A-Za-z0-9_-]{60,})"),
    form("telegram-token",     r"\b([0-9]{8,10}:AA[A-Za-z0-9_-]{33})\b"),
    form("stripe-key",         r"\b((?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/]{32,})"),
    form("sendgrid-key",       r"\b(SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43})"),
    form("shopify-token",      r"\b(shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32})\b"),
    form("digitalocean-token", r"\b(do[opr]_v1_[a-f0-9]{64})\b"),
    form("linear-key",         r"\b(lin_api_[A-Za-z0-9]{40})\b"),
    form("notion-token",       r"\b(ntn_[A-Za-z0-9]{43,})\b"),
    form("vault-token",        r"\b(hv[sbr]\.[A-Za-z0-9_-]{24,})"),
    form("json-web-token",     r"\b(eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,})"),
    form("password-in-url",    r#"\b[a-z][a-z0-9+.-]{1,20}://[A-Za-z0-9._~%+-]{0,64}:([^\s/:@"'\\<>${}\[\]]{3,128})@[A-Za-z0-9.\[-]"#),
    form("authorization",      r#"(?i:authorization)\\?["']?\s{0,3}[:=]\s{0,3}\\?["']?(?i:bearer|basic|token) ([A-Za-z0-9._~+/=-]{16,})"#),
    Rule {
        kind: "assigned",
        pattern: r#"(?i:passw(?:or)?d|secret|api_?key|access_?key|private_?key|(?:access|auth|refresh|api|bot)_?token|credential)s?\\?["']?\s{0,3}[:=]>?\s{0,3}\\?["']?([A-Za-z0-9_~+/.=!@#%^&*-]{12,256})"#,
        is_by_chance: true,
    },
];
