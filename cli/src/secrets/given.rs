//! How secrets are handed over: asked for without an echo, as JSON on standard input, or in a file.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};
use shared::secrets::Secret;

use super::form::Field;
use crate::output::is_attended;

/// Where secrets come from.
#[derive(Debug, clap::Args)]
pub(super) struct Source {
    /// A file that holds them as JSON, `{"signing_secret": "…", …}`; `-` is standard input. Without it they are asked for at a terminal, else read from standard input.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

/// What was handed over.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) fields: BTreeMap<&'static str, Secret>,
    /// Incoming webhooks by their names; `None`: it is to be taken away.
    pub(super) webhooks: BTreeMap<String, Option<Secret>>,
}

impl Given {
    pub(super) fn has(&self, field: Field) -> bool {
        self.fields.contains_key(field.name())
    }

    pub(super) fn get(&self, field: Field) -> Option<&Secret> {
        self.fields.get(field.name())
    }

    pub(super) fn put(&mut self, field: Field, value: &str) {
        if !value.trim().is_empty() {
            self.fields.insert(field.name(), Secret::new(value.trim()));
        }
    }

    /// What is wrong with the form of any of it.
    pub(super) fn check(&self, force: bool) -> Result<()> {
        let wrong: Vec<_> = Field::ALL.iter().filter_map(|field| field.wrong(self.get(*field)?.expose())).collect();
        ensure!(wrong.is_empty() || force, "nothing is written: {}. --force writes it all the same", wrong.join("; "));
        Ok(())
    }

    /// Puts what was given over what is there.
    pub(super) fn merge(&self, fields: &mut Map<String, Value>) {
        for (name, value) in &self.fields {
            fields.insert((*name).to_owned(), Value::from(value.expose()));
        }
        if self.webhooks.is_empty() {
            return;
        }
        let webhooks = fields.entry("webhooks").or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(webhooks) = webhooks else { return };
        for (name, address) in &self.webhooks {
            match address {
                Some(address) => webhooks.insert(name.clone(), Value::from(address.expose())),
                None => webhooks.remove(name),
            };
        }
    }
}

impl Source {
    /// The text that a program or a file hands over, of this form; `None`: there is somebody at a terminal to be asked.
    pub(super) fn text(&self, form: &str) -> Result<Option<Secret>> {
        let mut text = String::new();
        match &self.from {
            Some(path) if path != Path::new("-") => {
                text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
            }
            None if is_attended() => return Ok(None),
            Some(_) | None => {
                std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
            }
        }
        ensure!(!text.trim().is_empty(), "what was handed over is empty: {form}");
        Ok(Some(Secret::new(text)))
    }
}

/// What may be handed over.
pub(super) const FORM: &str = r#"it has to be JSON, {"signing_secret": "…", "bot_token": "xoxb-…"} or {"signing_secret": "…", "client_id": "…", "client_secret": "…"}"#;

/// Reads JSON. What is wrong is told by its name or its place, and nothing is quoted.
pub(super) fn json(text: &Secret) -> Result<Given> {
    let parsed: Result<Map<String, Value>, _> = serde_json::from_str(text.expose());
    let fields = match parsed {
        Ok(fields) => fields,
        Err(error) => bail!("line {}, column {}: {FORM}", error.line(), error.column()),
    };
    let mut given = Given::default();
    for (name, value) in fields {
        match (Field::ALL.into_iter().find(|field| field.name() == name), value) {
            (Some(field), Value::String(text)) => given.put(field, &text),
            (None, Value::Object(webhooks)) if name == "webhooks" => {
                for (name, address) in webhooks {
                    let address = match address {
                        Value::String(address) => Some(Secret::new(address)),
                        Value::Null => None,
                        _ => bail!("webhooks.{name} has to be a text, or null where it is to be taken away"),
                    };
                    given.webhooks.insert(name, address);
                }
            }
            (Some(_), _) => bail!("{name} has to be a text"),
            // A name may be a secret that stands in the wrong place.
            (None, _) => bail!("there is a field that Tocsin does not know; {FORM}, and perhaps \"webhooks\": {{\"NAME\": \"https://…\"}}"),
        }
    }
    Ok(given)
}

/// Asks for a value without an echo; again where its form is wrong, and nothing where nothing is typed and nothing has to be.
pub(super) fn asked(field: Field, required: bool) -> Result<Option<Secret>> {
    loop {
        let hint = if required { "" } else { ", or nothing" };
        let typed = rpassword::prompt_password(format!("{}{hint}: ", field.prompt())).context("the terminal cannot be read")?;
        let typed = typed.trim();
        match field.wrong(typed) {
            _ if typed.is_empty() && !required => return Ok(None),
            None => return Ok(Some(Secret::new(typed))),
            Some(wrong) => anstream::eprintln!("  {wrong}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_handed_over_is_quoted() {
        for text in [r#"{"signing_secret": s3cret"#, r#"{"bot_token": ["s3cret"]}"#, r#"{"s3cret": "x"}"#, r#""s3cret""#] {
            let error = format!("{:#}", json(&Secret::new(text)).unwrap_err());
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn what_is_given_lies_over_what_is_there_and_the_rest_stays() {
        let given =
            json(&Secret::new(r#"{"bot_token": " new ", "signing_secret": "", "webhooks": {"b": "https://b", "c": null}}"#)).unwrap();
        let Value::Object(mut fields) = serde_json::json!({
            "bot_token": "old", "signing_secret": "s", "webhooks": { "a": "https://a", "c": "https://c" }, "more": 1
        }) else {
            panic!("an object")
        };
        given.merge(&mut fields);
        let wanted =
            serde_json::json!({ "bot_token": "new", "signing_secret": "s", "webhooks": { "a": "https://a", "b": "https://b" }, "more": 1 });
        assert_eq!(Value::Object(fields), wanted);
    }
}
