//! One value of the settings' document is changed, and everything else in it stays as it was written: order, comments, blank lines.

use shared::domain::Refusal;
use shared::domain::configuration::{self, Configuration, Mistake};
use shared::domain::surfaces::Setting;
use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value};

/// The document with this change in it. Refused where it cannot be read, before or after.
pub(crate) fn with(document: &str, change: &Setting) -> Result<String, Refusal> {
    configuration::read(document).map_err(|mistakes| cannot("has a mistake, so nothing can be changed in it", &mistakes))?;
    let unreadable = || Refusal::new("The settings' document cannot be changed from here. Please change it where it is kept.");
    let mut parsed: DocumentMut = document.parse().map_err(|_| unreadable())?;
    let root = parsed.as_table_mut();
    let written = match change {
        Setting::DefaultChannel(channel) => put(root, &["routing", "default", "channel"], channel.as_str().into(), section),
        Setting::Switch(switch, on) => put(root, &["notify", switch.key()], (*on).into(), section),
    };
    written.ok_or_else(unreadable)?;
    let changed = parsed.to_string();
    let read = configuration::read(&changed).map_err(|mistakes| wrong(&mistakes))?;
    if says(&read, change) { Ok(changed) } else { Err(unreadable()) }
}

/// Why a document with these mistakes is not stored.
pub(crate) fn wrong(mistakes: &[Mistake]) -> Refusal {
    cannot("would have a mistake, so it stays as it is", mistakes)
}

fn cannot(what: &str, mistakes: &[Mistake]) -> Refusal {
    let first = mistakes.first().map(ToString::to_string).unwrap_or_default();
    Refusal::new(format!("The settings' document {what}: {first}."))
}

/// Whether that is what the document comes to.
fn says(configuration: &Configuration, change: &Setting) -> bool {
    match change {
        Setting::DefaultChannel(channel) => configuration.routing.as_ref().is_some_and(|routing| routing.default.channel == *channel),
        Setting::Switch(switch, on) => configuration.notify.is_on(*switch) == *on,
    }
}

/// A section of its own, as they stand at the top of a document.
fn section() -> Item {
    Item::Table(Table::new())
}

/// A table within a line, as they stand within a section.
fn in_line() -> Item {
    Item::Value(Value::InlineTable(InlineTable::new()))
}

/// Puts a value where the path leads. What was written around the old one, such as a comment behind it, stays; tables that are not there are made, the first by `new`.
fn put(table: &mut dyn TableLike, path: &[&str], mut value: Value, new: fn() -> Item) -> Option<()> {
    let (key, rest) = path.split_first()?;
    if rest.is_empty() {
        if let Some(known) = table.get_mut(key).and_then(Item::as_value_mut) {
            value.decor_mut().clone_from(known.decor());
            *known = value;
        } else {
            table.insert(key, Item::Value(value));
        }
        return Some(());
    }
    if table.get(key).is_none() {
        table.insert(key, new());
    }
    put(table.get_mut(key)?.as_table_like_mut()?, rest, value, in_line)
}

#[cfg(test)]
mod tests {
    use shared::domain::configuration::Switch;
    use shared::domain::ids::Channel;

    use super::*;

    fn default_channel(id: &str) -> Setting {
        Setting::DefaultChannel(Channel::new(id))
    }

    #[test]
    fn only_the_value_changes_and_what_was_written_around_it_stays() {
        let document = "# ours, see the runbook\nthread = true\n\n[notify]\nacknowledged = true   # too loud?\nleast = \"P3\"\n\n[routing]\ndefault = { channel = \"#incidents\", mentions = [\"S0ONCALL\"] } # everybody\n\n[[routing.rules]]\nmatch = { service = \"checkout\" }\nto = [{ channel = \"C0PAYMENTS\" }]\n";
        let quiet = with(document, &Setting::Switch(Switch::Acknowledged, false)).unwrap();
        assert_eq!(quiet, document.replace("acknowledged = true ", "acknowledged = false "));
        let moved = with(document, &default_channel("C0GENERAL")).unwrap();
        assert_eq!(moved, document.replace("#incidents", "C0GENERAL"));
        let new = with(document, &Setting::Switch(Switch::Noted, false)).unwrap();
        assert_eq!(new, document.replace("least = \"P3\"\n", "least = \"P3\"\nnoted = false\n"));
        assert_eq!(with(&quiet, &Setting::Switch(Switch::Acknowledged, true)).unwrap(), document, "and back again");
    }

    #[test]
    fn a_workspace_without_settings_gets_its_first_ones() {
        assert_eq!(with("", &Setting::Switch(Switch::Resolved, false)).unwrap(), "[notify]\nresolved = false\n");
        assert_eq!(with("", &default_channel("C0GENERAL")).unwrap(), "[routing]\ndefault = { channel = \"C0GENERAL\" }\n");
        let both = with("[notify]\nresolved = false\n", &default_channel("C0GENERAL")).unwrap();
        assert_eq!(both, "[notify]\nresolved = false\n\n[routing]\ndefault = { channel = \"C0GENERAL\" }\n");
    }

    #[test]
    fn whichever_way_a_table_is_written_its_value_is_found() {
        for document in [
            "notify = { noted = true }\nrouting = { default = { channel = \"C0X\" } }\n",
            "notify.noted = true\nrouting.default.channel = \"C0X\"\n",
            "[notify]\nnoted = true\n[routing.default]\nchannel = \"C0X\"\nmentions = []\n",
        ] {
            let off = with(document, &Setting::Switch(Switch::Noted, false)).unwrap();
            assert_eq!(off, document.replace("true", "false"));
            assert_eq!(with(document, &default_channel("C0Y")).unwrap(), document.replace("C0X", "C0Y"));
        }
    }

    #[test]
    fn a_document_with_a_mistake_is_left_alone_and_the_mistake_is_named() {
        for document in ["[notify]\nacknowleged = true\n", "notify = 1", "this is no TOML"] {
            let refusal = with(document, &Setting::Switch(Switch::Noted, false)).unwrap_err().to_string();
            assert!(refusal.contains("has a mistake") && refusal.contains("line "), "{refusal}");
        }
        let refusal = with("", &default_channel("random")).unwrap_err().to_string();
        assert!(refusal.contains("would have a mistake") && refusal.contains("no channel"), "{refusal}");
    }
}
