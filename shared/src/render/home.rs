//! Home: what somebody has to look at, what is open, who is on call, and for admins the settings.

use crate::domain::Refusal;
use crate::domain::configuration::Switch;
use crate::domain::ids::{Channel, UserId, is_slack_id};
use crate::domain::incident::Summary;
use crate::domain::settings::Settings;
use crate::mrkdwn;
use crate::slack::blocks::{Block, Button, Element, HomeView, Mrkdwn, Style};

use super::answer;

/// How many of one's own incidents are shown, and how many of all.
const OWN: usize = 10;
const LISTED: usize = 20;
/// How many rotations.
const ROTATIONS: usize = 40;

/// What Home is painted from.
#[derive(Debug, Clone, Copy)]
pub struct Home<'a> {
    /// Whose it is.
    pub person: &'a UserId,
    /// What is open.
    pub open: &'a [Summary],
    /// How many more are open that this person does not see.
    pub elsewhere: usize,
    /// What the workspace wants.
    pub settings: &'a Settings,
    /// Whether this person may change that.
    pub admin: bool,
    /// Why what they wanted to change just now is as it was.
    pub trouble: Option<&'a Refusal>,
}

/// Home as it stands now.
pub fn home(home: &Home<'_>) -> HomeView {
    let open = answer::open(home.open);
    let own: Vec<&Summary> = open.iter().copied().filter(|summary| summary.is_of(home.person)).collect();
    let mut blocks = vec![
        Block::header(match (open.len(), home.elsewhere) {
            (0, 0) => "All quiet".to_owned(),
            (0, _) => "Nothing open in your channels".to_owned(),
            (several, _) => answer::incidents(several),
        }),
        Block::section(answer::counts(&open)),
        Block::context([answer::unseen(home.elsewhere)]),
        Block::actions([Button::press("create_incident_form", "Create incident", Some(Style::Primary), "home")]),
    ];
    if !own.is_empty() {
        blocks.push(Block::header("Yours"));
        blocks.extend(lines(&own, OWN));
    }
    if !open.is_empty() {
        blocks.push(Block::header("Open, the worst first"));
        blocks.extend(lines(&open, LISTED));
    }
    blocks.extend(on_call(home.settings));
    if home.admin {
        blocks.extend(settings(home));
    }
    HomeView::new(blocks)
}

/// Home of somebody who may not act on incidents here.
pub fn closed(refusal: &Refusal) -> HomeView {
    HomeView::new(vec![Block::section(Mrkdwn::with_people(&refusal.to_string()))])
}

fn lines(summaries: &[&Summary], most: usize) -> Vec<Block> {
    let mut blocks = answer::sections(summaries.iter().take(most).map(|summary| answer::line(summary)), "\n\n");
    let more = summaries.len().saturating_sub(most);
    if more > 0 {
        blocks.push(Block::context([mrkdwn!("and {} more", super::words::count(more))]));
    }
    blocks
}

fn on_call(settings: &Settings) -> Vec<Block> {
    let turns = answer::turns(settings);
    if turns.is_empty() {
        return Vec::new();
    }
    let more = turns.len().saturating_sub(ROTATIONS);
    let mut blocks = vec![Block::header("On call")];
    blocks.extend(answer::sections(turns.into_iter().take(ROTATIONS), "\n"));
    if more > 0 {
        blocks.push(Block::context([mrkdwn!("and {} more: `/incident oncall`", more)]));
    }
    blocks
}

/// The settings, and at their place why one of them could not be changed.
fn settings(home: &Home<'_>) -> Vec<Block> {
    let configuration = &home.settings.configuration;
    let default = configuration.routing.as_ref().map_or(&home.settings.default_channel, |routing| &routing.default.channel);
    // Slack takes an id only.
    let chosen = Some(default.clone()).filter(|channel| is_slack_id(channel.as_str(), &['C', 'G']));
    let trouble = home.trouble.map(|refusal| mrkdwn!("⚠️ {}", Mrkdwn::with_people(&refusal.to_string()))).unwrap_or_default();
    let switches = Switch::ALL.map(|switch| toggle(switch, configuration.notify.is_on(switch)));
    vec![
        Block::divider(),
        Block::header("Settings"),
        Block::section(trouble),
        Block::section(mrkdwn!("What no rule routes elsewhere goes to {}.", place(default))),
        Block::actions([Element::channel("default_channel", "Choose a channel", chosen)]),
        Block::section(mrkdwn!("What is told in a card's thread, and to whom besides. Press one to turn it on or off.")),
        Block::actions(switches),
        Block::context([mrkdwn!("These change the workspace's one document of settings, and nothing else in it.")]),
    ]
}

fn place(channel: &Channel) -> Mrkdwn {
    mrkdwn!("*{}*", Mrkdwn::channel(channel))
}

fn toggle(switch: Switch, on: bool) -> Button {
    let what = match switch {
        Switch::Triggered => "Triggered",
        Switch::Updated => "Updated",
        Switch::Acknowledged => "Acknowledged",
        Switch::Resolved => "Resolved",
        Switch::Escalated => "Escalated",
        Switch::Snoozed => "Snoozed",
        Switch::SlaBreached => "SLA breached",
        Switch::Decided => "Decisions",
        Switch::Noted => "Notes",
        Switch::DirectOnAssignment => "Card to the assignee",
        Switch::NoticeOnResolve => "Resolution in the channel",
    };
    let (sign, then) = if on { ("✅", "off") } else { ("⬜", "on") };
    Button::switch(&format!("switch_{}", switch.key()), &format!("{sign} {what}"), then)
}
