//! The templates of `infra/connect`, deployed to ministack as they are.
//!
//! `CloudFormation` and EventBridge are called as their SDKs call them on the wire: two SDK crates for six calls would take longer to build than all else here.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use form_urlencoded::Serializer;
use serde_json::{Value, json};
use yaml_rust2::{Yaml, YamlLoader};

use crate::http::Http;
use crate::paths;

/// One template.
#[derive(Debug)]
pub struct Connector {
    /// Its file's name, mostly the word of its source.
    pub word: String,
    /// As it stands there.
    pub text: String,
    /// The same, read. Tags such as `!Ref` are passed over.
    pub yaml: Yaml,
}

impl Connector {
    /// All of them, by name.
    pub fn all() -> Result<Vec<Self>> {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(paths::repository().join("infra/connect"))?.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
        files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
        files.sort();
        files.iter().map(Self::read).collect()
    }

    fn read(file: &PathBuf) -> Result<Self> {
        let text = std::fs::read_to_string(file)?;
        let yaml =
            YamlLoader::load_from_str(&text).with_context(|| file.display().to_string())?.into_iter().next().context("a document")?;
        let word = file.file_stem().and_then(|stem| stem.to_str()).context("a name")?.to_owned();
        Ok(Self { word, text, yaml })
    }

    /// The names of its resources, or of its parameters, in their order.
    pub fn names(&self, section: &str) -> Vec<&str> {
        self.yaml[section].as_hash().into_iter().flat_map(|section| section.keys()).filter_map(Yaml::as_str).collect()
    }
}

/// The account on one ministack, and in it the Tocsin that is connected.
#[derive(Debug)]
pub struct Account<'a> {
    /// For the calls.
    pub http: &'a Http,
    /// Where AWS is.
    pub endpoint: &'a str,
    /// The name of Tocsin's stack.
    pub tocsin: &'a str,
}

impl Account<'_> {
    /// Deploys a connector, with these parameters besides the name of Tocsin's stack.
    pub async fn connect(&self, connector: &Connector, parameters: &[(&str, &str)]) -> Result<()> {
        let parameters: Vec<_> = [("Tocsin", self.tocsin)].into_iter().chain(parameters.iter().copied()).collect();
        self.deploys(&connector.word, &connector.text, &parameters).await
    }

    /// Deploys a template, as a stack whose name begins with Tocsin's.
    pub async fn deploys(&self, name: &str, template: &str, parameters: &[(&str, &str)]) -> Result<()> {
        let stack = format!("{}-{name}", self.tocsin);
        let mut form = vec![("StackName".to_owned(), stack.clone()), ("TemplateBody".to_owned(), template.to_owned())];
        form.push(("Capabilities.member.1".to_owned(), "CAPABILITY_IAM".to_owned()));
        for (number, (key, value)) in (1..).zip(parameters) {
            form.push((format!("Parameters.member.{number}.ParameterKey"), (*key).to_owned()));
            form.push((format!("Parameters.member.{number}.ParameterValue"), (*value).to_owned()));
        }
        self.cloudformation("CreateStack", &form).await?;
        loop {
            let answer = self.cloudformation("DescribeStacks", &[("StackName".to_owned(), stack.clone())]).await?;
            let status = answer.split_once("<StackStatus>").and_then(|(_, rest)| rest.split_once('<')).map(|(status, _)| status);
            match status {
                Some("CREATE_COMPLETE") => return Ok(()),
                Some("CREATE_IN_PROGRESS") => {}
                _ => bail!("{name}: {answer}"),
            }
        }
    }

    async fn cloudformation(&self, action: &str, form: &[(String, String)]) -> Result<String> {
        let body = Serializer::new(String::new()).extend_pairs([("Action", action), ("Version", "2010-05-15")]).extend_pairs(form).finish();
        let authorization = signed_for("cloudformation");
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", authorization.as_str())];
        let answer = self.http.post(self.endpoint, &headers, body).await?;
        ensure!(answer.status == 200, "{action}: {}", answer.text());
        Ok(answer.text())
    }

    /// Calls EventBridge.
    pub async fn events(&self, action: &str, body: &Value) -> Result<Value> {
        let (target, authorization) = (format!("AWSEvents.{action}"), signed_for("events"));
        let headers =
            [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str()), ("authorization", authorization.as_str())];
        let answer = self.http.post(self.endpoint, &headers, body.to_string()).await?;
        ensure!(answer.status == 200, "{action}: {}", answer.text());
        answer.json()
    }

    /// Puts an event on a bus.
    pub async fn puts(&self, bus: &str, source: &str, detail_type: &str, detail: &Value) -> Result<()> {
        let entry = json!({ "EventBusName": bus, "Source": source, "DetailType": detail_type, "Detail": detail.to_string(), "Resources": ["arn:of:it"] });
        let answer = self.events("PutEvents", &json!({ "Entries": [entry] })).await?;
        ensure!(answer["FailedEntryCount"] == 0, "{answer}");
        Ok(())
    }
}

/// ministack tells by it which service is meant, and checks no signature.
fn signed_for(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20260315/{}/{service}/aws4_request, SignedHeaders=host, Signature=0",
        crate::ministack::REGION
    )
}
