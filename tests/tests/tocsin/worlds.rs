//! The scenarios that run in both kinds of world: functions run by the dispatcher, each scenario in a world of its own; and template.yaml deployed to
//! ministack, all scenarios one after the other; and deployed with the other entrance, what goes through it.

use tests::world::World;

use crate::{acting, card, cli, commands, entrance, events, faults, forms, home, order, outbound, reactions, shortcut, steps, who_may};

macro_rules! scenarios {
    ($($module:ident :: $name:ident),* $(,)?) => {
        mod dispatched {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let world = World::start().await;
                    $module::$name(&world).await;
                    world.finish().await;
                }
            )*
        }

        /// One deployment for all: a deployment takes longer than a scenario.
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn deployed() {
            let world = World::deployed("FunctionUrl").await;
            entrance::every_receiver_is_reached_and_believes_nobody(&world).await;
            world.clear().await;
            cli::dev::a_deployed_stack_is_reached_where_it_runs(&world).await;
            world.clear().await;
            $(
                println!("{}", stringify!($name));
                $module::$name(&world).await;
                world.clear().await;
            )*
            world.finish().await;
        }
    };
}

scenarios![
    card::an_alarm_becomes_a_card_and_a_thread_of_three,
    card::the_second_to_click_reads_who_has_it,
    card::a_recovery_resolves_what_its_alarm_opened,
    card::repeats_raise_a_counter_on_the_one_card,
    card::a_rule_routes_to_two_channels,
    card::the_thread_can_be_turned_off,
    acting::whoever_it_is_assigned_to_has_the_card_at_hand,
    acting::what_gets_worse_and_what_was_seen_is_said_from_the_card,
    commands::an_incident_from_create_to_reopen,
    commands::a_mistake_reads_what_to_do,
    forms::create_with_nothing_said_opens_a_form,
    forms::a_form_that_is_not_complete_stays_open,
    forms::a_form_grows_and_keeps_what_was_typed,
    forms::the_global_shortcut_creates_an_incident,
    reactions::eyes_acknowledge_and_a_check_mark_resolves,
    reactions::a_reply_under_a_card_is_a_note_and_not_told_there_again,
    shortcut::a_message_becomes_an_incident_and_hears_of_it,
    steps::a_workflow_opens_an_incident_changes_it_and_waits_for_its_end,
    home::home_shows_what_is_ones_own_and_what_is_open,
    events::a_mention_asks_how_things_stand,
    who_may::guests_strangers_and_the_deactivated_read_why_not,
    outbound::every_act_at_a_card_is_told_on_the_bus_once_and_in_order,
    order::a_recovery_that_overtakes_its_alarm_ends_it,
    order::an_update_that_overtakes_its_create_counts,
    order::shuffled_updates_end_with_the_newest,
    faults::slack_says_wait_and_is_not_asked_before,
    faults::slack_is_broken_for_a_while,
];

/// The same functions behind one HTTP API: what is behind the queues is the same, so these are the scenarios in which each receiver is called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deployed_behind_an_http_api() {
    let world = World::deployed("HttpApi").await;
    entrance::every_receiver_is_reached_and_believes_nobody(&world).await;
    world.clear().await;
    cli::dev::a_deployed_stack_is_reached_where_it_runs(&world).await;
    world.clear().await;
    card::the_second_to_click_reads_who_has_it(&world).await;
    world.clear().await;
    commands::a_mistake_reads_what_to_do(&world).await;
    world.clear().await;
    events::a_mention_asks_how_things_stand(&world).await;
    world.clear().await;
    world.finish().await;
}
