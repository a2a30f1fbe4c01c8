//! A corpus of planted secrets, each of which must go, and of look-alikes, which must stay.

use std::collections::BTreeMap;

use partitura_ingest::{ContentMode, ExtraRule, RedactSettings, Redactions, Redactor};

use crate::door::{Door, whole};

/// Rule, secret, text around it (`@` stands for the secret). Secrets are put together at run time, so that
/// no scanner takes this file for a leak.
fn planted() -> Vec<(&'static str, String, &'static str)> {
    let long = "Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4zAb3dEf6hIj9kLm2nOp5q";
    let hex = "0123456789abcdef0123456789abcdef01234567";
    let cut = |prefix: &str, length: usize| format!("{prefix}{}", &long[..length]);
    vec![
        ("anthropic_key", cut("sk-ant-api03-", 40), "my key is @."),
        ("openai_key", cut("sk-", 48), "OPENAI=@"),
        ("openai_key", cut("sk-proj-", 40), "use @ please"),
        ("openrouter_key", cut("sk-or-v1-", 40), "(@)"),
        ("langfuse_key", format!("sk-lf-{}", &hex[..36]), "secret: @"),
        ("langfuse_key", format!("pk-lf-{}", &hex[..36]), "@"),
        ("google_api_key", cut("AIzaSy", 33), "https://maps.example/api?key=@&x=1"),
        ("google_oauth", cut("ya29.", 40), "@"),
        ("aws_access_key", format!("AKIA{}", "ABCDEFGH12345678"), "id @ here"),
        ("aws_secret_key", format!("wJalrXUtnFEMI/K7MDENG/bPxRfiCY{}", "EXAMPLEKEY"), "aws_secret_access_key = @"),
        ("github_token", cut("ghp_", 36), "git clone https://x/@ done"),
        ("github_token", cut("gho_", 36), "@"),
        ("github_token", cut("github_pat_", 40), "token=@"),
        ("gitlab_token", cut("glpat-", 20), "PRIVATE-TOKEN: @"),
        ("slack_token", format!("xoxb-{}-{}", "123456789012", &long[..24]), "@"),
        ("slack_webhook", format!("T000/B000/{}", &long[..24]), "https://hooks.slack.com/services/@"),
        ("stripe_key", cut("sk_live_", 24), "@"),
        ("stripe_key", cut("rk_test_", 24), "@"),
        ("huggingface_token", cut("hf_", 34), "HF_TOKEN=@"),
        ("npm_token", cut("npm_", 36), "//registry.example/:_authToken=@"),
        ("pypi_token", cut("pypi-", 52), "@"),
        ("xai_key", cut("xai-", 40), "@"),
        ("groq_key", cut("gsk_", 40), "@"),
        ("sendgrid_key", format!("SG.{}.{}", &long[..22], &long[..43]), "@"),
        ("service_token", cut("nvapi-", 40), "@"),
        ("service_token", cut("lin_api_", 40), "LINEAR=@"),
        ("service_token", cut("hvs.", 24), "vault says @"),
        ("databricks_token", format!("dapi{}", &hex[..32]), "@"),
        ("digitalocean_token", format!("dop_v1_{hex}"), "@"),
        ("perplexity_key", cut("pplx-", 40), "@"),
        ("replicate_token", cut("r8_", 37), "@"),
        ("aws_access_key", format!("ASIA{}", "ABCDEFGH12345678"), "@"),
        ("stripe_key", cut("whsec_", 32), "@"),
        ("slack_token", format!("xapp-1-{}", &long[..40]), "@"),
        ("assigned_secret", cut("", 24), "Db_Password := '@'"),
        ("assigned_secret", cut("", 24), "auth-token   = @"),
        ("assigned_secret", cut("", 24), "credentials: @"),
        ("assigned_secret", cut("", 24), "{\"refresh_token\" : \"@\"}"),
        ("jwt", format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{}", &long[..43]), "Cookie: s=@; path=/"),
        ("authorization", cut("", 30), "authorization: Token @"),
        ("bearer_token", cut("", 40), "curl -H 'X: Bearer @'"),
        ("basic_credentials", "dXNlcjpodW50ZXIyISE=".to_owned(), "proxy says Basic @ ok"),
        ("url_credentials", "hunter2!".to_owned(), "postgres://admin:@@db.example:5432/x"),
        ("url_credentials", "p/a:s@s".to_owned(), "amqp://u:@@mq/vhost"),
        ("url_credentials", cut("", 24), "https://@@git.example/x.git"),
        ("assigned_secret", "hunter2!".to_owned(), "password=@"),
        ("assigned_secret", "correct-horse-battery".to_owned(), "the DB_PASSWORD is set: password: '@',"),
        ("assigned_secret", cut("", 24), "api_key: \"@\""),
        ("assigned_secret", cut("", 24), "{\\\"client_secret\\\": \\\"@\\\"}"),
        ("assigned_secret", cut("", 24), "AZURE_ACCOUNT_KEY=@"),
        ("command_secret", "hunter22".to_owned(), "deploy --user bot --password @ --now"),
        ("command_secret", cut("", 24), "gh auth login --with --token '@'"),
        ("command_secret", cut("", 24), "aws configure --secret-access-key\t@"),
        ("command_password", "hunter".to_owned(), "curl -s -u admin:@ https://api.example/v1"),
        ("command_password", "hunter".to_owned(), "curl --user 'admin:@' https://api.example/v1"),
        ("command_password", "hunter".to_owned(), "mysqldump -h db -uroot -p@ shop"),
        ("command_password", "hunter".to_owned(), "sshpass -p @ ssh host"),
        (
            "private_key",
            format!("-----BEGIN RSA {}-----\nMIIEow{long}\n{long}\n-----END RSA {}-----", "PRIVATE KEY", "PRIVATE KEY"),
            "before\n@\nafter",
        ),
        ("private_key", format!("-----BEGIN {}-----\\nMIIEvQ{long}", "PRIVATE KEY"), "cut off: @"),
    ]
}

const HARMLESS: &[&str] = &[
    "curl -u $USER:$PASSWORD https://api.example; docker run -p 8080:80 mysql -p shop",
    "mysql -h db -P 3306 -u root -p && echo done",
    "--password-file /run/secret1 --token $GITHUB_TOKEN --token-limit 500000 --password /run/secrets/db1",
    "use --password to be asked for it, --api-key <key1234> or --token prompt",
    "The risk-assessment-and-management-plan-for-2026 is done",
    "task-1234 sk-learn pipeline, desk-based research",
    "password = None",
    "password: string",
    "api_key = os.environ[\"OPENAI_API_KEY\"]",
    "set token=${TOKEN} and secret=<your secret>",
    "The tokens: input 12345, output 678",
    "max_tokens=4096 top_k: 50",
    "see https://example.org:8080/path/@user and user@example.org",
    "bearer of good news for everybody",
    "a basic understanding of things",
    "commit 0123456789abcdef0123456789abcdef01234567",
    "eyJ is how a JWT begins",
    "key: value, monkey: banana",
    "secret_santa = True",
    "Enter passphrase:\nRetype: x-1",
    "password = ReadOnlyPasswordHashField(\n label=_(\"Password\"))",
    "subscribe({ device_token: e.deviceToken, channel: 'x' })",
    "* Forgot Password: `#21a0a0` is the colour",
    "std::Token::Liquidity and api_key::Missing",
    "b2://xxxx:xxxx@xxxx/ and https://user:****@host/",
    "disk-based, a mask-image and msg.text; flask_login",
    "-----BEGIN CERTIFICATE----- MIIB -----END CERTIFICATE-----",
];

#[test]
fn planted_secrets_go() {
    let redactor = Redactor::new(RedactSettings::default()).expect("rules");
    for (rule, secret, around) in planted() {
        let text = around.replacen('@', &secret, 1);
        let mut found = Redactions::new();
        let clean = redactor.text(&text, &mut found).into_owned();
        assert!(!clean.contains(&secret), "{rule}: {text:?} became {clean:?}");
        assert!(clean.contains(&format!("[redacted:{rule}]")), "{rule}: {text:?} became {clean:?}");
        assert_eq!(found.get(rule), Some(&1), "{rule}: {found:?}");
        let again = redactor.text(&clean, &mut found).into_owned();
        assert_eq!(again, clean, "redacting twice changes nothing");
    }
}

#[test]
fn harmless_texts_stay() {
    let redactor = Redactor::new(RedactSettings::default()).expect("rules");
    for text in HARMLESS {
        let mut found = Redactions::new();
        assert_eq!(redactor.text(text, &mut found), *text, "{found:?}");
    }
}

#[test]
fn nothing_planted_survives_in_an_event() {
    let door = Door::new();
    for (rule, secret, around) in planted() {
        let text = serde_json::to_string(&around.replacen('@', &secret, 1)).expect("a string");
        let bare = serde_json::to_string(&secret).expect("a string");
        let body = format!(
            r#"{{"type":"message.sent","id":"1","subject":{text},"data":{{"message_id":"m","conversation_id":"c","from":"a",
               "text":{text},"deep":[{{"list":[{text}]}}],{text}:1,"password":{bare}}}}}"#
        );
        let decoded = door.json(&body).expect("a body");
        match &decoded.items[0] {
            Ok(accepted) => {
                let shown = format!("{:?}", accepted.draft);
                assert!(!shown.contains(secret.trim_end_matches('\n')), "{rule}: {shown}");
                assert!(decoded.redactions.values().sum::<u64>() >= 4, "{rule}: {:?}", decoded.redactions);
            }
            // A subject with a line break is refused; even then nothing is quoted.
            Err(rejected) => assert!(!whole(&rejected.problem).contains(&secret), "{}", whole(&rejected.problem)),
        }
        // In a place where the message quotes the key.
        for body in [
            format!(r#"{{"type":"x.y","id":"1",{bare}:1}}"#),
            format!(r#"{{"type":"x.y","id":"1","data":{{{bare}:1,{bare}:2}}}}"#),
            format!(r#"{{"type":"x.y","id":"1","time":{bare}}}"#),
            format!(r#"{{"type":"x.y","id":{bare},"data":7}}"#),
        ] {
            if matches!(
                rule,
                "url_credentials"
                    | "assigned_secret"
                    | "authorization"
                    | "bearer_token"
                    | "slack_webhook"
                    | "command_secret"
                    | "command_password"
            ) {
                continue; // these are secrets by what stands around them
            }
            if matches!(rule, "basic_credentials" | "aws_secret_key") {
                continue;
            }
            let problem = door.refused(&body);
            assert!(!whole(&problem).contains(&secret), "{rule}: {}", whole(&problem));
        }
    }
}

#[test]
fn ids_with_secrets_are_refused() {
    let key = format!("ghp_{}", "a1B2".repeat(9));
    for field in ["id", "source", "stream"] {
        let problem = Door::new().refused(&format!(r#"{{"type":"x.y","{field}":"{key}"}}"#));
        assert!(whole(&problem).contains(field) && whole(&problem).contains("secret"), "{}", whole(&problem));
    }
}

#[test]
fn escapes_do_not_hide() {
    let body = format!(r#"{{"type":"x.y","id":"1","data":{{"t":"\u0067hp\u005f{}"}}}}"#, "a1B2".repeat(9));
    assert_eq!(Door::new().one(&body).draft.data.get(), r#"{"t":"[redacted:github_token]"}"#);
}

#[test]
fn rules_can_be_set() {
    let extra = ExtraRule { name: "ticket".to_owned(), pattern: r"SECRET-(\d+)".to_owned() };
    let settings = RedactSettings { disable: vec!["jwt".to_owned()], rules: vec![extra], ..Default::default() };
    let redactor = Redactor::new(settings).expect("rules");
    let mut found = Redactions::new();
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc";
    assert_eq!(redactor.text(&format!("SECRET-42 {jwt}"), &mut found), format!("SECRET-[redacted:ticket] {jwt}"));
    let faults: &[(RedactSettings, &str)] = &[
        (RedactSettings { disable: vec!["openai_kye".to_owned()], ..Default::default() }, "openai_key"),
        (
            RedactSettings {
                rules: vec![ExtraRule { name: "x".to_owned(), pattern: "(".to_owned() }],
                ..Default::default()
            },
            "redact.rules[0].pattern",
        ),
        (
            RedactSettings {
                rules: vec![ExtraRule { name: "x".to_owned(), pattern: "a*".to_owned() }],
                ..Default::default()
            },
            "empty text",
        ),
        (
            RedactSettings {
                rules: vec![ExtraRule { name: "X y".to_owned(), pattern: "a".to_owned() }],
                ..Default::default()
            },
            "redact.rules[0].name",
        ),
    ];
    for (settings, word) in faults {
        let problem = Redactor::new(settings.clone()).expect_err(word);
        assert!(whole(&problem).contains(word), "{}", whole(&problem));
    }
}

#[test]
fn content_modes() {
    let body = r#"{"type":"interaction.recorded","id":"1","source":"S","data":{"interaction_id":"i","kind":"llm",
        "input":"mail bob@example.org from 10.0.0.1","output":[{"role":"assistant","content":"call +49 30 1234567"}],
        "tokens_in":3}}"#;
    let with = |mode: ContentMode| {
        let sources = BTreeMap::from([("S".to_owned(), mode)]);
        let door = Door::with(RedactSettings { sources, ..Default::default() });
        door.one(body).draft.data.get().to_owned()
    };
    assert!(with(ContentMode::Full).contains("bob@example.org"));
    let redacted = with(ContentMode::Redacted);
    for gone in ["bob@example.org", "10.0.0.1", "1234567"] {
        assert!(!redacted.contains(gone), "{redacted}");
    }
    assert_eq!(with(ContentMode::None), r#"{"interaction_id":"i","kind":"llm","tokens_in":3}"#);
    let sources = BTreeMap::from([("S".to_owned(), ContentMode::None)]);
    let door = Door::with(RedactSettings { sources, ..Default::default() });
    let kept =
        door.one(r#"{"type":"knowledge.noted","id":"1","source":"S","data":{"knowledge_id":"k","text":"private"}}"#);
    assert_eq!(kept.draft.data.get(), r#"{"knowledge_id":"k","text":"[content dropped]"}"#);
}
