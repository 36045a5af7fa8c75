//! Every scenario, in one list. A scenario is an async function of the environment.

mod bad_input;
mod doctor;
mod election;
mod kinds;
mod last_good;
mod lifecycle;
mod ownership;
mod pods;
mod repair;
mod scale;
mod static_binary;
mod upgrade;

use libtest_mimic::Trial;

use crate::Shared;

macro_rules! shared {
    ($shared:expr, $($module:ident :: $name:ident),+ $(,)?) => {
        vec![$( $shared.trial(concat!(stringify!($module), "::", stringify!($name)), $module::$name), )+]
    };
}

macro_rules! alone {
    ($shared:expr, $($module:ident :: $name:ident),+ $(,)?) => {
        vec![$( $shared.alone(concat!(stringify!($module), "::", stringify!($name)), $module::$name), )+]
    };
}

pub(crate) fn all(shared: &Shared) -> Vec<Trial> {
    // The longest first.
    let mut trials = alone!(
        shared,
        scale::three_hundred_pipelines,
        kinds::come_and_go,
        kinds::an_unreadable_pipeline,
        doctor::says_what_is_missing
    );
    trials.extend(shared!(
        shared,
        lifecycle::create,
        lifecycle::update,
        lifecycle::shrink,
        lifecycle::switch_mode,
        lifecycle::suspend,
        lifecycle::delete,
        lifecycle::delete_and_recreate,
        lifecycle::delete_in_the_middle,
        lifecycle::scale_subresource,
        lifecycle::samples_are_applied,
        lifecycle::goldens_are_strictly_valid,
        lifecycle::dashboard_from_a_config_map,
        lifecycle::many_rules,
        repair::deleted_children_come_back,
        repair::edited_children_are_repaired,
        repair::what_others_add_survives,
        repair::a_lost_record_of_ownership,
        ownership::a_foreign_object,
        ownership::the_documents_own_objects,
        ownership::another_pipelines_child,
        ownership::a_missing_right,
        last_good::invalid_and_back,
        last_good::survives_a_restart_and_the_loss_of_every_child,
        last_good::keeps_null_bodies,
        last_good::keeps_two_revisions,
        bad_input::refused_by_the_api_server,
        bad_input::reported_as_conditions,
        bad_input::null_bodies,
        bad_input::ambiguous_scalars,
        bad_input::a_bad_pipeline_does_not_hold_up_the_others,
        election::one_leads_and_a_resumed_one_writes_nothing,
        election::a_graceful_end_gives_the_lease_back,
        upgrade::rolls_in_waves_and_survives_a_restart,
        upgrade::a_failing_one_stops_the_others,
        upgrade::one_that_is_being_deleted_stops_nobody,
        upgrade::an_unchanged_output_writes_nothing,
        pods::are_admitted_where_only_restricted_ones_are,
        pods::network_policies_go_when_they_are_not_wanted,
        static_binary::reconciles_from_an_empty_root_by_name,
    ));
    trials
}
