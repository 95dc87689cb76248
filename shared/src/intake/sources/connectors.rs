//! What the templates of `infra/connect` pick, held against the table: nothing that nobody reads, and nobody without a connector.

use std::collections::BTreeMap;
use std::fs;

use yaml_rust2::{Yaml, YamlLoader};

use super::*;
use crate::intake::tests::{files, path};

/// Whatever comes by these is wanted: its form is the user's own business.
const ANYTHING: [&str; 2] = ["bus", "forward"];

/// Others send these to the API, or to the queue by themselves.
const UNCONNECTED: [&str; 5] = ["own", "control", "amazonq", "alertmanager", "grafana"];

/// Known by what stands in them, so no row names the type.
const BY_CONTENT: [&str; 6] = [
    "CloudWatch Alarm Configuration Change",
    "CloudWatch Alarm State Change",
    "AWS API Call via CloudTrail",
    "AWS Insight via CloudTrail",
    "AWS Console Sign In via CloudTrail",
    "AWS Console Signin via CloudTrail",
];

/// The templates by the names of their files, which are the words of sources, perhaps with more behind a hyphen.
fn templates() -> BTreeMap<String, Yaml> {
    let read = |file: std::path::PathBuf| {
        let word = file.file_stem()?.to_str()?.to_owned();
        let text = fs::read_to_string(&file).ok()?;
        Some((word, YamlLoader::load_from_str(&text).ok()?.into_iter().next()?))
    };
    let yaml = files(&path("infra/connect")).into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    yaml.map(|file| read(file).expect("a template")).collect()
}

/// The texts of a list, which may be a parameter's: the reader passes over `!Ref`, so its name stands there.
fn texts(list: &Yaml, template: &Yaml) -> Vec<String> {
    let text = |text: &str| text.trim().to_owned();
    match list {
        Yaml::Array(texts) => texts.iter().filter_map(Yaml::as_str).map(text).collect(),
        Yaml::String(name) => {
            template["Parameters"][name.as_str()]["Default"].as_str().into_iter().flat_map(|all| all.split(',')).map(text).collect()
        }
        _ => Vec::new(),
    }
}

/// The sources and types that a template picks.
fn picked(template: &Yaml) -> Vec<(String, String)> {
    let pattern = &template["Resources"]["Rule"]["Properties"]["EventPattern"];
    let branches = pattern["$or"].as_vec().cloned().unwrap_or_else(|| vec![pattern.clone()]);
    let mut picked = Vec::new();
    for branch in &branches {
        let of = |field: &str| if branch[field].is_badvalue() { texts(&pattern[field], template) } else { texts(&branch[field], template) };
        let mut sources = of("source");
        if sources.is_empty() {
            sources.push(String::new());
        }
        let types = of("detail-type");
        picked.extend(sources.iter().flat_map(|source| types.iter().map(|kind| (source.clone(), kind.clone()))));
    }
    picked
}

#[test]
fn what_a_connector_picks_is_read_by_its_source() {
    let mut unread = Vec::new();
    for (file, template) in
        templates().iter().filter(|(file, template)| !ANYTHING.contains(&file.as_str()) && !template["Resources"]["Rule"].is_badvalue())
    {
        let word = file.split('-').next().unwrap_or_default();
        let picked = picked(template);
        assert!(!picked.is_empty(), "{file} picks nothing");
        for (source, kind) in picked {
            let names = |shape: &Shape| matches!(shape, Bridge(service, types) if *service == source && types.contains(&kind.as_str()));
            let reader = SOURCES.iter().find(|row| row.shapes.iter().any(names)).map(|row| row.word);
            if reader != Some(word) && !(reader.is_none() && BY_CONTENT.contains(&kind.as_str())) {
                unread.push(format!("{file}: {source} {kind:?} is read by {reader:?}"));
            }
        }
    }
    assert!(unread.is_empty(), "{}", unread.join("\n"));
}

#[test]
fn every_source_has_a_connector() {
    let templates = templates();
    for source in SOURCES.iter().filter(|source| !UNCONNECTED.contains(&source.word)) {
        assert!(templates.contains_key(source.word), "{} has no connector", source.word);
    }
}
