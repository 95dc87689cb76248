//! Which hosts may be called. A workspace's configuration names the address; the deployment says with its parameter `CallHosts` which hosts are open to that, so that nobody who
//! can write a configuration reaches what else is in the network.

use url::Url;

/// The hosts of the deployment's parameter: `deploys.example.com`, or `*.internal.example.com` for what is under it.
#[derive(Debug, Default)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    /// The hosts in a list with commas.
    pub(crate) fn parse(list: &str) -> Self {
        Self(list.split(',').map(|host| host.trim().to_lowercase()).filter(|host| !host.is_empty()).collect())
    }

    /// The address, where it may be called; else why not.
    pub(crate) fn allowed(&self, address: &str) -> Result<Url, String> {
        let url = Url::parse(address).map_err(|_| "its address cannot be read".to_owned())?;
        let host = url.host_str().unwrap_or_default().to_lowercase();
        let open = self.0.iter().any(|allowed| match allowed.strip_prefix("*.") {
            Some(parent) => host.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.') && rest.len() > 1),
            None => *allowed == host,
        });
        if open { Ok(url) } else { Err(format!("the host {host} is not among the deployment's CallHosts")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_deployment_names_is_called() {
        let hosts = Hosts::parse("deploys.example.com, *.internal.example.com");
        for good in [
            "https://deploys.example.com/x",
            "https://DEPLOYS.example.com:8443/",
            "https://a.internal.example.com",
            "https://a.b.internal.example.com",
        ] {
            assert!(hosts.allowed(good).is_ok(), "{good}");
        }
        for bad in [
            "https://example.com",
            "https://evil-deploys.example.com",
            "https://deploys.example.com.evil.example",
            "https://internal.example.com",
            "https://xinternal.example.com",
            "https://.internal.example.com",
            "https://169.254.169.254/latest",
            "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
            "nonsense",
        ] {
            assert!(hosts.allowed(bad).is_err(), "{bad}");
        }
        assert!(Hosts::parse("").allowed("https://deploys.example.com").is_err(), "nothing is open unless it is named");
    }
}
