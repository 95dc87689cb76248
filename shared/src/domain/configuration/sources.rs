//! What a workspace says about its sources and the accounts that they are in.

use url::Url;

use super::read::severity;
use super::section::Section;
use crate::domain::sources::{Sources, WORDS, Wish};

/// What a name on a card may take, in characters.
const NAME: usize = 60;

pub(super) fn sources(document: &mut Section<'_, '_>) -> Sources {
    let accounts = document.section("accounts").map(|section| section.read(accounts)).unwrap_or_default();
    let wishes = document.section("sources").map(|section| section.read(wishes)).unwrap_or_default();
    Sources { accounts, wishes }
}

fn accounts(section: &mut Section<'_, '_>) -> Vec<(String, String)> {
    let mut accounts = Vec::new();
    for (digits, name) in section.named_texts() {
        if digits.value.len() != 12 || !digits.value.bytes().all(|byte| byte.is_ascii_digit()) {
            section.wrong_at(&digits, format!("`{}` is no AWS account; it has to be its twelve digits", digits.value));
        } else if name.chars().count() > NAME {
            section.wrong_at(&digits, format!("this name is longer than {NAME} characters"));
        } else {
            accounts.push((digits.value, name));
        }
    }
    accounts
}

fn wishes(section: &mut Section<'_, '_>) -> Vec<Wish> {
    let mut wishes = Vec::new();
    for word in WORDS {
        let wish = section.section(word).map(|section| section.read(|section| wish(section, word)));
        wishes.extend(wish);
    }
    wishes
}

fn wish(section: &mut Section<'_, '_>, source: &str) -> Wish {
    let runbook = section.parsed("runbook", |text| {
        let known = Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.username().is_empty());
        if known { Ok(text.to_owned()) } else { Err(format!("`{text}` is no link; it has to be `https://…`")) }
    });
    Wish {
        source: source.to_owned(),
        severity: section.parsed("severity", severity).map(|placed| placed.value),
        service: section.text("service").map(|placed| placed.value),
        runbook: runbook.map(|placed| placed.value),
    }
}
